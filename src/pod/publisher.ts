// What workers and judges are told, in one order: rows, verdicts, then the snapshot that names them.
//
// Used by `pod.ts` after every change of the configuration and every discovery. A row keeps its meaning
// until every worker has applied a newer snapshot. Endpoints that there is no room for are left out; those that
// serve stay, and the largest upstreams give way.

import { type Board, DEFAULT_CAPACITY } from "../board/layout.ts";
import type { Config } from "../config/schema.ts";
import type { HealthMonitor } from "../control/health_monitor.ts";
import {
  endpointRowId,
  endpointRows,
  routeRows,
  type RowAllocator,
  upstreamRows,
} from "../control/row_allocator.ts";
import type { DiscoveredEndpoint } from "../control/discovery/discovery.ts";
import {
  changedUpstream,
  endpointsChange,
  judgedUpstream,
  type KnownUpstream,
  type Rows,
  snapshotOf,
} from "../control/snapshots.ts";
import type { Supervisor } from "../control/supervisor.ts";
import type { Snapshot } from "../messages.ts";

export class Publisher {
  /** The newest snapshot; null before the first. */
  snapshot: Snapshot | null = null;
  /** How many endpoints of an upstream are left out, where some are. */
  readonly leftOut = new Map<string, number>();
  private readonly allocators: { upstream: RowAllocator; endpoint: RowAllocator; route: RowAllocator };
  private readonly rows: Rows;

  constructor(
    board: Board,
    private readonly supervisor: Pick<Supervisor, "appliedVersion" | "broadcast">,
    private readonly monitor: Pick<HealthMonitor, "apply" | "applyOne">,
    /** Most endpoints at once; the board has rows for more, so that others can leave. */
    readonly endpointsMax: number = DEFAULT_CAPACITY.endpointsMax,
  ) {
    const applied = () => supervisor.appliedVersion();
    const upstream = upstreamRows(board, applied);
    const allocators = this.allocators = {
      upstream,
      endpoint: endpointRows(board, applied, upstream),
      route: routeRows(board, applied),
    };
    this.rows = {
      upstream: (name) => allocators.upstream.take(name),
      endpoint: (upstream, id) => allocators.endpoint.take(endpointRowId(upstream, id)),
      route: (name) => allocators.route.take(name),
    };
  }

  /** Counts up with each publication; 0 before the first. */
  get version(): number {
    return this.snapshot?.version ?? 0;
  }

  /** Tells everybody everything. @throws BoardFullError, and then nothing is published */
  publish(config: Config, all: readonly KnownUpstream[], stickyKey: string): void {
    const leftOut = new Map<string, number>();
    const { known, snapshot } = this.orGiveBack(() => {
      const shares = fairShares(all.map(({ endpoints }) => endpoints.length), this.endpointsMax);
      const known = all.map((upstream, i) => this.fitting(upstream, shares[i]!, leftOut));
      return { known, snapshot: snapshotOf(this.version + 1, config, known, stickyKey, this.rows) };
    });
    this.leftOut.clear();
    for (const [name, count] of leftOut) this.leftOut.set(name, count);
    this.monitor.apply(known.map((upstream) => judgedUpstream(upstream, this.rows)));
    this.snapshot = snapshot;
    this.supervisor.broadcast({ kind: "snapshot", snapshot });
    this.freeRows(snapshot);
  }

  /**
   * Tells everybody what discovery found for one upstream.
   * @returns false, and nothing is published, when there is not room for all: `publish()` shares it out
   */
  publishUpstream(known: KnownUpstream): boolean {
    const before = this.snapshot?.upstreams.find(({ name }) => name === known.name);
    if (this.snapshot === null || before === undefined) return true;
    if (this.leftOut.size > 0 || !this.fits(known)) return false;
    const version = this.version + 1;
    const change = endpointsChange(before, known.endpoints, this.rows);
    const upstream = changedUpstream(before, change);
    const upstreams = this.snapshot.upstreams.map((other) => other === before ? upstream : other);
    this.monitor.applyOne(judgedUpstream(known, this.rows));
    this.snapshot = { ...this.snapshot, version, upstreams };
    this.supervisor.broadcast({ kind: "endpoints", version, change });
    this.freeRows(this.snapshot);
    return true;
  }

  /** Whether an endpoint that was left out may have room now. */
  get hasRoomAgain(): boolean {
    if (this.leftOut.size === 0 || !this.allocators.endpoint.hasRoom) return false;
    return this.snapshot!.upstreams.reduce((sum, { endpoints }) => sum + endpoints.length, 0) <
      this.endpointsMax;
  }

  private fits(known: KnownUpstream): boolean {
    const others = this.snapshot!.upstreams.filter(({ name }) => name !== known.name);
    const leftOut = new Map<string, number>();
    this.fitting(
      known,
      this.endpointsMax - others.reduce((sum, { endpoints }) => sum + endpoints.length, 0),
      leftOut,
    );
    return leftOut.size === 0;
  }

  /** The upstream with those endpoints that have a row, `endpointsMax` at most; notes how many do not. */
  private fitting(known: KnownUpstream, endpointsMax: number, leftOut: Map<string, number>): KnownUpstream {
    const { name, endpoints } = known;
    const chosen = new Set<string>();
    const wanted = endpoints.length <= endpointsMax ? endpoints : this.byPrecedence(known);
    for (const { id } of wanted) {
      if (chosen.size === endpointsMax) break;
      if (this.allocators.endpoint.tryTake(endpointRowId(name, id)) !== null) chosen.add(id);
    }
    if (chosen.size === endpoints.length) return known;
    leftOut.set(name, endpoints.length - chosen.size);
    return { ...known, endpoints: endpoints.filter(({ id }) => chosen.has(id)) };
  }

  /** Those that serve already, then primaries, then backups. */
  private byPrecedence({ name, endpoints }: KnownUpstream): readonly DiscoveredEndpoint[] {
    const upstream = this.snapshot?.upstreams.find((upstream) => upstream.name === name);
    const serving = new Set(upstream?.endpoints.map(({ id }) => id));
    const rank = ({ id, backup }: DiscoveredEndpoint) => serving.has(id) ? 0 : backup ? 2 : 1;
    return endpoints.toSorted((a, b) => rank(a) - rank(b));
  }

  /** What `take` makes; where the board is too full for it, the rows that it took are given back. */
  private orGiveBack<T>(take: () => T): T {
    try {
      return take();
    } catch (error) {
      if (this.snapshot !== null) this.freeRows(this.snapshot);
      throw error;
    }
  }

  /** Rows of what is no more may be used again once no worker knows of it. */
  private freeRows({ upstreams, routes, version }: Snapshot): void {
    this.allocators.upstream.keepOnly(new Set(upstreams.map(({ name }) => name)), version);
    const endpoints = upstreams.flatMap(({ name, endpoints }) =>
      endpoints.map(({ id }) => endpointRowId(name, id))
    );
    this.allocators.endpoint.keepOnly(new Set(endpoints), version);
    this.allocators.route.keepOnly(new Set(routes.map(({ name }) => name)), version);
  }
}

/** What each may have of `room`: all that it wants, but where that is too much the largest have the same. */
export function fairShares(wanted: readonly number[], room: number): number[] {
  const shares = new Array<number>(wanted.length).fill(0);
  const smallestFirst = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  smallestFirst.forEach((i, done) => {
    shares[i] = Math.min(wanted[i]!, Math.floor(room / (wanted.length - done)));
    room -= shares[i]!;
  });
  return shares;
}
