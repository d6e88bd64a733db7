// Which charts the results become: one row here is one chart, drawn for light and for dark pages.
//
// `cpu` is the README's. A chart shows the contestants that have a figure in most of its columns, and is
// left out when nobody has.

import type { ContestantName } from "../contestant_name.ts";
import { CONTESTANTS } from "../contestants.ts";
import { type FigureName, FIGURES } from "../figures.ts";
import { figureOf, type Results } from "../results.ts";
import type { Chart } from "./chart.ts";

export interface ChartPlan {
  readonly file: string;
  readonly title: string;
  readonly note: string;
  readonly sameScale: boolean;
  readonly columns: readonly {
    readonly scenario: string;
    readonly figure: FigureName;
    readonly title: string;
  }[];
}

/** Whom the dashed line belongs to. */
const REFERENCE: ContestantName = "nginx-tuned";

const SIZES = [["1kb", "1 KB"], ["10kb", "10 KB"], ["300kb", "300 KB"]] as const;
const CONNECTIONS = [["c16", "16"], ["1kb", "64"], ["c512", "512"], ["c4096", "4,096"]] as const;
const OTHERS = [
  ["post-1kb", "POST 1 KB"],
  ["post-1mb", "POST 1 MB"],
  ["connect", "new connection each"],
  ["2cores", "2 workers, 2 cores"],
] as const;

const SECURE = [
  ["tls", "HTTP/1.1 over TLS"],
  ["h2", "HTTP/2"],
  ["tls-connect", "new TLS connection each"],
] as const;
const CROWDS = [
  ["1kb", "by themselves"],
  ["slow", "beside 1,000 slow clients"],
] as const;

export const CHART_PLANS: readonly ChartPlan[] = [
  plan(
    "cpu",
    "CPU per proxied request",
    "µs on one core, by size of the answer; less is better",
    "cpuMicros",
    SIZES,
  ),
  plan(
    "throughput",
    "Requests per second",
    "proxy on one core, 64 connections; more is better",
    "requestsPerSecond",
    SIZES,
  ),
  plan(
    "latency",
    "99th percentile latency",
    "ms under full load, 64 connections; less is better",
    "p99Ms",
    SIZES,
  ),
  plan(
    "connections",
    "CPU by number of connections",
    "µs per 1 KB request; less is better",
    "cpuMicros",
    CONNECTIONS,
    true,
  ),
  plan("others", "CPU in other scenarios", "µs per request; less is better", "cpuMicros", OTHERS),
  plan("secure", "CPU over TLS", "µs per 1 KB request; less is better", "cpuMicros", SECURE),
  plan(
    "slow",
    "99th percentile latency beside slow clients",
    "ms for 64 connections under full load; less is better",
    "p99Ms",
    CROWDS,
    true,
  ),
  {
    file: "memory",
    title: "Memory",
    note: "one worker; less is better",
    sameScale: false,
    columns: [
      { scenario: "memory", figure: "idleRssBytes", title: "MB when idle" },
      { scenario: "memory", figure: "idleConnectionBytes", title: "KB per idle connection" },
    ],
  },
];

function plan(
  file: string,
  title: string,
  note: string,
  figure: FigureName,
  scenarios: readonly (readonly [string, string])[],
  sameScale = false,
): ChartPlan {
  const columns = scenarios.map(([scenario, title]) => ({ scenario, figure, title }));
  return { file, title, note, sameScale, columns };
}

/** Null when there is nothing to show. */
export function chartOf({ title, note, sameScale, columns }: ChartPlan, results: Results): Chart | null {
  const filled = columns.map(({ scenario, figure, title }) => {
    const cells = results.scenarios.find(({ name }) => name === scenario)?.cells ?? [];
    const value = (name: string) => {
      const cell = cells.find(({ contestant }) => contestant === name);
      return cell === undefined ? null : figureOf(cell, figure);
    };
    return { title, value, print: FIGURES[figure].print };
  });
  const rows = CONTESTANTS.filter(({ name }) =>
    filled.filter(({ value }) => value(name) !== null).length > filled.length / 2
  );
  if (rows.length === 0) return null;
  return {
    title,
    note,
    sameScale,
    rows: rows.map(({ title, kind }) => ({ label: title, kind })),
    reference: rows.some(({ name }) => name === REFERENCE)
      ? rows.findIndex(({ name }) => name === REFERENCE)
      : null,
    columns: filled.map(({ title, value, print }) => ({
      title,
      values: rows.map(({ name }) => value(name)),
      print,
    })),
  };
}
