// The seed's own benchmark beside ours: the same three scenarios, then and now.
//
// The seed's figures are its README's (requests per second by Apache Bench on a 2-core i5, 500 requests at 10
// connections; 5,000 at 20 for 10 KB, where it gives none for itself). Machines and origins differ, so what can be
// compared is each row's share of nginx in the same run.

import type { ContestantName } from "../contestant_name.ts";
import { FIGURES } from "../figures.ts";
import { figureOf, ratioOf, type Results } from "../results.ts";
import { SEED_SCENARIOS } from "../scenarios.ts";
import { markdownTable } from "./tables.ts";

const NONE = "-";

/** Requests per second. */
const SEED_FIGURES: readonly { readonly title: string; readonly rates: Readonly<Record<string, number>> }[] =
  [
    { title: "the toy balancer", rates: { "1kb": 667.96, "300kb": 28.16 } },
    { title: "HAProxy beside it", rates: { "1kb": 1951.52, "10kb": 821.22, "300kb": 32.89 } },
    { title: "nginx beside it", rates: { "1kb": 2193.27, "10kb": 874.51, "300kb": 30.89 } },
  ];
const SEED_NGINX = SEED_FIGURES.at(-1)!.rates;

const OURS: readonly ContestantName[] = [
  "weir",
  "weir-wire",
  "haproxy",
  "haproxy-tuned",
  "nginx",
  "nginx-keepalive",
  "nginx-tuned",
];

export function seedTable(results: Results): string {
  const head = ["requests/s (x nginx)", "1 KB, 4 origins", "10 KB, 8 origins", "300 KB, 4 origins"];
  const then = SEED_FIGURES.map(({ title, rates }) => [
    title,
    ...SEED_SCENARIOS.map((name) => entry(rates[name], (rates[name] ?? NaN) / (SEED_NGINX[name] ?? NaN))),
  ]);
  return markdownTable(head, [...then, ...OURS.flatMap((name) => ourRow(results, name))]);
}

function ourRow(results: Results, name: ContestantName): string[][] {
  const entries = SEED_SCENARIOS.map((scenarioName) => {
    const scenario = results.scenarios.find(({ name }) => name === scenarioName);
    const cell = scenario?.cells.find(({ contestant }) => contestant === name);
    if (cell === undefined) return NONE;
    const ratio = ratioOf(scenario, "requestsPerSecond", name, "nginx")?.median;
    return entry(figureOf(cell, "requestsPerSecond")?.median, ratio);
  });
  const title = results.scenarios.flatMap(({ cells }) => cells).find(({ contestant }) => contestant === name)
    ?.title;
  return title === undefined ? [] : [[title, ...entries]];
}

function entry(rate: number | undefined, share: number | undefined): string {
  if (rate === undefined) return NONE;
  return `${FIGURES.requestsPerSecond.print(rate)} (${share === undefined ? NONE : share.toFixed(2)})`;
}
