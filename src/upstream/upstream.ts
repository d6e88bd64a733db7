// A group of endpoints that serve the same thing, as one worker sees it.
//
// Holds the endpoints by identity, so that pools and counts survive a new snapshot, and the narrowed list of
// candidates, which is rebuilt only when the snapshot or a verdict on the board changed.

import { UpstreamCell } from "../board/layout.ts";
import type { OwnGauge, OwnRow } from "../board/own.ts";
import { Verdicts } from "../board/verdicts.ts";
import type { EndpointsChange, EndpointSnapshot, UpstreamSettings, UpstreamSnapshot } from "../messages.ts";
import { type Candidates, narrow } from "./candidates.ts";
import { Endpoint, type UpstreamContext } from "./endpoint.ts";
import { isSameTls } from "./tls.ts";

export class Upstream {
  readonly name: string;
  readonly row: number;
  readonly totals: OwnRow;
  readonly inFlight: OwnGauge;
  private endpoints = new Map<string, Endpoint>();
  private narrowed: Candidates<Endpoint> = { endpoints: [], spares: [], panic: false };
  private narrowedVersion = -1;
  private readonly verdicts: Verdicts;

  snapshot: UpstreamSettings;

  constructor(snapshot: UpstreamSnapshot, private readonly context: UpstreamContext) {
    this.snapshot = snapshot;
    this.name = snapshot.name;
    this.row = snapshot.row;
    this.totals = context.own.upstream(snapshot.row);
    this.inFlight = context.own.upstreamInFlight(snapshot.row);
    this.verdicts = new Verdicts(context.own.board);
    this.apply(snapshot);
  }

  /** Takes over a newer snapshot of the same upstream. */
  apply(snapshot: UpstreamSnapshot): void {
    const before = this.endpoints;
    if (!isSameTls(this.snapshot.tls, snapshot.tls)) {
      for (const endpoint of before.values()) endpoint.renew();
    }
    this.snapshot = snapshot;
    this.endpoints = new Map();
    for (const endpoint of snapshot.endpoints) {
      this.endpoints.set(endpoint.id, this.keep(before.get(endpoint.id), endpoint));
    }
    for (const [id, endpoint] of before) {
      if (this.endpoints.get(id) !== endpoint) endpoint.retire();
    }
    this.narrowedVersion = -1;
  }

  /** Takes over what discovery found: those that are not named stay as they are, in their order. */
  change({ left, joined }: EndpointsChange): void {
    const before = left.flatMap((id) => this.endpoints.get(id) ?? []);
    for (const { id } of before) this.endpoints.delete(id);
    const known = new Map(before.map((endpoint) => [endpoint.id, endpoint]));
    for (const snapshot of joined) {
      this.endpoints.set(snapshot.id, this.keep(known.get(snapshot.id), snapshot));
    }
    for (const [id, endpoint] of known) if (this.endpoints.get(id) !== endpoint) endpoint.retire();
    this.narrowedVersion = -1;
  }

  private keep(existing: Endpoint | undefined, snapshot: EndpointSnapshot): Endpoint {
    const same = existing !== undefined && existing.row === snapshot.row &&
      existing.backup === snapshot.backup;
    if (!same) return new Endpoint(snapshot, this.snapshot, this.context);
    // TLS was spoken, and verified, with a server of that name.
    if (existing.snapshot.authority !== snapshot.authority) existing.renew();
    existing.snapshot = snapshot;
    existing.upstream = this.snapshot;
    return existing;
  }

  /** The endpoints that may take a request now; the same object while nothing changed. */
  candidates(): Candidates<Endpoint> {
    const version = this.verdicts.version(this.row);
    if (version !== this.narrowedVersion) {
      this.narrowedVersion = version;
      this.narrowed = narrow([...this.endpoints.values()], this.snapshot);
    }
    return this.narrowed;
  }

  /** The next turn of this upstream, shared by all workers: 0, 1, 2, ... and around after 2^32. */
  turn(): number {
    const { int32, layout } = this.context.own.board;
    return Atomics.add(int32, layout.upstreamCell(this.row, UpstreamCell.turn), 1) >>> 0;
  }

  /** The turn that the next pick gets. */
  get nextTurn(): number {
    const { int32, layout } = this.context.own.board;
    return Atomics.load(int32, layout.upstreamCell(this.row, UpstreamCell.turn)) >>> 0;
  }

  endpoint(id: string): Endpoint | undefined {
    return this.endpoints.get(id);
  }

  all(): readonly Endpoint[] {
    return [...this.endpoints.values()];
  }

  retire(): void {
    for (const endpoint of this.endpoints.values()) endpoint.retire();
  }
}
