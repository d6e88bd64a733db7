// A running `k8s://` source against a scripted API server, in virtual time: waits of the source pass at once
// and are counted, its deadlines do not come unless a test lets them.

import type { KubernetesAddress } from "../../../src/config/endpoint_url.ts";
import type { Cancel } from "../../../src/control/clock.ts";
import type { DiscoveredEndpoint } from "../../../src/control/discovery/discovery.ts";
import { KubernetesDiscovery } from "../../../src/control/discovery/kubernetes.ts";
import type { ScriptedApi } from "./scripted_api.ts";

/** Waits at least this long are deadlines of a request, not pauses between two. */
const deadlineMsMin = 30_000;

interface Held {
  readonly ms: number;
  readonly pass: () => void;
}

export class Watched implements AsyncDisposable {
  readonly source: KubernetesDiscovery;
  /** Pauses that the source made, in order. */
  readonly pauses: number[] = [];
  /** `failure: reason (kept)` and `recovery (endpoints)`, in order. */
  readonly events: string[] = [];
  readonly told: (readonly DiscoveredEndpoint[])[] = [];
  /** Deadlines that run. */
  readonly deadlines = new Set<Held>();
  /** Pauses that a test holds back; see `holdPauses`. */
  readonly held: Held[] = [];
  holdPauses = false;
  nowMs = 0;
  #changed = Promise.withResolvers<void>();

  constructor(api: ScriptedApi, target: Partial<KubernetesAddress> = {}, before?: Watched) {
    const address: KubernetesAddress = {
      kind: "k8s",
      scheme: "http",
      service: "api",
      namespace: "shop",
      port: "http",
      weight: 1,
      backup: false,
      drain: false,
      ...target,
    };
    this.source = new KubernetesDiscovery(address, {
      api: api.api,
      clock: {
        random: () => 0.5,
        now: () => this.nowMs,
        date: () => 1_000_000 + this.nowMs,
        after: (ms, callback) => this.#after(ms, callback),
      },
      events: {
        onFailure: ({ reason, kept }) => this.#event(`failure: ${reason} (${kept})`),
        onRecovery: ({ endpoints }) => this.#event(`recovery (${endpoints})`),
      },
    }, before?.source);
    this.source.start((endpoints) => {
      this.told.push(endpoints);
      this.#wake();
    });
  }

  /** What is wrong now, in the source's words. */
  get problem(): string | null {
    return this.source.describe().problem;
  }

  /** Addresses of the newest set; a leaving one has a `~`. */
  get addresses(): string {
    return (this.told.at(-1) ?? []).map(({ host, drain }) => drain ? `~${host}` : host).join(" ");
  }

  /** Waits until the source has told something that makes `holds` true. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.stop();
  }

  #event(event: string): void {
    this.events.push(event);
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  #after(ms: number, callback: () => void): Cancel {
    const held = {
      ms,
      pass: () => {
        this.nowMs += ms;
        callback();
      },
    };
    if (ms >= deadlineMsMin) {
      this.deadlines.add(held);
      return () => void this.deadlines.delete(held);
    }
    let cancelled = false;
    this.pauses.push(ms);
    if (this.holdPauses) this.held.push(held);
    else queueMicrotask(() => cancelled || held.pass());
    this.#wake();
    return () => void (cancelled = true);
  }
}
