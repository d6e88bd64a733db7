// An endpoint that exists only in virtual time: it works on some requests at once and queues the rest.

import type { Candidate } from "../balance/balancer.ts";
import { failureSampleMs, nextCostMs } from "../board/moving_latency.ts";
import { FULL_PERMILLE } from "../control/slow_start.ts";
import type { Agenda } from "./agenda.ts";
import type { EndpointPlan } from "./scenarios.ts";

export interface EndpointInputs {
  readonly agenda: Agenda;
  readonly random: () => number;
  /** peak_ewma's time constant. */
  readonly decayMs: number;
}

export class SimulatedEndpoint implements Candidate {
  /** Share of its weight that it has now (slow start). */
  permille = FULL_PERMILLE;
  attempts = 0;
  failures = 0;
  failuresInARow = 0;
  private here = 0;
  private working = 0;
  private readonly queue: (() => void)[] = [];
  private average = { costMs: 0, atMs: 0 };

  constructor(readonly id: string, readonly plan: EndpointPlan, private readonly inputs: EndpointInputs) {}

  get weight(): number {
    return this.plan.weight * this.permille / FULL_PERMILLE;
  }

  inFlight(): number {
    return this.here;
  }

  latency(): { readonly costMs: number; readonly atMs: number } {
    return this.average;
  }

  /** Takes a request; `onAnswer` gets the milliseconds that it was here. */
  take(onAnswer: (latencyMs: number) => void): void {
    const { agenda, random } = this.inputs;
    const arrivedMs = agenda.nowMs;
    this.here++;
    this.attempts++;
    const work = () => {
      this.working++;
      agenda.after(this.plan.workMs(random), () => {
        this.working--;
        this.here--;
        this.observe(agenda.nowMs - arrivedMs);
        onAnswer(agenda.nowMs - arrivedMs);
        this.queue.shift()?.();
      });
    };
    if (this.working < this.plan.concurrency) work();
    else this.queue.push(work);
  }

  private observe(latencyMs: number): void {
    const { agenda: { nowMs }, decayMs } = this.inputs;
    const { fails } = this.plan;
    if (fails) this.failures++;
    this.failuresInARow = fails ? this.failuresInARow + 1 : 0;
    const sampleMs = fails ? failureSampleMs(this.average, latencyMs) : latencyMs;
    this.average = { costMs: nextCostMs(this.average, sampleMs, nowMs, decayMs), atMs: nowMs };
  }
}
