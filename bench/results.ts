// What a benchmark run leaves behind: every sample of every round, and the sums drawn from them.
//
// `Results` is the whole of `bench/results.json`; tables, charts and targets are made from it alone, so
// `deno task bench --render` can make them again without measuring.

import type { ContestantName } from "./contestant_name.ts";
import { CONTESTANTS } from "./contestants.ts";
import { type FigureName, FIGURES, type Sample } from "./figures.ts";
import { SCENARIOS, SEED_SCENARIOS } from "./scenarios.ts";
import type { Skipped } from "./stage.ts";
import { median, ratioSpread, type Spread, spread } from "./statistics.ts";

/** One contestant in one scenario. */
export interface Cell {
  readonly contestant: ContestantName;
  readonly title: string;
  readonly kind: "weir" | "peer" | "bound";
  /** By round; a round with a fault is empty. */
  readonly samples: Sample[];
  /** What went wrong in the empty rounds. */
  readonly faults: string[];
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  /** ISO 8601. */
  readonly takenAt: string;
  readonly seconds: number;
  readonly cells: Cell[];
  readonly skipped: Skipped[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly versions: Record<string, string>;
}

export interface Results {
  /** ISO 8601. */
  readonly takenAt: string;
  readonly machine: Machine;
  /** Those that were to take part, installed or not. */
  readonly contestants: readonly ContestantName[];
  readonly skipped: Skipped[];
  readonly scenarios: ScenarioResult[];
}

/** Whom the ratios are against. */
export const REFERENCES: readonly ContestantName[] = ["nginx-tuned", "floor", "fetch"];

/** Rounds that a fault made worthless. */
export function faultyRounds({ samples }: Cell): number {
  return samples.filter((sample) => Object.keys(sample).length === 0).length;
}

/** Most of its rounds count. */
export function isValid(cell: Cell): boolean {
  return faultyRounds(cell) < cell.samples.length / 2;
}

/** Null for an invalid cell and for a figure that does not apply. */
export function figureOf(cell: Cell, figure: FigureName): Spread | null {
  if (!isValid(cell)) return null;
  return spread(cell.samples.map((sample) => sample[figure]).filter((value) => value !== undefined));
}

/** `of` to `to`, round by round, of the scenario's cells of these names; null when either is missing or invalid. */
export function ratioOf(
  scenario: ScenarioResult | undefined,
  figure: FigureName,
  of: ContestantName,
  to: ContestantName,
): Spread | null {
  const [left, right] = [of, to].map((name) => scenario?.cells.find(({ contestant }) => contestant === name));
  if (left === undefined || right === undefined) return null;
  if (!isValid(left) || !isValid(right)) return null;
  return ratioSpread(
    left.samples.map((sample) => sample[figure]),
    right.samples.map((sample) => sample[figure]),
  );
}

/** The median share of the proxy's core that went to others, in percent: how far to trust the whole run. */
export function othersMedian({ scenarios }: Results): number {
  const samples = scenarios.flatMap(({ cells }) => cells).flatMap((cell) => cell.samples);
  return median(samples.map(({ othersPercent }) => othersPercent).filter((value) => value !== undefined));
}

/**
 * `newer`, and the scenarios of `older` that it has not measured: so a part of a run can be taken again. Results of
 * another machine are not mixed in.
 */
export function mergeResults(older: Results | null, newer: Results): Results {
  if (older === null || JSON.stringify(older.machine) !== JSON.stringify(newer.machine)) return newer;
  const measured = new Set(newer.scenarios.map(({ name }) => name));
  const kept = older.scenarios.filter(({ name }) => !measured.has(name));
  const order = SCENARIOS.map(({ name }) => name);
  return {
    ...newer,
    contestants: CONTESTANTS.map(({ name }) => name).filter((name) =>
      older.contestants.includes(name) || newer.contestants.includes(name)
    ),
    scenarios: [...kept, ...newer.scenarios].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
  };
}

/** Titles of the three main scenarios that nobody was measured in: documents made of such results would lose them. */
export function unmeasuredMain({ scenarios }: Results): string[] {
  const measured = scenarios.filter(({ cells }) => cells.some(isValid)).map(({ name }) => name);
  return SCENARIOS.filter(({ name }) => SEED_SCENARIOS.includes(name) && !measured.includes(name))
    .map(({ title }) => title);
}

/** `Results` with medians, spreads and ratios written out, for readers of the JSON file. */
export function withSummaries(results: Results) {
  const scenarios = results.scenarios.map((scenario) => ({
    ...scenario,
    cells: scenario.cells.map((cell) => ({
      ...cell,
      figures: summaries((figure) => figureOf(cell, figure)),
      ratios: Object.fromEntries(
        REFERENCES.map((to) => [to, summaries((figure) => ratioOf(scenario, figure, cell.contestant, to))]),
      ),
    })),
  }));
  return { ...results, scenarios };
}

function summaries(of: (figure: FigureName) => Spread | null): Partial<Record<FigureName, Spread>> {
  const known: Partial<Record<FigureName, Spread>> = {};
  for (const figure of Object.keys(FIGURES) as FigureName[]) {
    const value = of(figure);
    if (value !== null) known[figure] = value;
  }
  return known;
}
