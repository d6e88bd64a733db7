// The connections of one wire listener: how many, which idle the longest, and whose time is up.
//
// One sweep looks at every connection's deadlines, a few times within the shortest of them, so that a request
// arms no timer: it writes a number. Deadlines therefore come a little late, never early.
//
// Connections stand in lists that are linked through themselves, since they come and go: see
// docs/decisions/functions_in_fields.md for what a Set costs then.

import type { ListenConfig } from "../config/schema.ts";
import type { Idler } from "../http1/idler.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { type Linked, LinkedList } from "./linked_list.ts";

/** A connection as the table sees it. */
export interface Tabled extends Idler, Linked<Tabled> {
  /** Address that counts for the limit per address; null for a proxy's connection, which none counts for. */
  address: string | null;
  idle: boolean;
  /** Exact for one that has sent nothing; may be a little early for others. */
  idleSince: number;
  /** Called by the sweep with the table's clock. */
  checkDeadlines(clock: number): void;
  /** Weir leaves: it ends after a last call. */
  drain(): void;
  /** Ends it without an answer. */
  close(): void;
}

const SWEEP_MS_MIN = 10;
const SWEEP_MS_MAX = 1_000;
/** Sweeps within the shortest deadline. */
const SWEEPS = 4;

export class WireTable {
  /** Monotonic milliseconds at the last sweep: what connections reckon deadlines with. */
  clock = 0;
  readonly sweepMs: number;
  size = 0;
  private readonly perAddress = new Map<string, number>();
  /** Each connection stands in one of the two. */
  private readonly idlers = new LinkedList<Tabled>();
  private readonly active = new LinkedList<Tabled>();
  private readonly timer: Timer;

  constructor(
    private readonly config: ListenConfig,
    readonly wheel: TimerWheel,
    /** One came (1) or left (-1). */
    private readonly onChange: (change: 1 | -1) => void,
  ) {
    const shortest = Math.min(config.headReadMs, config.keepAliveIdleMs);
    this.sweepMs = Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, Math.floor(shortest / SWEEPS)));
    this.timer = new Timer(() => this.sweep());
  }

  /** The connection that idles the longest. */
  get oldest(): Idler | null {
    return this.idlers.oldest;
  }

  /** A deadline `ms` from now. */
  after(ms: number): number {
    return this.clock + ms + this.sweepMs;
  }

  /** Makes room for one more from `address`, at the cost of who idles the longest; false when there is none. */
  admits(address: string | null): boolean {
    if (!this.hasRoomFor(address)) return false;
    return this.size < this.config.connectionsMax || this.closeOldestIdle();
  }

  /** A connection without an address turns out to be one of `address`; false when that has no room for it. */
  name(connection: Tabled, address: string | null): boolean {
    if (!this.hasRoomFor(address)) return false;
    connection.address = address;
    this.count(address, 1);
    return true;
  }

  /** Makes room for one more of the address, at the cost of its own. */
  private hasRoomFor(address: string | null): boolean {
    const { connectionsPerAddressMax } = this.config;
    if (address === null || connectionsPerAddressMax === 0) return true;
    return (this.perAddress.get(address) ?? 0) < connectionsPerAddressMax || this.closeOldestIdle(address);
  }

  private count(address: string | null, change: 1 | -1): void {
    if (address === null || this.config.connectionsPerAddressMax === 0) return;
    const connections = (this.perAddress.get(address) ?? 0) + change;
    if (connections === 0) this.perAddress.delete(address);
    else this.perAddress.set(address, connections);
  }

  /** Closes the connection that idles the longest, of one address or of all; false when none idles. */
  closeOldestIdle(address?: string): boolean {
    let victim = this.idlers.oldest;
    while (victim !== null && address !== undefined && victim.address !== address) victim = victim.newer;
    victim?.close();
    return victim !== null;
  }

  add(connection: Tabled): void {
    // Looked at for each, so that the wheel's is recent as this one begins to idle.
    const { now } = this.wheel;
    if (this.size === 0) {
      this.clock = now;
      this.wheel.arm(this.timer, this.sweepMs);
    }
    this.size++;
    this.active.add(connection);
    this.onChange(1);
    this.count(connection.address, 1);
  }

  remove(connection: Tabled): void {
    this.busy(connection);
    if (!this.active.remove(connection)) return;
    this.size--;
    this.count(connection.address, -1);
    if (this.size === 0) this.wheel.remove(this.timer);
    this.onChange(-1);
  }

  /** It has nothing to do from now on. */
  idle(connection: Tabled): void {
    if (connection.idle) return;
    this.active.remove(connection);
    connection.idle = true;
    connection.idleSince = this.wheel.recent;
    this.idlers.add(connection);
  }

  /** It has something to do. */
  busy(connection: Tabled): void {
    if (!connection.idle) return;
    this.idlers.remove(connection);
    connection.idle = false;
    this.active.add(connection);
  }

  private sweep(): void {
    this.clock = this.wheel.now;
    this.forEach((connection) => connection.checkDeadlines(this.clock));
    if (this.size > 0) this.wheel.arm(this.timer, this.sweepMs);
  }

  /** Each connection once; they may leave meanwhile. */
  forEach(visit: (connection: Tabled) => void): void {
    for (const connection of [...this.idlers, ...this.active]) visit(connection);
  }
}
