// One turn of load on one contestant, by the tool that speaks the scenario's protocol, with whatever is to stand
// beside it: idle connections and slow clients are there before the load begins, and gone after it.

import { runH2load } from "./h2load.ts";
import { holdIdleConnections } from "./idle_connections.ts";
import type { LoadReport } from "./load_report.ts";
import { SlowClients } from "./slow_clients.ts";
import type { LoadScenario } from "./scenarios.ts";
import type { Stage } from "./stage.ts";
import { runWrk } from "./wrk.ts";

/** What stands beside the load. */
export interface Company {
  readonly faults: readonly string[];
  /** @returns what went wrong meanwhile. */
  leave(): Promise<readonly string[]>;
}

/** At most one turn at a time: it owns the load's cores. */
export async function runLoad(
  { processes, scratch }: Stage,
  scenario: LoadScenario,
  port: number,
  seconds: number,
): Promise<LoadReport> {
  // The tools' durations are whole seconds; wrk reads `300ms` as an error.
  const whole = Math.max(1, Math.round(seconds));
  return scenario.protocol === "h2"
    ? await runH2load(processes, scenario, port, whole, `${scratch}/h2load.log`)
    : await runWrk(processes, scenario, port, whole);
}

/** Before the books are opened: getting them in place is not the load's work. */
export async function gather(
  { processes, cores }: Stage,
  scenario: LoadScenario,
  port: number,
): Promise<Company> {
  const idle = await holdIdleConnections(port, scenario.idleConnections, 1);
  const slow = await SlowClients.gather(processes, cores.load, scenario.slowClients, port);
  return {
    faults: idle.faults,
    leave: async () => {
      await slow.leave();
      return await idle.end();
    },
  };
}
