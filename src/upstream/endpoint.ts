// One address of an upstream, as one worker sees it: its pool, its counts, its place on the board.
//
// Taking a lease counts a request in flight there, pod-wide; giving it back, at the end of the body, counts
// it out and keeps the connection if it is clean. Judging the endpoint is the control plane's business.

import { Bell } from "../board/bell.ts";
import { EndpointField } from "../board/fields.ts";
import { EndpointCell } from "../board/layout.ts";
import { failureSampleMs, type MovingLatency, nextCostMs } from "../board/moving_latency.ts";
import type { OwnColumn, OwnGauge, OwnRow } from "../board/own.ts";
import { IN_A_ROW_MAX, Verdicts } from "../board/verdicts.ts";
import type { EndpointSnapshot, UpstreamSettings } from "../messages.ts";
import type { TimerWheel } from "../timer_wheel.ts";
import { Connection } from "./connection.ts";
import { dial, type DialLimits } from "./dial.ts";
import { IdleLimit } from "./idle_limit.ts";
import { Lease } from "./lease.ts";
import { Pool } from "./pool.ts";
import type { Pools } from "./pools.ts";
import type { TlsHistory } from "./tls_silence.ts";

/** What a worker lends to all its endpoints. */
export interface UpstreamContext {
  readonly own: OwnColumn;
  readonly wheel: TimerWheel;
  readonly pools: Pools;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export class Endpoint {
  readonly id: string;
  readonly row: number;
  readonly backup: boolean;
  readonly totals: OwnRow;
  private readonly verdicts: Verdicts;
  private readonly inFlightOwn: OwnGauge;
  private readonly pool: Pool;
  private readonly bell: Bell;
  readonly idleLimit: IdleLimit;
  private readonly tlsHistory: TlsHistory = { silent: false };
  private retired = false;
  /** Connections that were begun until then serve no further request, monotonic milliseconds. */
  private renewedAt = -Infinity;

  constructor(
    public snapshot: EndpointSnapshot,
    public upstream: UpstreamSettings,
    private readonly context: UpstreamContext,
  ) {
    const { own } = context;
    this.id = snapshot.id;
    this.row = snapshot.row;
    this.backup = snapshot.backup;
    this.totals = own.endpoint(snapshot.row);
    this.inFlightOwn = own.endpointInFlight(snapshot.row);
    this.verdicts = new Verdicts(own.board);
    this.bell = new Bell(own.board, upstream.row);
    this.idleLimit = new IdleLimit(own.board, snapshot.row);
    this.pool = new Pool(() => this.countClosed(), own.endpointIdle(snapshot.row));
    context.pools.add(this.pool);
  }

  /** EndpointState bits. */
  get state(): number {
    return this.verdicts.state(this.row);
  }

  /** What it has of its configured weight now. */
  get weight(): number {
    return this.verdicts.weightNow(this.row, this.snapshot.weight);
  }

  /** Requests in flight there, pod-wide. */
  inFlight(): number {
    return this.context.own.board.endpointInFlight(this.row);
  }

  /** What `Host` says to it: the client's authority, its own, or a fixed one. */
  hostFor(clientAuthority: string): string {
    const { hostHeader } = this.upstream;
    if (hostHeader === "client") return clientAuthority;
    return hostHeader === "endpoint" ? this.snapshot.authority : hostHeader.substring(1);
  }

  /** Whether it is at its limit (pod-wide): there is no place for one more request. */
  get isFull(): boolean {
    return this.isLimited && !this.holds(1);
  }

  /** Claims a place for one request; null when the endpoint is at its limit (pod-wide). */
  lease(): Lease | null {
    if (!this.isLimited) this.inFlightOwn.move(1);
    else {
      this.inFlightOwn.add(1);
      // Add, then sum: two workers that check first could both pass.
      if (!this.holds(0)) {
        this.inFlightOwn.add(-1);
        // Two that race for one place may both have withdrawn, and both wait. Who rings for less rings for itself.
        if (this.holds(1)) this.bell.ringIfAwaited();
        return null;
      }
    }
    return new Lease(this);
  }

  private countOut(): void {
    if (!this.isLimited && !this.retired) return this.inFlightOwn.move(-1);
    this.inFlightOwn.add(-1);
    // Whoever has taken its place on the board has its own limit.
    if (this.retired || this.holds(1)) this.bell.ringIfAwaited();
  }

  private get isLimited(): boolean {
    return this.upstream.limits.inFlightPerEndpointMax > 0;
  }

  /** Whether `more` requests beside those in flight are within the limit. */
  private holds(more: number): boolean {
    return this.inFlight() + more <= this.upstream.limits.inFlightPerEndpointMax;
  }

  /** The warmest kept connection that may still be used. */
  takeIdle(now: number): Connection | null {
    while (true) {
      const connection = this.pool.take();
      if (connection === null) return null;
      if (!connection.usable) continue;
      // The limit may have been learned while it idled.
      const fresh = now - connection.idleSince < this.idleLimitMs();
      const { openedAt } = connection;
      if (fresh && openedAt > this.renewedAt && now - openedAt < this.upstream.pool.lifetimeMs) {
        this.totals.add(EndpointField.connectionsReused);
        return connection;
      }
      this.closeConnection(connection);
    }
  }

  /** Opens a connection. @throws DialError */
  async open(limits: DialLimits): Promise<Connection> {
    const { wheel, now, pools } = this.context;
    const begunAt = now();
    const inputs = { wheel, pools, history: this.tlsHistory };
    const conn = await dial(this.snapshot, this.upstream.tls, limits, inputs);
    this.totals.add(EndpointField.connectionsOpened);
    return new Connection(conn, wheel, begunAt);
  }

  giveBack(connection: Connection | null, clean: boolean): void {
    this.countOut();
    if (connection === null) return;
    connection.countBytes(this.totals);
    // Bytes that no message owns: what comes next could be taken for an answer (RFC 9112 9.2).
    if (!clean || !connection.usable || connection.inlet.available > 0) {
      return this.closeConnection(connection);
    }
    const { idlePerEndpointMax } = this.upstream.pool;
    const kept = this.pool.put(connection, connection.now, this.idleLimitMs(), idlePerEndpointMax);
    if (!kept) this.countClosed();
  }

  closeConnection(connection: Connection): void {
    connection.close();
    this.countClosed();
  }

  private countClosed(): void {
    this.totals.add(EndpointField.connectionsClosed);
  }

  /** How long a connection to it may idle, as far as that is learned. */
  private idleLimitMs(): number {
    return this.idleLimit.ms(this.upstream.pool.idleMs);
  }

  /** An answer's head came after `ms`, or would not have come before. @param now monotonic milliseconds */
  observeLatency(ms: number, now: number): void {
    const cells = this.context.own.board.float64;
    const cell = this.ewmaCell;
    const before = { costMs: cells[cell]!, atMs: cells[cell + 1]! };
    cells[cell] = nextCostMs(before, ms, now, this.upstream.balance.decayMs);
    cells[cell + 1] = now;
  }

  /** No answer came, and that took `ms`. @param now monotonic milliseconds */
  observeFailure(ms: number, now: number): void {
    this.observeLatency(failureSampleMs(this.knownLatency(), ms), now);
  }

  /** This worker's part of its latency. */
  private get ewmaCell(): number {
    const { own } = this.context;
    return own.board.layout.ewmaCell(own.column, this.row);
  }

  /** What this worker has measured, or, where that is nothing, the others. */
  private knownLatency(): MovingLatency {
    const { float64 } = this.context.own.board;
    const own = { costMs: float64[this.ewmaCell]!, atMs: float64[this.ewmaCell + 1]! };
    return own.costMs > 0 ? own : this.latency();
  }

  /** Latency over all workers, each worker's part weighing by how fresh it is. */
  latency(): MovingLatency {
    const { own, now } = this.context;
    const { layout, float64 } = own.board;
    let cost = 0;
    let weights = 0;
    let atMs = 0;
    for (let column = 0; column < layout.capacity.columnsMax; column++) {
      const cell = layout.ewmaCell(column, this.row);
      const at = float64[cell + 1]!;
      if (at === 0) continue;
      const weight = Math.exp(-Math.max(0, now() - at) / this.upstream.balance.decayMs) + 1e-9;
      cost += float64[cell]! * weight;
      weights += weight;
      if (at > atMs) atMs = at;
    }
    return { costMs: weights === 0 ? 0 : cost / weights, atMs };
  }

  /** Counts towards, or clears, the failures in a row that the control plane ejects for. */
  countGatewayResult(failed: boolean): void {
    const { int32, layout } = this.context.own.board;
    const cell = layout.endpointCell(this.row, EndpointCell.consecutiveFailures);
    if (failed) {
      if (Atomics.load(int32, cell) < IN_A_ROW_MAX) Atomics.add(int32, cell, 1);
      this.totals.add(EndpointField.gatewayFailures);
    } else if (Atomics.load(int32, cell) !== 0) Atomics.store(int32, cell, 0);
  }

  /** No connection that is open or opening by now serves another request: other settings made it. */
  renew(): void {
    this.renewedAt = this.context.now();
  }

  /** Left the group: no idle connection stays, what is in flight finishes. */
  retire(): void {
    this.retired = true;
    this.pool.close();
    this.context.pools.remove(this.pool);
  }
}
