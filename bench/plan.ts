// What a run will do: which scenarios, with how many rounds of what length, and how long that takes.
//
// A full run follows the scenarios' own rounds. `--quick` ends within two minutes on any machine: each scenario
// has its share of the time that is left, and begins no round that would not end within it.

import type { Contestant } from "./contestants.ts";
import type { BenchOptions } from "./flags.ts";
import { type Scenario, SCENARIOS, SEED_SCENARIOS } from "./scenarios.ts";

/** Of the two minutes of `--quick`, all but what stopping takes. */
const QUICK_MS = 114_000;

export interface Pace {
  readonly rounds: number;
  /** Of each turn under load. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** By `performance.now()`: no round begins that would end later. */
  readonly endBy: number;
}

export function chooseScenarios({ scenarios, quick }: BenchOptions, canLoad: boolean): Scenario[] {
  const wanted = scenarios ?? (quick ? SEED_SCENARIOS : SCENARIOS.map(({ name }) => name));
  return SCENARIOS.filter(({ name, kind }) => wanted.includes(name) && (canLoad || kind !== "load"));
}

/** @param scenariosLeft this one included. */
export function paceOf(scenario: Scenario, options: BenchOptions, now: number, scenariosLeft: number): Pace {
  return {
    rounds: options.rounds ?? (options.quick ? 3 : scenario.rounds),
    seconds: options.seconds ?? (options.quick ? 1 : scenario.seconds),
    warmUpSeconds: options.quick ? 1 : 2,
    // The program's clock starts at 0.
    endBy: options.quick ? now + (QUICK_MS - now) / scenariosLeft : Infinity,
  };
}

/** Minutes, to within a few. */
export function estimateMinutes(
  scenarios: readonly Scenario[],
  contestants: readonly Contestant[],
  options: BenchOptions,
): number {
  const STARTING = 3, AROUND_A_TURN = 0.4;
  let seconds = 0;
  for (const scenario of scenarios) {
    const pace = paceOf(scenario, options, 0, scenarios.length);
    const turns = contestants.filter((contestant) => contestant.takesPartIn(scenario)).length;
    const warmUp = scenario.kind === "load" ? pace.warmUpSeconds : 0;
    seconds += STARTING + turns * (warmUp + pace.rounds * (pace.seconds + AROUND_A_TURN));
  }
  return Math.ceil(Math.min(seconds, options.quick ? 2 * 60 : Infinity) / 60);
}
