// Runs one scenario: every contestant once per round, each round in another order.
//
// Interleaved rounds spread a slow minute of the machine over all contestants; the changing order keeps any of
// them from always running first, or right after the same neighbour. Round 1 begins when all have warmed up.

import type { Contestant } from "./contestants.ts";
import { runLoad } from "./load.ts";
import { type Measured, measureLoad, measureMemory } from "./measure.ts";
import { type Pace, warmUpSeconds } from "./plan.ts";
import type { Cell, ScenarioResult } from "./results.ts";
import type { LoadScenario, MemoryScenario, Scenario } from "./scenarios.ts";
import type { Skipped, Stage, Standing } from "./stage.ts";

export interface RoundOptions extends Pace {
  readonly onMeasured: (round: number, contestant: Contestant, measured: Measured) => void;
  readonly onSkipped: (skipped: Skipped) => void;
}

export async function runScenario(
  stage: Stage,
  scenario: Scenario,
  contestants: readonly Contestant[],
  options: RoundOptions,
): Promise<ScenarioResult> {
  const skipped: Skipped[] = [];
  const origins = await stage.startOrigins(scenario.origins);
  const context = {
    stage,
    origins: origins.ports,
    options,
    skip: (contestant: Contestant, error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      skipped.push({ contestant: contestant.title, reason });
      options.onSkipped({ contestant: contestant.title, reason });
    },
  };
  const cells = scenario.kind === "load"
    ? await loadRounds(context, scenario, contestants)
    : await memoryRounds(context, scenario, contestants);
  await origins.stop();
  const { name, title } = scenario;
  return { name, title, takenAt: new Date().toISOString(), seconds: options.seconds, cells, skipped };
}

interface Context {
  readonly stage: Stage;
  readonly origins: readonly number[];
  readonly options: RoundOptions;
  readonly skip: (contestant: Contestant, error: unknown) => void;
}

async function loadRounds(context: Context, scenario: LoadScenario, contestants: readonly Contestant[]) {
  const { stage, options } = context;
  const standing = await startAll(context, scenario, contestants);
  for (const one of standing) {
    // What goes wrong here shows in the rounds, as a fault.
    await runLoad(stage, scenario, one.port, warmUpSeconds(one.contestant, options)).catch(() => {});
  }
  const cells = standing.map(({ contestant }) => emptyCell(contestant));
  await repeat(options, cells.length, async (round, at) => {
    const [one, cell] = [standing[at], cells[at]];
    if (one === undefined || cell === undefined) return;
    const measured = await measureLoad(stage, one, scenario, options.seconds);
    record(cell, measured);
    options.onMeasured(round, one.contestant, measured);
  });
  await Promise.all(standing.map((one) => one.stop()));
  return cells;
}

/** One at a time: the pages that two contestants share would count half for each. */
async function memoryRounds(context: Context, scenario: MemoryScenario, contestants: readonly Contestant[]) {
  const { stage, options } = context;
  const cells = contestants.map(emptyCell);
  const failed = new Set<Contestant>();
  await repeat(options, cells.length, async (round, at) => {
    const [contestant, cell] = [contestants[at], cells[at]];
    if (contestant === undefined || cell === undefined || failed.has(contestant)) return;
    const [standing] = await startAll(context, scenario, [contestant]);
    if (standing === undefined) {
      failed.add(contestant);
      return;
    }
    const measured = await measureMemory(stage, standing, scenario);
    record(cell, measured);
    options.onMeasured(round, contestant, measured);
    await standing.stop();
  });
  return cells.filter((_, at) => !failed.has(contestants[at]!));
}

/** Those that could be started, in the given order. */
async function startAll(
  { stage, origins, skip }: Context,
  scenario: Scenario,
  contestants: readonly Contestant[],
) {
  const started = await Promise.all(
    contestants.map((contestant) =>
      stage.start(contestant, scenario, origins).catch((error): null => {
        skip(contestant, error);
        return null;
      })
    ),
  );
  return started.filter((standing): standing is Standing => standing !== null);
}

/** Calls `turn` once per contestant and round, while another round of the same length still ends in time. */
async function repeat(
  { rounds, endBy }: RoundOptions,
  contestants: number,
  turn: (round: number, at: number) => Promise<void>,
): Promise<void> {
  let longest = 0;
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    if (round > 0 && begin + longest > endBy) return;
    for (const at of orderOfRound(round, contestants)) await turn(round, at);
    longest = Math.max(longest, performance.now() - begin);
  }
}

/** The first moves on by one each round, and every second round runs backwards: 0 1 2, 1 0 2, 2 0 1, 0 2 1, ... */
export function orderOfRound(round: number, contestants: number): number[] {
  const step = round % 2 === 0 ? 1 : contestants - 1;
  return Array.from({ length: contestants }, (_, at) => (round + at * step) % contestants);
}

function emptyCell({ name, title, kind }: Contestant): Cell {
  return { contestant: name, title, kind, samples: [], faults: [] };
}

function record(cell: Cell, { sample, faults }: Measured): void {
  cell.samples.push(sample);
  for (const fault of faults) if (!cell.faults.includes(fault)) cell.faults.push(fault);
}
