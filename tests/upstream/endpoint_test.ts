import { assertEquals, assertRejects } from "@std/assert";
import { Bell } from "../../src/board/bell.ts";
import { EndpointField } from "../../src/board/fields.ts";
import { Board, EndpointCell } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { Verdicts } from "../../src/board/verdicts.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { Connection, ConnectionKeeper } from "../../src/upstream/connection.ts";
import { DialError } from "../../src/upstream/dial.ts";
import { Endpoint } from "../../src/upstream/endpoint.ts";
import { type IdleKeeper, Pools } from "../../src/upstream/pools.ts";
import { snapshotOf } from "../support/loop.ts";
import { StillTime } from "../support/still_time.ts";

/** Counts who keeps connections that may make room. */
class CountedPools extends Pools {
  keepers = 0;

  override add(keeper: IdleKeeper): void {
    super.add(keeper);
    this.keepers++;
  }

  override remove(keeper: IdleKeeper): void {
    super.remove(keeper);
    this.keepers--;
  }
}

/** One endpoint as each of two workers sees it, and a clock that they share; `written` is of its upstream. */
function twoWorkers(written: Record<string, unknown> = {}) {
  const board = Board.create({
    columnsMax: 3,
    upstreamsMax: 1,
    endpointsMax: 1,
    routesMax: 1,
    rateSlotsMax: 1,
  });
  const clock = new StillTime(1_000);
  const config = configSchema.parse({
    upstreams: { default: { endpoints: ["http://127.0.0.1:1"], ...written } },
  });
  const [upstream] = snapshotOf(config).upstreams;
  const pools = new CountedPools();
  const workers = [1, 2].map((column) =>
    new Endpoint(upstream!.endpoints[0]!, upstream!, {
      own: new OwnColumn(board, column),
      wheel: clock.wheel,
      pools,
      now: () => clock.now,
      random: () => 0,
    })
  );
  const totals = new Totals(board);
  const total = (field: keyof typeof EndpointField) => totals.endpoint(0, EndpointField[field]);
  /** The part of the endpoint's latency that the first worker has measured. */
  const ownCost = () => board.float64[board.layout.ewmaCell(1, 0)];
  return { board, clock, ownCost, pools, total, first: workers[0]!, second: workers[1]! };
}

Deno.test("Endpoint.observeFailure() takes an endpoint that never answered for a slow one", () => {
  const { clock, first } = twoWorkers();
  first.observeFailure(0.3, clock.now);
  assertEquals(first.latency().costMs, 1_000);
});

Deno.test("Endpoint.observeFailure() goes by what another worker knows", () => {
  const { clock, first, second } = twoWorkers();
  first.observeLatency(10, clock.now);
  second.observeFailure(0.3, clock.now);
  // The mean of 10 and of twice that.
  assertEquals(second.latency().costMs, 15);
});

Deno.test("Endpoint.latency() weighs what each worker knows by how fresh it is", () => {
  const { clock, first, second } = twoWorkers({ balance: { decayMs: 1_000 } });
  first.observeLatency(10, 1_000);
  second.observeLatency(40, 3_000);
  clock.now = 3_000;
  const [old, fresh] = [Math.exp(-2), 1];
  const { costMs, atMs } = first.latency();
  assertEquals(costMs.toFixed(6), ((10 * old + 40 * fresh) / (old + fresh)).toFixed(6));
  assertEquals(atMs, 3_000);
  // Long after, neither counts for nothing.
  clock.now = 1e9;
  assertEquals(first.latency().costMs.toFixed(6), "25.000000");
});

Deno.test("Endpoint.observeLatency() moves what this worker knows by how long ago it was measured", () => {
  const { clock, first, ownCost, second } = twoWorkers({ balance: { decayMs: 1_000 } });
  second.observeLatency(500, 1_000);
  first.observeLatency(40, 1_000);
  clock.now = 2_000;
  first.observeLatency(10, 2_000);
  assertEquals(ownCost(), 10 + 30 * Math.exp(-1));
});

Deno.test("Endpoint.observeFailure() goes by what this worker has measured itself, however little", () => {
  const { clock, first, ownCost, second } = twoWorkers();
  second.observeLatency(500, clock.now);
  first.observeLatency(0.5, clock.now);
  first.observeFailure(0.1, clock.now);
  assertEquals(ownCost(), 1);
});

Deno.test("Endpoint.latency() is as old as the latest of what the workers know", () => {
  for (const times of [[1_000, 3_000], [3_000, 1_000]] as const) {
    const { first, second } = twoWorkers();
    first.observeLatency(10, times[0]);
    second.observeLatency(10, times[1]);
    assertEquals(first.latency().atMs, 3_000);
  }
});

/** A connection that has served a request. */
class Served {
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

/** A connection as an exchange leaves it behind -> whether it is kept for the next one. */
const left: Record<string, readonly [kept: boolean, clean: boolean, state?: Partial<Served>]> = {
  "that ended where it should": [true, true],
  "that did not": [false, false],
  "that the endpoint has closed": [false, true, { usable: false }],
  "with a byte that no message owns": [false, true, { inlet: { available: 1 } }],
};

for (const [what, [kept, clean, state]] of Object.entries(left)) {
  Deno.test(`Endpoint ${kept ? "keeps" : "closes"} the connection of an exchange ${what}`, () => {
    const { first, total } = twoWorkers();
    const lease = first.lease()!;
    const connection = Object.assign(new Served(), state);
    lease.connection = connection.asConnection;
    lease.release(clean);
    lease.release(clean);
    assertEquals([first.inFlight(), connection.counted, lease.over], [0, 1, true]);
    assertEquals([connection.closed, total("connectionsClosed")], [!kept, kept ? 0 : 1]);
    const next = first.lease()!;
    assertEquals(next.takeKept(1_400) === connection.asConnection, kept);
    assertEquals(
      [next.reused, next.idleMs, total("connectionsReused")],
      kept ? [true, 400, 1] : [false, 0, 0],
    );
  });
}

Deno.test("Endpoint counts a connection that it has no room to keep, and one that ends while it idles", () => {
  const { first, total } = twoWorkers({ pool: { idlePerEndpointMax: 1 } });
  const [one, two] = [new Served(), new Served()];
  for (const connection of [one, two]) first.giveBack(connection.asConnection, true);
  assertEquals([one.closed, two.closed, total("connectionsClosed")], [false, true, 1]);
  one.keeper!.onGone(one.asConnection);
  assertEquals(total("connectionsClosed"), 2);
});

const pool = { idleMs: 500, lifetimeMs: 2_000 };
for (
  const [what, now, openedAt, taken] of [
    ["within both limits", 1_499, 0, true],
    ["idle for too long", 1_500, 0, false],
    ["of age", 1_499, -501, false],
    ["a moment before it is of age", 1_498, -501, true],
  ] as const
) {
  Deno.test(`Endpoint.takeIdle() of a connection ${what}`, () => {
    const { first, total } = twoWorkers({ pool });
    const connection = new Served(openedAt);
    first.giveBack(connection.asConnection, true);
    assertEquals(first.takeIdle(now) === connection.asConnection, taken);
    assertEquals([connection.closed, total("connectionsClosed")], [!taken, taken ? 0 : 1]);
  });
}

Deno.test("Endpoint.takeIdle() passes over what has ended and what has idled for too long", () => {
  const { first, total } = twoWorkers();
  const [fresh, old, dead] = [new Served(), new Served(), new Served()];
  for (const connection of [fresh, old, dead]) first.giveBack(connection.asConnection, true);
  fresh.idleSince = 1_900;
  // Learned while they idled.
  first.idleLimit.learnFromHeader(2_000);
  dead.usable = false;
  assertEquals(first.takeIdle(2_000) === fresh.asConnection, true);
  assertEquals([old.closed, total("connectionsClosed"), total("connectionsReused")], [true, 1, 1]);
});

Deno.test("Endpoint.retire() closes and counts what idles, and what is given back later", () => {
  const { first, total } = twoWorkers();
  const [idling, late] = [new Served(), new Served()];
  first.giveBack(idling.asConnection, true);
  first.retire();
  first.giveBack(late.asConnection, true);
  assertEquals([idling.closed, late.closed, first.takeIdle(1_000)], [true, true, null]);
  assertEquals(total("connectionsClosed"), 2);
});

Deno.test("Endpoint.retire() has nothing left of it among what may make room", () => {
  const { first, pools } = twoWorkers();
  first.giveBack(new Served().asConnection, true);
  assertEquals(pools.keepers, 2);
  first.retire();
  assertEquals([pools.keepers, pools.makeRoom()], [1, null]);
});

Deno.test("Endpoint is a backup as its snapshot says", () => {
  for (const backup of [false, true]) {
    assertEquals(twoWorkers({ endpoints: [{ url: "http://127.0.0.1:1", backup }] }).first.backup, backup);
  }
});

Deno.test("Endpoint.lease() keeps to the limit over all workers, and rings when there is room for who waits", () => {
  const { board, first, second } = twoWorkers({ limits: { inFlightPerEndpointMax: 2 } });
  const bell = new Bell(board, 0);
  const one = first.lease()!;
  assertEquals([first.isFull, second.isFull], [false, false]);
  const two = second.lease()!;
  assertEquals([first.isFull, second.isFull], [true, true]);
  assertEquals([first.lease(), second.lease(), first.inFlight()], [null, null, 2]);
  one.release(false);
  assertEquals([bell.count, first.inFlight()], [0, 1], "nobody waits");
  Atomics.add(board.int32, board.layout.upstreamWaitingCell(0, 1), 1);
  const three = first.lease()!;
  for (const lease of [two, three]) lease.release(false);
  assertEquals([bell.count, first.inFlight()], [2, 0]);
});

Deno.test("Endpoint.lease() without a limit counts, and rings for nobody", () => {
  const { board, first, second } = twoWorkers({ limits: { inFlightPerEndpointMax: 0 } });
  Atomics.add(board.int32, board.layout.upstreamWaitingCell(0, 1), 1);
  const leases = [first.lease()!, second.lease()!, second.lease()!];
  assertEquals([first.inFlight(), first.isFull], [3, false]);
  for (const lease of leases) lease.release(false);
  assertEquals([first.inFlight(), new Bell(board, 0).count], [0, 0]);
});

for (const limit of [0, 1]) {
  Deno.test(`Endpoint that has left with a limit of ${limit} rings for who waits by another limit`, () => {
    const { board, first } = twoWorkers({ limits: { inFlightPerEndpointMax: limit } });
    const lease = first.lease()!;
    first.retire();
    const { int32, layout } = board;
    // Its successor has the same place, where another request is in flight.
    Atomics.add(int32, layout.endpointInFlightCell(0, 2), 1);
    Atomics.add(int32, layout.upstreamWaitingCell(0, 2), 1);
    lease.release(false);
    assertEquals([first.inFlight(), new Bell(board, 0).count], [1, 1]);
  });
}

Deno.test("Lease.takeKept() leaves kept connections alone when it is to dial anew", () => {
  const { first } = twoWorkers();
  first.giveBack(new Served().asConnection, true);
  const lease = first.lease()!;
  lease.dialsAnew = true;
  assertEquals([lease.takeKept(1_000), lease.reused], [null, false]);
});

Deno.test("Lease.open() closes the connection of a request that ended meanwhile", async () => {
  const { first, total } = twoWorkers();
  const connection = new Served();
  const dialled = Promise.withResolvers<Connection>();
  first.open = () => dialled.promise;
  const lease = first.lease()!;
  const opening = lease.open({ connectMs: 1, tlsHandshakeMs: 1 });
  lease.release(false);
  dialled.resolve(connection.asConnection);
  const error = await assertRejects(() => opening, DialError, "ended while it was connecting");
  assertEquals([error.kind, connection.closed, total("connectionsClosed"), first.inFlight()], [
    "local",
    true,
    1,
    0,
  ]);
});

Deno.test("Endpoint.weight is what is configured, times its share in slow start", () => {
  const { board, first } = twoWorkers({ endpoints: [{ url: "http://127.0.0.1:1", weight: 10 }] });
  const verdicts = new Verdicts(board);
  const weights = [0, 1, 250, 999, 1_000].map((permille) => {
    verdicts.write(0, 0, 0, permille);
    return first.weight;
  });
  assertEquals(weights, [10, 0.01, 2.5, 9.99, 10]);
});

for (
  const [hostHeader, expected] of [
    [undefined, "shop.example"],
    ["endpoint", "127.0.0.1:1"],
    ["=inner.example", "inner.example"],
  ] as const
) {
  Deno.test(`Endpoint.hostFor() with hostHeader ${hostHeader ?? "client"}`, () => {
    const { first } = twoWorkers(hostHeader === undefined ? {} : { hostHeader });
    assertEquals(first.hostFor("shop.example"), expected);
  });
}

Deno.test("Endpoint.countGatewayResult() counts failures in a row over all workers, until one succeeds", () => {
  const { board, first, second, total } = twoWorkers();
  const inARow = () =>
    Atomics.load(board.int32, board.layout.endpointCell(0, EndpointCell.consecutiveFailures));
  for (const worker of [first, second, first]) worker.countGatewayResult(true);
  assertEquals(inARow(), 3);
  second.countGatewayResult(false);
  assertEquals([inARow(), total("gatewayFailures")], [0, 3]);
});
