// What the probes say, from what is known of the workers. Pure but for what it remembers: whether the pod
// was ever ready, and since when nobody serves. It is asked by probes, and at every change of a worker.
//
// No probe depends on upstreams: a pod that is restarted because its upstreams are down helps nobody.

import type { ProbeState } from "../admin/view.ts";
import type { WorkerHandle } from "../control/worker_handle.ts";

/** A pod without a serving worker is alive for this long: workers are respawned meanwhile. */
const UNSERVED_MS_MAX = 30_000;

export interface WorkerCounts {
  readonly serving: number;
  readonly all: number;
  /** In words: why those that do not serve do not, and what else is wrong with them. */
  readonly reasons: readonly string[];
}

export class Readiness {
  private wasReady = false;
  private leaving = false;
  /** Null while a worker serves. */
  private unservedSince: number | null;

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number) {
    this.unservedSince = now();
  }

  /** On the way out: not ready any more, for good. */
  leave(): void {
    this.leaving = true;
  }

  /**
   * @param applied whether every worker has applied the configuration
   * @param awaited whose answers a configuration waits for, in words
   */
  state(workers: WorkerCounts, applied: boolean, awaited: readonly string[]): ProbeState {
    const { serving, all } = workers;
    const now = this.now();
    this.unservedSince = serving > 0 ? null : this.unservedSince ?? now;
    if (serving === all && applied) this.wasReady = true;
    const live = this.unservedSince === null || now - this.unservedSince < UNSERVED_MS_MAX;
    const ready = this.wasReady && serving > 0 && !this.leaving;
    return { live, ready, started: this.wasReady, reasons: this.reasons(workers, applied, awaited, live) };
  }

  private reasons(
    { serving, all, reasons }: WorkerCounts,
    applied: boolean,
    awaited: readonly string[],
    live: boolean,
  ): string[] {
    const words: string[] = [];
    if (this.leaving) words.push("draining: no new clients");
    if (!this.wasReady) words.push(...awaited);
    if (serving < all) words.push(`degraded: ${serving} of ${all} workers serve`);
    words.push(...reasons);
    if (!this.wasReady && !applied) words.push("the configuration is not applied by every worker yet");
    if (!live) words.push(`no worker has served for ${UNSERVED_MS_MAX / 1_000} s`);
    return words;
  }
}

/** What is counted of a worker's place. */
export type CountedHandle = Pick<WorkerHandle, "index" | "serving" | "reason" | "hungThreads">;

export function workerCounts(handles: readonly CountedHandle[]): WorkerCounts {
  const idle = handles.filter(({ serving }) => !serving);
  const reasons = idle.map(({ index, reason }) => `worker ${index}: ${reason ?? "starting"}`);
  const hungThreads = handles.reduce((sum, handle) => sum + handle.hungThreads, 0);
  if (hungThreads > 0) reasons.push(`hung threads that keep their share of new connections: ${hungThreads}`);
  return { serving: handles.length - idle.length, all: handles.length, reasons };
}
