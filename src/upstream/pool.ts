// The idle connections of one endpoint in one worker: last in, first out, so that few stay warm.
//
// Only clean connections get in; one that the endpoint closes, or that idles too long, leaves by itself.

import type { Connection, ConnectionKeeper } from "./connection.ts";
import type { IdleKeeper } from "./pools.ts";

export class Pool implements ConnectionKeeper, IdleKeeper {
  private readonly connections: Connection[] = [];
  private closed = false;

  constructor(
    /** Called when a connection that was kept is closed, by either side. */
    private readonly onClosed: () => void,
    /** Counts the connections that are kept. */
    private readonly kept: { move(amount: number): void },
  ) {}

  get size(): number {
    return this.connections.length;
  }

  /** The one that idles the longest, or null. */
  get oldest(): Connection | null {
    return this.connections[0] ?? null;
  }

  /** The warmest usable connection, or null. */
  take(): Connection | null {
    const connection = this.connections.pop();
    if (connection === undefined) return null;
    this.kept.move(-1);
    connection.wake();
    return connection;
  }

  /** Keeps a connection for up to `idleMs`; closes it when there are `max` already. */
  put(connection: Connection, now: number, idleMs: number, max: number): boolean {
    if (this.closed || this.connections.length >= max || idleMs <= 0) {
      connection.close();
      return false;
    }
    this.connections.push(connection);
    this.kept.move(1);
    connection.idle(now, idleMs, this);
    return true;
  }

  onGone(connection: Connection): void {
    const at = this.connections.indexOf(connection);
    if (at >= 0) {
      this.connections.splice(at, 1);
      this.kept.move(-1);
    }
    this.onClosed();
  }

  /** Closes all idle connections and refuses further ones. */
  close(): void {
    this.closed = true;
    this.kept.move(-this.connections.length);
    for (const connection of this.connections.splice(0)) {
      connection.wake();
      connection.close();
      this.onClosed();
    }
  }
}
