import type { Connection, ConnectionKeeper } from "../../src/upstream/connection.ts";

/** A connection that has served a request. */
export class Served {
  idleSince = 0;
  now = 1_000;
  usable = true;
  closed = false;
  counted = 0;
  inlet = { available: 0 };
  keeper: ConnectionKeeper | null = null;
  constructor(readonly openedAt = 0) {}

  countBytes(): void {
    this.counted++;
  }
  idle(now: number, _idleMs: number, keeper: ConnectionKeeper): void {
    this.idleSince = now;
    this.keeper = keeper;
  }
  wake(): void {
    this.keeper = null;
  }
  close(): void {
    this.closed = true;
  }
  get asConnection(): Connection {
    return this as unknown as Connection;
  }
}
