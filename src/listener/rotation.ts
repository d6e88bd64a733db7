// When a client is asked to leave its connection and come back by another: after a time, or a number of
// requests, so that new pods and idle workers get their share of clients that keep their connections for hours.
//
// For a listener that does not know its connections: they are told apart by the peer's address and port, and the
// first request of one starts its clock. Each has limits of its own, up to JITTER below the configured ones, so
// that clients that came together do not leave together. It costs one look-up per request.

import type { ListenConfig } from "../config/schema.ts";
import type { PeerAddress } from "../exchange.ts";

/** The clock and the chance that limits are drawn by. */
export interface RotationInputs {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

interface Age {
  startedAt: number;
  seenAt: number;
  requestsLeft: number;
  readonly lifetimeMs: number;
}

/** A connection's own limits are up to this share below the configured ones. */
export const JITTER = 0.2;
/** About 2 MB. With more connections the clock of the one that was first seen the longest ago starts again. */
export const CONNECTIONS_REMEMBERED_MAX = 16_384;

export class Rotation {
  /** By address, then by port: no key is put together for each request. */
  private readonly ages = new Map<string, Map<number, Age>>();
  private count = 0;
  /** The last one asked for: to compare an address costs less than to look it up. */
  private hostname = "";
  private ports: Map<number, Age> | undefined = undefined;

  constructor(
    private readonly config: Pick<ListenConfig, "connectionLifetimeMs" | "connectionRequestsMax">,
    private readonly inputs: RotationInputs,
  ) {}

  /** Counts a request of `peer`; true when its answer should ask the client to leave. */
  isDue({ hostname, port }: PeerAddress): boolean {
    const { connectionLifetimeMs, connectionRequestsMax } = this.config;
    if (connectionLifetimeMs === 0 && connectionRequestsMax === 0) return false;
    const now = this.inputs.now();
    let age = this.portsOf(hostname)?.get(port);
    // Silent for a lifetime: most likely gone, and its port in use by another connection.
    if (age === undefined || now - age.seenAt > age.lifetimeMs) age = this.begin(hostname, port, now);
    age.seenAt = now;
    return --age.requestsLeft <= 0 || now - age.startedAt >= age.lifetimeMs;
  }

  private portsOf(hostname: string): Map<number, Age> | undefined {
    if (this.ports === undefined || hostname !== this.hostname) {
      this.hostname = hostname;
      this.ports = this.ages.get(hostname);
    }
    return this.ports;
  }

  get remembered(): number {
    return this.count;
  }

  private begin(hostname: string, port: number, now: number): Age {
    const { connectionLifetimeMs, connectionRequestsMax } = this.config;
    const share = 1 - JITTER * this.inputs.random();
    const age = {
      startedAt: now,
      seenAt: now,
      requestsLeft: connectionRequestsMax === 0 ? Infinity : Math.ceil(connectionRequestsMax * share),
      lifetimeMs: connectionLifetimeMs === 0 ? Infinity : connectionLifetimeMs * share,
    };
    this.forget(hostname, port);
    if (this.count >= CONNECTIONS_REMEMBERED_MAX) this.forgetOne();
    const ports = this.ages.get(hostname) ?? new Map<number, Age>();
    this.ages.set(hostname, ports.set(port, age));
    this.count++;
    return age;
  }

  private forget(hostname: string, port: number): void {
    const ports = this.ages.get(hostname);
    if (ports === undefined || !ports.delete(port)) return;
    this.count--;
    if (ports.size > 0) return;
    this.ages.delete(hostname);
    // An empty one is in nobody's place any more.
    this.ports = undefined;
  }

  /** The connection that was first seen the longest ago, of the address that was. */
  private forgetOne(): void {
    const [hostname, ports] = this.ages.entries().next().value!;
    this.forget(hostname, ports.keys().next().value!);
  }
}
