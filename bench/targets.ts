// What Weir promises about its speed and size, checked as medians of ratios.
//
// A target names a figure of one contestant in one scenario, against another's of the same rounds or against a
// fixed value. It is met, missed, or not measured when a side is missing or invalid.

import type { ContestantName } from "./contestant_name.ts";
import { type FigureName, FIGURES } from "./figures.ts";
import { figureOf, ratioOf, type Results } from "./results.ts";

interface Target {
  readonly scenario: string;
  readonly figure: FigureName;
  readonly of: ContestantName;
  /** Another contestant; null for a fixed value. */
  readonly to: ContestantName | null;
  readonly limit: number;
}

export interface Verdict {
  readonly state: "met" | "missed" | "not measured";
  /** `weir CPU µs/request, 1kb: 1.21 x floor, at most 1.30`. */
  readonly text: string;
}

const MB = 1024 * 1024;

const TARGETS: readonly Target[] = [
  cpu("1kb", "weir", "floor", 1.3),
  cpu("10kb", "weir", "floor", 1.3),
  cpu("300kb", "weir", "floor", 1.3),
  cpu("1kb", "weir", "fetch", 0.65),
  cpu("10kb", "weir", "fetch", 0.65),
  cpu("300kb", "weir", "fetch", 1.0),
  cpu("1kb", "weir-wire", "nginx-tuned", 1.2),
  cpu("10kb", "weir-wire", "nginx-tuned", 1.15),
  // nginx's default buffers; without persistent connections it is slower still.
  cpu("300kb", "weir-wire", "nginx-keepalive", 0.5),
  cpu("300kb", "weir-wire", "nginx-tuned", 0.9),
  cpu("300kb", "weir-wire", "haproxy-tuned", 1.2),
  // What the access log may cost.
  cpu("log", "weir-log", "weir", 1.1),
  cpu("log", "weir-wire-log", "weir-wire", 1.1),
  { scenario: "1kb", figure: "requestsPerSecond", of: "weir-wire", to: "nginx-tuned", limit: 1 },
  { scenario: "memory", figure: "idleRssBytes", of: "weir-wire", to: null, limit: 64 * MB },
  { scenario: "memory", figure: "idleConnectionBytes", of: "weir-wire", to: null, limit: 16 * 1024 },
];

function cpu(scenario: string, of: ContestantName, to: ContestantName, limit: number): Target {
  return { scenario, figure: "cpuMicros", of, to, limit };
}

/** Targets of the scenarios that were wanted, run or not, with whom they are about, in order. */
export function checkTargets(
  results: Results,
  wanted: readonly { readonly name: string }[] = results.scenarios,
): Verdict[] {
  const names = new Set(wanted.map(({ name }) => name));
  const tookPart = (name: ContestantName | null) => name === null || results.contestants.includes(name);
  return TARGETS.filter(({ scenario, of, to }) => names.has(scenario) && tookPart(of) && tookPart(to))
    .map((target) => check(target, results));
}

function check(target: Target, results: Results): Verdict {
  const { scenario: name, figure, of, to, limit } = target;
  const { title, better, print } = FIGURES[figure];
  const scenario = results.scenarios.find((scenario) => scenario.name === name);
  const cell = scenario?.cells.find(({ contestant }) => contestant === of);
  const value = to !== null
    ? ratioOf(scenario, figure, of, to)?.median
    : cell && figureOf(cell, figure)?.median;
  const written = (value: number) => to === null ? print(value) : value.toFixed(2);
  const unit = to === null ? "" : ` x ${to}`;
  const bound = `${better === "lower" ? "at most" : "at least"} ${written(limit)}`;
  const what = `${of} ${title}, ${name}`;
  if (value === undefined) return { state: "not measured", text: `${what}:${unit || " value"}, ${bound}` };
  const met = better === "lower" ? value <= limit : value >= limit;
  return { state: met ? "met" : "missed", text: `${what}: ${written(value)}${unit}, ${bound}` };
}
