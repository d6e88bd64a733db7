// What workers and judges are told, in one order: rows, verdicts, then the snapshot that names them.
//
// Used by `pod.ts` after every change of the configuration and every discovery. A row keeps its meaning
// until every worker has applied a newer snapshot.

import type { Board } from "../board/layout.ts";
import type { Config } from "../config/schema.ts";
import type { HealthMonitor } from "../control/health_monitor.ts";
import { endpointRows, routeRows, type RowAllocator, upstreamRows } from "../control/row_allocator.ts";
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
  private readonly allocators: { upstream: RowAllocator; endpoint: RowAllocator; route: RowAllocator };
  private readonly rows: Rows;

  constructor(
    board: Board,
    private readonly supervisor: Pick<Supervisor, "appliedVersion" | "broadcast">,
    private readonly monitor: Pick<HealthMonitor, "apply" | "applyOne">,
  ) {
    const applied = () => supervisor.appliedVersion();
    const allocators = this.allocators = {
      upstream: upstreamRows(board, applied),
      endpoint: endpointRows(board, applied),
      route: routeRows(board, applied),
    };
    this.rows = {
      upstream: (name) => allocators.upstream.take(name),
      endpoint: (upstream, id) => allocators.endpoint.take(`${upstream} ${id}`),
      route: (name) => allocators.route.take(name),
    };
  }

  /** Counts up with each publication; 0 before the first. */
  get version(): number {
    return this.snapshot?.version ?? 0;
  }

  /** Tells everybody everything. @throws BoardFullError, and then nothing is published */
  publish(config: Config, known: readonly KnownUpstream[], stickyKey: string): void {
    const snapshot = this.orGiveBack(() => snapshotOf(this.version + 1, config, known, stickyKey, this.rows));
    this.monitor.apply(known.map((upstream) => judgedUpstream(upstream, this.rows)));
    this.snapshot = snapshot;
    this.supervisor.broadcast({ kind: "snapshot", snapshot });
    this.freeRows(snapshot);
  }

  /** Tells everybody what discovery found for one upstream. @throws BoardFullError, and then nothing is published */
  publishUpstream(known: KnownUpstream): void {
    if (this.snapshot === null) return;
    const before = this.snapshot.upstreams.find(({ name }) => name === known.name);
    if (before === undefined) return;
    const version = this.version + 1;
    const change = this.orGiveBack(() => endpointsChange(before, known.endpoints, this.rows));
    const upstream = changedUpstream(before, change);
    const upstreams = this.snapshot.upstreams.map((other) => other === before ? upstream : other);
    this.monitor.applyOne(judgedUpstream(known, this.rows));
    this.snapshot = { ...this.snapshot, version, upstreams };
    this.supervisor.broadcast({ kind: "endpoints", version, change });
    this.freeRows(this.snapshot);
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
    const endpoints = upstreams.flatMap(({ name, endpoints }) => endpoints.map(({ id }) => `${name} ${id}`));
    this.allocators.endpoint.keepOnly(new Set(endpoints), version);
    this.allocators.route.keepOnly(new Set(routes.map(({ name }) => name)), version);
  }
}
