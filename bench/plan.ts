// What a run will do: which scenarios, with how many rounds of what length, and how long that takes.
//
// A full run follows the scenarios' own rounds and fields. `--quick` ends within two minutes on any machine: each scenario
// has its share of the time that is left, and begins no round that would not end within it.

import type { Contestant } from "./contestants.ts";
import type { BenchOptions } from "./flags.ts";
import { isInstalled } from "./processes.ts";
import { type LoadScenario, programsOf, type Scenario, SCENARIOS, SEED_SCENARIOS } from "./scenarios.ts";
import type { Skipped } from "./stage.ts";

/** Of the two minutes of `--quick`, all but what stopping takes. */
const QUICK_MS = 108_000;

export interface Pace {
  readonly rounds: number;
  /** Of each turn under load. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Times that for those that the engine compiles while they run. */
  readonly compilingWarmUps: number;
  /** By `performance.now()`: no round begins that would end later. */
  readonly endBy: number;
}

/** Those that are wanted, and those of them that a missing program makes impossible. */
export function chooseScenarios(
  { scenarios, quick }: BenchOptions,
): { wanted: Scenario[]; chosen: Scenario[]; skipped: Skipped[] } {
  const names = scenarios ?? (quick ? SEED_SCENARIOS : SCENARIOS.map(({ name }) => name));
  const wanted = SCENARIOS.filter(({ name }) => names.includes(name));
  const missing = (scenario: Scenario) => programsOf(scenario).filter((program) => !isInstalled(program));
  return {
    wanted,
    chosen: wanted.filter((scenario) => missing(scenario).length === 0),
    skipped: wanted.filter((scenario) => missing(scenario).length > 0).map((scenario) => ({
      contestant: scenario.title,
      reason: `${missing(scenario).join(" and ")} not installed`,
    })),
  };
}

/**
 * Programs that the engine compiles while they run get this many warm-ups, as they are built to run for weeks: half a
 * million requests make them what they are then, which is afforded where everybody is measured.
 */
const COMPILING_WARM_UPS = { all: 10, some: 4 } as const;

/** How long a contestant is loaded before the first round. */
export function warmUpSeconds({ kind, launch }: Contestant, pace: Pace): number {
  const compiles = kind !== "peer" && launch !== null;
  return pace.warmUpSeconds * (compiles ? pace.compilingWarmUps : 1);
}

/** Who is measured in a scenario: its field, or whoever is asked for by name and has something to say there. */
export function fieldOf(
  scenario: Scenario,
  chosen: readonly Contestant[],
  options: BenchOptions,
): Contestant[] {
  return chosen.filter(({ name, takesPartIn }) =>
    takesPartIn(scenario) &&
    (options.only !== null || scenario.field === null || scenario.field.includes(name))
  );
}

/** @param scenariosLeft this one included. */
export function paceOf(scenario: Scenario, options: BenchOptions, now: number, scenariosLeft: number): Pace {
  return {
    rounds: options.rounds ?? (options.quick ? 3 : scenario.rounds),
    seconds: options.seconds ?? (options.quick ? 1 : scenario.seconds),
    warmUpSeconds: options.quick || scenario.field !== null ? 1 : 2,
    compilingWarmUps: options.quick || scenario.field !== null
      ? COMPILING_WARM_UPS.some
      : COMPILING_WARM_UPS.all,
    // The program's clock starts at 0.
    endBy: options.quick ? now + (QUICK_MS - now) / scenariosLeft : Infinity,
  };
}

/** Seconds, to within a fifth. */
export function estimateSeconds(
  scenarios: readonly Scenario[],
  contestants: readonly Contestant[],
  options: BenchOptions,
): number {
  const STARTING = 3, AROUND_A_TURN = 0.35;
  let seconds = 0;
  for (const scenario of scenarios) {
    const pace = paceOf(scenario, options, 0, scenarios.length);
    const company = scenario.kind === "load" ? companySeconds(scenario) : AROUND_A_TURN;
    seconds += STARTING;
    for (const contestant of fieldOf(scenario, contestants, options)) {
      const warmUp = scenario.kind === "load" ? warmUpSeconds(contestant, pace) : 0;
      seconds += warmUp + pace.rounds * (pace.seconds + company + AROUND_A_TURN);
    }
  }
  return Math.min(seconds, options.quick ? 2 * 60 : Infinity);
}

/** What gathers beside the load takes time before each turn. */
function companySeconds({ slowClients, idleConnections }: LoadScenario): number {
  return slowClients > 0 ? 2 : idleConnections / 4000;
}
