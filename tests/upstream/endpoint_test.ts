// What an endpoint counts and knows over all workers: latency, requests in flight, failures in a row.

import { assertEquals } from "@std/assert";
import { Bell } from "../../src/board/bell.ts";
import { EndpointCell } from "../../src/board/layout.ts";
import { Verdicts } from "../../src/board/verdicts.ts";
import { twoWorkers } from "../support/two_workers.ts";

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

Deno.test("Endpoint that has left rings for nobody whose claim is in vain: who waits would claim again at once", () => {
  const { board, first } = twoWorkers({ limits: { inFlightPerEndpointMax: 1 } });
  const lease = first.lease()!;
  first.retire();
  Atomics.add(board.int32, board.layout.upstreamWaitingCell(0, 1), 1);
  assertEquals([first.lease(), first.inFlight(), new Bell(board, 0).count], [null, 1, 0]);
  lease.release(false);
  assertEquals([first.inFlight(), new Bell(board, 0).count], [0, 1]);
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
  for (const failing of [[first, second, first], [second]]) {
    for (const worker of failing) worker.countGatewayResult(true);
    assertEquals(inARow(), failing.length);
    second.countGatewayResult(false);
    assertEquals(inARow(), 0);
  }
  assertEquals(total("gatewayFailures"), 4);
});

Deno.test("Endpoint.countGatewayResult() counts on up to a limit, where nobody ejects and an endpoint fails for days", () => {
  const { board, first } = twoWorkers();
  const cell = board.layout.endpointCell(0, EndpointCell.consecutiveFailures);
  Atomics.store(board.int32, cell, 2 ** 31 - 1);
  first.countGatewayResult(true);
  assertEquals(new Verdicts(board).consecutiveFailures(0), 2 ** 31 - 1);
  first.countGatewayResult(false);
  assertEquals(new Verdicts(board).consecutiveFailures(0), 0);
});
