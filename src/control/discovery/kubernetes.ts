// Endpoints of `k8s://service.namespace:port`: the pods behind a Service, as its EndpointSlices tell them.
//
// Started by the control plane, one per configured address. It keeps talking to the API server, and waits
// longer after each failure; what it last knew stays in force for as long as the server is away. Changes are
// told at once when it is quiet; when it is not, four times a second at most, and once a second for a Service of a
// thousand pods, whose list costs as much more: churn costs a bounded share of the time, however large a Service.

import { addressId, type KubernetesAddress } from "../../config/endpoint_url.ts";
import type { Clock } from "../clock.ts";
import {
  type DiscoveredEndpoint,
  discoveredEndpoint,
  type Discovery,
  type DiscoveryEvents,
  type DiscoveryStatus,
  FIRST_LOOK_MS_MAX,
  mergeEndpoints,
  sameEndpoints,
} from "./discovery.ts";
import { findingOf } from "./kubernetes_findings.ts";
import { mayPass, type SessionEnd } from "./kubernetes_ending.ts";
import { type SessionInputs, SliceMirror } from "./kubernetes_session.ts";
import { endpointsOf, type PodEndpoint } from "./kubernetes_slices.ts";

export interface KubernetesInputs extends SessionInputs {
  readonly events: DiscoveryEvents;
}

/** Least time between two calls of `onEndpoints`: so much for each endpoint, within these bounds. */
const TELL_INTERVAL_MS_PER_ENDPOINT = 1;
const TELL_INTERVAL_MS_MIN = 250;
const TELL_INTERVAL_MS_MAX = 2_000;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** A watch that lived this long worked: the next failure is a first one. */
const SOUND_WATCH_MS = 5_000;
/** Watches of many pods that end together are opened again within this. */
const RESUME_SPREAD_MS = 250;

export class KubernetesDiscovery implements Discovery {
  readonly settled: Promise<void>;
  private readonly source: string;
  private readonly mirror: SliceMirror;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private telling: Promise<void> = Promise.resolve();
  private tellingIsDue = false;
  private onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void = () => {};
  private settle!: () => void;
  private told: readonly DiscoveredEndpoint[] | null = null;
  private toldAt = -Infinity;
  private answeredAt: number | null = null;
  /** Why the server does not answer. */
  private trouble: string | null = null;
  /** Why its answer holds no endpoint. */
  private emptiness: string | null = null;
  /** Since when one of the two is reported; null when neither is. */
  private failingSince: number | null = null;

  /** @param before watched the same source until now: what it knows holds until the server says something else */
  constructor(
    private readonly address: KubernetesAddress,
    private readonly inputs: KubernetesInputs,
    before?: KubernetesDiscovery,
  ) {
    this.source = addressId(address);
    this.mirror = new SliceMirror(address.service, address.namespace, inputs);
    this.settled = new Promise((resolve) => this.settle = resolve);
    if (before === undefined) return;
    this.mirror.goOnFrom(before.mirror);
    this.answeredAt = before.answeredAt;
    this.trouble = before.trouble;
    this.failingSince = before.failingSince;
  }

  start(onEndpoints: (endpoints: readonly DiscoveredEndpoint[]) => void): void {
    this.onEndpoints = onEndpoints;
    if (this.answeredAt !== null) this.tell();
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.telling;
    this.inputs.api.close();
    this.settle();
  }

  describe(): DiscoveryStatus {
    const problem = this.trouble ?? this.emptiness;
    return {
      source: this.source,
      endpoints: this.told?.length ?? 0,
      answeredAt: this.answeredAt,
      problem,
      failingSince: problem === null ? null : this.failingSince,
    };
  }

  get asks(): string {
    return this.inputs.api.server;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const startedAt = this.inputs.clock.now();
    let failures = 0;
    while (!signal.aborted) {
      const began = this.inputs.clock.now();
      let events = 0;
      const end = await this.mirror.talk((what) => {
        if (what === "event") events++;
        this.heard();
      }, signal);
      if (signal.aborted) return;
      // HTTP/2 asks everything over one connection: one that is dead would swallow the next request, too.
      if (end.kind === "unreachable" || end.kind === "silent") this.inputs.api.close();
      const sound = events > 0 || this.inputs.clock.now() - began >= SOUND_WATCH_MS;
      const failed = end.kind !== "ended" || !sound;
      failures = failed ? (sound ? 1 : failures + 1) : 0;
      this.note(end);
      const pauseMs = this.pauseMs(end, failures);
      const nextAt = this.inputs.clock.now() + pauseMs;
      if (!mayPass(end) || nextAt - startedAt > FIRST_LOOK_MS_MAX) this.settle();
      await pause(this.inputs.clock, pauseMs, signal);
    }
  }

  /** Doubling from half a second to half a minute, the half of it random: many pods fail at the same time. */
  private pauseMs(end: SessionEnd, failures: number): number {
    if (failures === 0) return RESUME_SPREAD_MS * this.inputs.clock.random();
    const full = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (failures - 1));
    const pause = full / 2 + (full / 2) * this.inputs.clock.random();
    return end.kind === "refused" ? Math.max(pause, end.retryAfterMs) : pause;
  }

  /** The server spoke: what the mirror holds is true now. */
  private heard(): void {
    this.answeredAt = this.inputs.clock.date();
    this.trouble = null;
    this.tell();
  }

  private tell(): void {
    if (this.tellingIsDue) return;
    this.tellingIsDue = true;
    this.telling = this.tellSoon();
  }

  private note(end: SessionEnd): void {
    this.trouble = findingOf(end, this.address) ?? this.trouble;
    this.report();
  }

  private get tellIntervalMs(): number {
    const wanted = (this.told?.length ?? 0) * TELL_INTERVAL_MS_PER_ENDPOINT;
    return Math.min(Math.max(wanted, TELL_INTERVAL_MS_MIN), TELL_INTERVAL_MS_MAX);
  }

  private async tellSoon(): Promise<void> {
    const waitMs = this.toldAt + this.tellIntervalMs - this.inputs.clock.now();
    if (waitMs > 0) await pause(this.inputs.clock, waitMs, this.stopping.signal);
    // Before the mirror is read: what it hears from here on is told by another call.
    this.tellingIsDue = false;
    if (this.stopping.signal.aborted) return;
    this.toldAt = this.inputs.clock.now();
    const { endpoints: pods, problem = null } = endpointsOf(this.mirror.current(), this.address);
    this.emptiness = problem;
    const endpoints = mergeEndpoints([pods.map((pod) => this.endpointAt(pod))]);
    if (this.told === null || !sameEndpoints(endpoints, this.told)) {
      this.told = endpoints;
      this.onEndpoints(endpoints);
    }
    this.report();
    this.settle();
  }

  private endpointAt({ scheme, host, port, draining }: PodEndpoint): DiscoveredEndpoint {
    const { service, namespace } = this.address;
    const traits = { ...this.address, scheme, drain: this.address.drain || draining };
    return discoveredEndpoint(
      traits,
      host,
      port,
      namespace === null ? service : `${service}.${namespace}.svc`,
    );
  }

  /** Once when it stops working, once when it works again. */
  private report(): void {
    const { source, problem, endpoints } = this.describe();
    if ((problem !== null) === (this.failingSince !== null)) return;
    this.failingSince = problem === null ? null : this.inputs.clock.date();
    if (problem !== null) this.inputs.events.onFailure({ source, reason: problem, kept: endpoints });
    else this.inputs.events.onRecovery({ source, endpoints });
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
