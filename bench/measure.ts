// Takes the figures of one contestant in one round: under load, or idle.
//
// Under load: the CPU time that the contestant's processes used, from just before the load starts to just after
// it ended, divided by the answers that came; so setting up and closing the connections is included.
// Idle: the memory of a process that just started, and what each idle keep-alive connection adds to it.

import type { Sample } from "./figures.ts";
import { holdIdleConnections } from "./idle_connections.ts";
import { gather, runLoad } from "./load.ts";
import type { LoadReport } from "./load_report.ts";
import { cpuMicrosBetween, memoryOf, othersShare, readTree } from "./proc.ts";
import type { LoadScenario, MemoryScenario } from "./scenarios.ts";
import type { Stage, Standing } from "./stage.ts";

/** Closing thousands of connections goes on for a moment after wrk has ended. */
const CLOSING_MS = 100;
/** Start-up work and the collection of its garbage are over after this. */
const SETTLE_MS = 2000;

/** On each of a few connections: a collected heap has found its size after some thousands. */
const WARMING_REQUESTS = 200;

export interface Measured {
  readonly sample: Sample;
  /** Why the sample does not count; empty when it does. */
  readonly faults: readonly string[];
}

/** Never throws for what a contestant does: a tool that reports nothing is a fault like others. */
export async function measureLoad(
  stage: Stage,
  standing: Standing,
  scenario: LoadScenario,
  seconds: number,
): Promise<Measured> {
  const company = await gather(stage, scenario, standing.port);
  const measured = await underLoad(stage, standing, scenario, seconds).catch((error): Measured => ({
    sample: {},
    faults: [error instanceof Error ? error.message : String(error)],
  }));
  const fault = standing.fault();
  const late = [...await company.leave(), ...(fault === null ? [] : [fault])];
  const faults = [...company.faults, ...measured.faults, ...late];
  return faults.length > 0 ? { sample: {}, faults } : measured;
}

async function underLoad(
  stage: Stage,
  standing: Standing,
  scenario: LoadScenario,
  seconds: number,
): Promise<Measured> {
  const before = await readTree(stage.processes, standing.pids);
  const load = await runLoad(stage, scenario, standing.port, seconds);
  await pause(CLOSING_MS);
  const after = await readTree(stage.processes, standing.pids);
  if (standing.pids.length === 0) return { sample: clientFigures(load), faults: load.faults };
  const cpuMicros = cpuMicrosBetween(before, after) / load.requests;
  const sample: Sample = { cpuMicros, ...clientFigures(load), rssBytes: memoryOf(after).rssBytes };
  if (scenario.pinned) {
    sample.othersPercent = 100 * othersShare(before, after, Number(stage.cores.proxy));
  }
  return { sample, faults: load.faults };
}

function clientFigures({ requests, seconds, p50Ms, p99Ms, p999Ms }: LoadReport): Sample {
  return { requestsPerSecond: requests / seconds, p50Ms, p99Ms, p999Ms };
}

/** @param standing just started. */
export async function measureMemory(
  { processes }: Stage,
  standing: Standing,
  scenario: MemoryScenario,
): Promise<Measured> {
  await pause(SETTLE_MS);
  const idle = memoryOf(await readTree(processes, standing.pids));
  // Code and heap that the first requests bring in are not the connections' memory.
  await (await holdIdleConnections(standing.port, 20, WARMING_REQUESTS)).end();
  await pause(SETTLE_MS / 2);
  const before = memoryOf(await readTree(processes, standing.pids));
  const held = await holdIdleConnections(standing.port, scenario.idleConnections, 1);
  await pause(SETTLE_MS);
  const after = memoryOf(await readTree(processes, standing.pids));
  const late = await held.end();
  const sample = {
    idleRssBytes: idle.rssBytes,
    idlePssBytes: idle.pssBytes,
    idleConnectionBytes: (after.pssBytes - before.pssBytes) / scenario.idleConnections,
  };
  return { sample, faults: [...held.faults, ...late] };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
