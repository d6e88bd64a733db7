// Endpoints of `k8s://service.namespace:port`: the pods behind a Service, as its EndpointSlices tell them.
//
// Started by the control plane, one per configured address. It keeps talking to the API server, and waits
// longer after each failure; what it last knew stays in force for as long as the server is away. Changes are
// told at once when it is quiet and four times a second at most when it is not, so churn costs workers little.

import type { Clock } from "../clock.ts";
import type { DiscoveredEndpoint, Discovery, DiscoveryDescription } from "./discovery.ts";
import { findingOf } from "./kubernetes_findings.ts";
import { type SessionEnd, type SessionInputs, SliceMirror } from "./kubernetes_session.ts";
import { endpointsOf, type KubernetesTarget } from "./kubernetes_slices.ts";

export interface KubernetesInputs extends SessionInputs {
  /** Called when `state` or `finding` of the description changed: for the log. */
  readonly onStateChange?: (description: DiscoveryDescription) => void;
}

/** Least time between two calls of `onEndpoints`. */
const tellIntervalMs = 250;
const backoffBaseMs = 500;
const backoffCapMs = 30_000;
/** A watch that lived this long worked: the next failure is a first one. */
const soundWatchMs = 5_000;
/** Watches of many pods that end together are opened again within this. */
const resumeSpreadMs = 250;

export class KubernetesDiscovery implements Discovery {
  readonly #mirror: SliceMirror;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #telling: Promise<void> = Promise.resolve();
  #tellingIsDue = false;
  #onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void = () => {};
  #told = "";
  #toldAt = -Infinity;
  #updatedAt: number | null = null;
  #trouble: string | null = null;
  #problem: string | undefined;
  #endpoints = 0;
  #lastState = "";

  constructor(
    private readonly source: string,
    private readonly target: KubernetesTarget,
    private readonly inputs: KubernetesInputs,
  ) {
    this.#mirror = new SliceMirror(target.service, target.namespace, inputs);
  }

  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void {
    this.#onEndpoints = onEndpoints;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#telling;
  }

  describe(): DiscoveryDescription {
    const state = this.#updatedAt === null ? "waiting" : this.#trouble === null ? "current" : "stale";
    const finding = this.#trouble ?? this.#problem;
    return {
      source: this.source,
      state,
      endpoints: this.#endpoints,
      updatedAt: this.#updatedAt,
      ...(finding === undefined ? {} : { finding }),
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const began = this.inputs.clock.now();
      let events = 0;
      const end = await this.#mirror.talk((what) => {
        if (what === "event") events++;
        this.#heard();
      }, signal);
      if (signal.aborted) return;
      const sound = events > 0 || this.inputs.clock.now() - began >= soundWatchMs;
      const failed = end.kind !== "ended" || !sound;
      failures = failed ? (sound ? 1 : failures + 1) : 0;
      this.#note(end);
      await pause(this.inputs.clock, this.#pauseMs(end, failures), signal);
    }
  }

  /** Doubling from half a second to half a minute, the half of it random: many pods fail at the same time. */
  #pauseMs(end: SessionEnd, failures: number): number {
    if (failures === 0) return resumeSpreadMs * this.inputs.clock.random();
    const full = Math.min(backoffCapMs, backoffBaseMs * 2 ** (failures - 1));
    const pause = full / 2 + (full / 2) * this.inputs.clock.random();
    return end.kind === "refused" ? Math.max(pause, end.retryAfterMs) : pause;
  }

  /** The server spoke: what the mirror holds is true now. */
  #heard(): void {
    this.#updatedAt = this.inputs.clock.date();
    this.#trouble = null;
    if (this.#tellingIsDue) return;
    this.#tellingIsDue = true;
    this.#telling = this.#tellSoon();
  }

  #note(end: SessionEnd): void {
    this.#trouble = findingOf(end, this.target) ?? this.#trouble;
    this.#report();
  }

  async #tellSoon(): Promise<void> {
    const waitMs = this.#toldAt + tellIntervalMs - this.inputs.clock.now();
    if (waitMs > 0) await pause(this.inputs.clock, waitMs, this.#stopping.signal);
    // Before the mirror is read: what it hears from here on is told by another call.
    this.#tellingIsDue = false;
    if (this.#stopping.signal.aborted) return;
    this.#toldAt = this.inputs.clock.now();
    const { endpoints, problem } = endpointsOf(this.#mirror.slices.values(), this.target);
    this.#problem = problem;
    this.#endpoints = endpoints.length;
    const set = JSON.stringify(endpoints);
    if (set !== this.#told) {
      this.#told = set;
      this.#onEndpoints(endpoints);
    }
    this.#report();
  }

  #report(): void {
    const description = this.describe();
    const state = `${description.state} ${description.finding ?? ""}`;
    if (state === this.#lastState) return;
    this.#lastState = state;
    this.inputs.onStateChange?.(description);
  }
}

/** Settles after `ms`, or as soon as `signal` aborts. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    if (signal.aborted) return done();
    signal.addEventListener("abort", done);
  });
}
