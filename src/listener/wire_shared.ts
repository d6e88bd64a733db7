// What all connections of one wire listener share.

import type { ListenConfig } from "../config/schema.ts";
import type { Exchange } from "../exchange.ts";
import type { ListenOptions } from "./listener.ts";
import { JITTER } from "./rotation.ts";
import type { HeadRules } from "./wire_request.ts";
import type { SocketLimits } from "./wire_socket.ts";
import type { Tabled, WireTable } from "./wire_table.ts";

export class WireShared implements HeadRules {
  /** True while Weir leaves: every answer is its connection's last. */
  draining = false;
  readonly socketLimits: SocketLimits;
  readonly config: ListenConfig;
  readonly headerLinesMax: number;
  /** Answers an exchange; never rejects. */
  readonly handle: (exchange: Exchange) => Promise<void>;
  /** Whether an address may say who the client is. */
  readonly trusts: (address: string) => boolean;

  constructor(
    { config, handle, trusts }: Pick<ListenOptions, "config" | "handle" | "trusts">,
    readonly scheme: "http" | "https",
    readonly table: WireTable,
    /** Uniform in [0, 1). */
    private readonly random: () => number,
  ) {
    this.config = config;
    this.headerLinesMax = config.headerLinesMax;
    this.handle = handle;
    this.trusts = trusts;
    this.socketLimits = {
      // A client that takes nothing of its answer is as idle as one that asks for nothing.
      sendIdleMs: config.keepAliveIdleMs,
      bodyBytesPerSecondMin: config.bodyBytesPerSecondMin,
      bodyGraceMs: config.headReadMs,
    };
  }

  /** The address whose connections are limited; null for a proxy that brings those of many clients. */
  counted(address: string): string | null {
    return this.trusts(address) ? null : address;
  }

  /** A PROXY header says whose a connection is; false when that client has no room for one more. */
  names(connection: Tabled, address: string): boolean {
    return this.table.name(connection, this.counted(address));
  }

  /** The table's time from which a new connection is asked to leave. */
  expiry(): number {
    const { connectionLifetimeMs } = this.config;
    return connectionLifetimeMs === 0 ? Infinity : this.table.clock + this.spread(connectionLifetimeMs);
  }

  /** After how many requests a new connection is asked to leave. */
  requestsMax(): number {
    const { connectionRequestsMax } = this.config;
    return connectionRequestsMax === 0
      ? Infinity
      : Math.max(1, Math.round(this.spread(connectionRequestsMax)));
  }

  /** Up to JITTER shorter, so that connections opened together do not leave together. */
  private spread(limit: number): number {
    return limit * (1 - this.random() * JITTER);
  }
}
