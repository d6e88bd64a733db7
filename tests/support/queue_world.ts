// What happens to an upstream of up to three endpoints and to those that wait for room there, step by step, whichever
// queue they wait in: two worlds that the same happens to come to the same.

import type { Balancer, Candidate, PickContext } from "../../src/balance/balancer.ts";
import { Board } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { EndpointState, Verdicts } from "../../src/board/verdicts.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { UpstreamSnapshot } from "../../src/messages.ts";
import type { Group } from "../../src/proxy/group.ts";
import type { NoLease, PendingQueue } from "../../src/proxy/pending_queue.ts";
import { Selection } from "../../src/proxy/selection.ts";
import type { TimerWheel } from "../../src/timer_wheel.ts";
import type { Lease } from "../../src/upstream/lease.ts";
import { Pools } from "../../src/upstream/pools.ts";
import { Upstream } from "../../src/upstream/upstream.ts";
import { snapshotOf } from "./loop.ts";
import { StillTime } from "./still_time.ts";

/** What of a queue the requests and the proxy use. */
export type Queue = Pick<PendingQueue, "size" | "letsPass" | "wait" | "leave" | "poke">;
type MakeQueue = (own: OwnColumn, row: number, wheel: TimerWheel) => Queue;

const ROW = 0;
const ENDPOINTS = 3;
const STATES = [0, 0, EndpointState.ejected, EndpointState.draining, EndpointState.leaving];

/** The one with the fewest requests, of equals the first: no chance in it. */
function fewest<C extends Candidate>(candidates: readonly C[]): C {
  return candidates.reduce((best, each) => each.inFlight() < best.inFlight() ? each : best);
}
const balancer: Balancer = { pick: fewest, pickOther: fewest };

interface Request {
  readonly name: number;
  readonly selection: Selection;
  lease: Lease | null;
  waits: boolean;
}

/** What happens, and to which: each kind takes of `which` and `how` what it needs. */
export interface Step {
  readonly what: keyof World["steps"];
  readonly which: number;
  readonly how: number;
}

export class World {
  readonly board = Board.create({
    columnsMax: 3,
    upstreamsMax: 1,
    endpointsMax: 2 * ENDPOINTS,
    routesMax: 1,
    rateSlotsMax: 1,
  });
  readonly queue: Queue;
  /** What requests came to, in that order. */
  readonly came: string[] = [];
  private readonly time = new StillTime(1_000);
  private readonly group: Group;
  /** The upstream as another worker has it, where nobody waits by a queue. */
  private readonly other: Upstream;
  private readonly otherLeases: Lease[] = [];
  private readonly requests: Request[] = [];
  private snapshot: UpstreamSnapshot;

  constructor(makeQueue: MakeQueue, whenAllUnhealthy: "panic" | "fail") {
    const urls = Array.from({ length: ENDPOINTS }, (_, i) => `http://127.0.0.1:${i + 1}`);
    const limits = { inFlightPerEndpointMax: 1, queueMax: 12, queueTimeoutMs: 1_000 };
    this.snapshot = snapshotOf(configSchema.parse({
      upstreams: { default: { endpoints: urls, limits, whenAllUnhealthy } },
    })).upstreams[0]!;
    const upstreamOf = (column: number) =>
      new Upstream(this.snapshot, {
        own: new OwnColumn(this.board, column),
        wheel: this.time.wheel,
        pools: new Pools(),
        now: () => this.time.now,
      });
    this.other = upstreamOf(2);
    this.queue = makeQueue(new OwnColumn(this.board, 1), ROW, this.time.wheel);
    this.group = {
      upstream: upstreamOf(1),
      balancer,
      queue: this.queue,
      sticky: { endpointOf: ([id]: string[]) => id },
    } as unknown as Group;
  }

  readonly steps = {
    comes: (which: number) => {
      const headers = which < 2 * ENDPOINTS ? [this.idOf(which % ENDPOINTS)] : [];
      const selection = new Selection(this.group, { head: { headers } } as unknown as PickContext);
      const request = { name: this.requests.length, selection, lease: null, waits: false };
      this.requests.push(request);
      this.begin(request);
    },
    triesAgain: (which: number, how: number) => {
      const request = this.pick(({ lease }) => lease !== null, which);
      if (request === undefined) return;
      this.release(request);
      if (how % 2 === 0) request.selection.wasStale(2);
      this.begin(request);
    },
    ends: (which: number) => {
      const request = this.pick(({ lease }) => lease !== null, which);
      if (request !== undefined) this.release(request);
    },
    leaves: (which: number) => this.pick(({ waits }) => waits, which)?.selection.leave(),
    isJudged: (which: number, how: number) => {
      const row = this.snapshot.endpoints[which % ENDPOINTS]?.row ?? 0;
      new Verdicts(this.board).write(ROW, row, STATES[how % STATES.length]!, 1_000);
    },
    isLimited: (which: number, how: number) => {
      const { limits } = this.snapshot;
      this.apply({ limits: { ...limits, inFlightPerEndpointMax: which % 3, queueMax: how * 2 } });
    },
    /** It goes, comes, or is another from now on, at another place on the board. */
    isReplaced: (which: number, how: number) => {
      const index = which % ENDPOINTS;
      const id = this.idOf(index);
      const before = this.snapshot.endpoints.find((endpoint) => endpoint.id === id);
      const rest = this.snapshot.endpoints.filter((endpoint) => endpoint.id !== id);
      if (before !== undefined && how % 2 === 0) return this.apply({ endpoints: rest });
      const row = before === undefined || before.row >= ENDPOINTS ? index : index + ENDPOINTS;
      const endpoint = {
        ...before ?? rest[0] ?? this.snapshot.endpoints[0]!,
        id,
        row,
        backup: how % 4 === 3,
      };
      this.apply({ endpoints: [...rest, endpoint] });
    },
    /** Another worker. */
    isTaken: (which: number) => {
      const lease = this.other.endpoint(this.idOf(which % ENDPOINTS))?.lease() ?? null;
      if (lease !== null) this.otherLeases.push(lease);
    },
    isGivenBack: (which: number) => {
      this.otherLeases.splice(which % Math.max(this.otherLeases.length, 1), 1)[0]?.release(true);
    },
    /** In another worker. */
    waitsToo: (which: number) => {
      const gauge = new OwnColumn(this.board, 2).upstreamWaiting(ROW);
      gauge.add(which % 2 === 0 || gauge.value === 0 ? 1 : -1);
    },
    timePasses: (which: number) => void this.time.pass(which * 100),
  };

  /** Who waits, and for which endpoint, who is served, and how many of each there are on the board. */
  get state(): unknown {
    const rows = this.requests.map(({ lease, waits, name, selection }) =>
      waits ? [name, "waits", selection.waitsFor?.row] : [name, "is served", lease?.endpoint.row]
    );
    const inFlight = Array.from({ length: 2 * ENDPOINTS }, (_, row) => this.board.endpointInFlight(row));
    return [this.came, rows, inFlight, this.queue.size, this.board.upstreamWaiting(ROW)];
  }

  /** All leave. */
  end(): void {
    for (const { selection } of this.requests) selection.leave();
  }

  private idOf(index: number): string {
    return `http://127.0.0.1:${index + 1}`;
  }

  private pick(of: (request: Request) => boolean, which: number): Request | undefined {
    const some = this.requests.filter(of);
    return some[which % Math.max(some.length, 1)];
  }

  private begin(request: Request): void {
    const claim = request.selection.next();
    if (claim !== "full") return this.comeTo(request, claim);
    request.waits = true;
    request.selection.waitForRoom(Infinity).then((result) => this.comeTo(request, result));
  }

  private comeTo(request: Request, result: Lease | NoLease): void {
    request.waits = false;
    request.lease = typeof result === "string" ? null : result;
    this.came.push(`${request.name} ${typeof result === "string" ? result : result.endpoint.id}`);
  }

  private release(request: Request): void {
    request.lease!.release(true);
    request.lease = null;
  }

  private apply(changed: Partial<UpstreamSnapshot>): void {
    this.snapshot = { ...this.snapshot, ...changed };
    for (const upstream of [this.group.upstream, this.other]) upstream.apply(this.snapshot);
    this.queue.poke();
  }
}
