// What workers count in columns of their own, and what the pod is told of it.

import { assertEquals } from "@std/assert";
import { retireColumn } from "../../src/board/columns.ts";
import {
  EndpointField,
  HEAD_LATENCY,
  LATENCY_BOUNDS_MS,
  LATENCY_BUCKETS,
  ROUTE_LATENCY,
  RouteField,
  TOTAL_LATENCY,
  UpstreamField,
  WorkerField,
} from "../../src/board/fields.ts";
import { Board, ColumnCell } from "../../src/board/layout.ts";
import { OwnColumn, type OwnGauge } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";

const capacity = { columnsMax: 3, upstreamsMax: 2, endpointsMax: 2, routesMax: 2, rateSlotsMax: 1 };

function pod() {
  const board = Board.create(capacity);
  return { board, totals: new Totals(board), workers: [new OwnColumn(board, 1), new OwnColumn(board, 2)] };
}

Deno.test("Totals sums what each worker added to its row, and to no other", () => {
  const { totals, workers } = pod();
  for (const own of workers) {
    own.endpoint(1).add(EndpointField.attempts);
    own.upstream(1).add(UpstreamField.retries, 2);
    own.route(1).add(RouteField.bytesOut, 3e9);
    own.worker.add(WorkerField.requests, 4);
  }
  const { attempts } = EndpointField;
  assertEquals([0, 1].map((row) => totals.endpoint(row, attempts)), [0, 2]);
  assertEquals([0, 1].map((row) => totals.upstream(row, UpstreamField.retries)), [0, 4]);
  assertEquals([0, 1].map((row) => totals.route(row, RouteField.bytesOut)), [0, 6e9]);
  assertEquals([totals.worker(WorkerField.requests), totals.workerOf(2, WorkerField.requests)], [8, 4]);
  workers[0]!.worker.set(WorkerField.heapBytes, 7);
  workers[0]!.worker.set(WorkerField.heapBytes, 5);
  assertEquals([1, 2].map((column) => totals.workerOf(column, WorkerField.heapBytes)), [5, 0]);
});

Deno.test("a status counts in its class, of an endpoint and of a route", () => {
  const { totals, workers } = pod();
  workers[0]!.endpoint(0).add(EndpointField.status5xx, 2);
  workers[1]!.route(0).add(RouteField.statusNone, 3);
  assertEquals(totals.endpointStatuses(0), [0, 0, 0, 0, 2, 0]);
  assertEquals(totals.routeStatuses(0), [0, 0, 0, 0, 0, 3]);
});

Deno.test("a duration counts up to and at its bound, above the last one in a bucket of its own", () => {
  const { board, totals, workers } = pod();
  const durations = [...LATENCY_BOUNDS_MS, 60_000.5];
  for (const own of workers) {
    for (const ms of durations) {
      own.endpoint(1).observe(HEAD_LATENCY, ms);
      own.endpoint(1).observe(TOTAL_LATENCY, ms);
      own.route(1).observe(ROUTE_LATENCY, ms);
    }
  }
  // What a dead worker counted stays.
  retireColumn(board, 1);
  const sumMs = 2 * durations.reduce((sum, ms) => sum + ms, 0);
  const expected = { counts: new Array(LATENCY_BUCKETS).fill(2), sumMs };
  assertEquals(totals.endpointHeadLatency(1), expected);
  assertEquals(totals.endpointTotalLatency(1), expected);
  assertEquals(totals.routeLatency(1), expected);
  assertEquals(totals.routeLatency(0), { counts: new Array(LATENCY_BUCKETS).fill(0), sumMs: 0 });
});

const GAUGES: Record<string, readonly [of: (own: OwnColumn) => OwnGauge, told: (board: Board) => number]> = {
  "endpointInFlight": [(own) => own.endpointInFlight(1), (board) => board.endpointInFlight(1)],
  "upstreamInFlight": [(own) => own.upstreamInFlight(1), (board) => board.upstreamInFlight(1)],
  "upstreamWaiting": [(own) => own.upstreamWaiting(1), (board) => board.upstreamWaiting(1)],
  "endpointIdle": [(own) => own.endpointIdle(1), (board) => board.endpointIdleConnections(1)],
  "routeInFlight": [(own) => own.routeInFlight(1), (board) => board.routeInFlight(1)],
  "the pod's in flight": [(own) => own.gauge(ColumnCell.inFlight), (board) => board.podInFlight()],
};

for (const [name, [of, told]] of Object.entries(GAUGES)) {
  Deno.test(`the board sums the workers' gauge ${name}`, () => {
    const { board, workers } = pod();
    of(workers[0]!).add(5);
    of(workers[0]!).move(-1);
    of(workers[1]!).move(3);
    of(workers[1]!).add(-2);
    assertEquals(workers.map((own) => of(own).value), [4, 1]);
    assertEquals(told(board), 5);
    const others = Object.entries(GAUGES).filter(([other]) => other !== name);
    for (const [other, [, toldOther]] of others) assertEquals(toldOther(board), 0, other);
  });
}
