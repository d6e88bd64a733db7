import { assert, assertEquals, assertThrows } from "@std/assert";
import { EndpointField } from "../../src/board/fields.ts";
import { Board, EndpointCell, UpstreamCell } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { Verdicts } from "../../src/board/verdicts.ts";
import {
  BoardFullError,
  endpointRows,
  routeRows,
  RowAllocator,
  upstreamRows,
} from "../../src/control/row_allocator.ts";

const capacity = { columnsMax: 3, upstreamsMax: 2, endpointsMax: 2, routesMax: 2, rateSlotsMax: 1 };

/** An allocator of two rows; what workers have applied and have in flight is up to the test. */
function scene() {
  const inFlight = [0, 0];
  const cleared: number[] = [];
  const pod = { applied: 0 };
  const rows = new RowAllocator("endpoint", 2, {
    appliedVersion: () => pod.applied,
    inFlight: (row) => inFlight[row]!,
    clear: (row) => cleared.push(row),
  });
  return { rows, inFlight, cleared, pod };
}

Deno.test("RowAllocator.take() gives the same identity the same row", () => {
  const { rows, cleared } = scene();
  assertEquals([rows.take("a"), rows.take("b"), rows.take("a"), rows.take("b")], [0, 1, 0, 1]);
  assertEquals(cleared, []);
});

Deno.test("RowAllocator.take() gives an identity that comes back its row with its figures", () => {
  const { rows, cleared, pod } = scene();
  rows.take("a");
  rows.take("b");
  rows.giveBack("a", 7);
  pod.applied = 7;
  assertEquals([rows.take("a"), cleared.length], [0, 0]);
});

Deno.test("RowAllocator.take() reuses a row only when nobody can write to it, and zeroes it first", () => {
  const { rows, inFlight, cleared, pod } = scene();
  rows.take("a");
  rows.take("b");
  rows.giveBack("a", 7);
  pod.applied = 6;
  assertThrows(() => rows.take("c"), BoardFullError);
  pod.applied = 7;
  inFlight[0] = 1;
  assertThrows(() => rows.take("c"), BoardFullError);
  inFlight[0] = 0;
  assertEquals([rows.take("c"), cleared], [0, [0]]);
});

Deno.test("RowAllocator.take() reuses the row that was given back the longest ago and is free", () => {
  const { rows, inFlight, pod } = scene();
  rows.take("a");
  rows.take("b");
  rows.keepOnly(new Set(), 1);
  pod.applied = 1;
  inFlight[0] = 1;
  assertEquals(rows.take("c"), 1);
  inFlight[0] = 0;
  assertEquals(rows.take("d"), 0);
});

Deno.test("RowAllocator.take() gives no row to two identities: one that came back keeps its own", () => {
  const { rows, pod } = scene();
  rows.take("a");
  rows.take("b");
  rows.giveBack("a", 7);
  pod.applied = 7;
  rows.take("a");
  assertThrows(() => rows.take("c"), BoardFullError);
});

Deno.test("RowAllocator.take() gives no row to two identities: one that comes back too late gets another", () => {
  const { rows, cleared, pod } = scene();
  rows.take("a");
  rows.take("b");
  rows.keepOnly(new Set(["b"]), 7);
  pod.applied = 7;
  assertEquals(rows.take("c"), 0);
  assertThrows(() => rows.take("a"), BoardFullError);
  rows.giveBack("b", 7);
  assertEquals([rows.take("a"), cleared], [1, [0, 1]]);
});

Deno.test("RowAllocator.take() leaves half of the rows untouched while a row of the others is free", () => {
  const { rows, inFlight, pod } = scene();
  pod.applied = 1;
  rows.take("a");
  rows.giveBack("a", 1);
  assertEquals(rows.take("b"), 0);
  rows.giveBack("b", 1);
  inFlight[0] = 1;
  assertEquals([rows.take("c"), rows.hasRoom, rows.tryTake("d")], [1, false, null]);
  inFlight[0] = 0;
  assertEquals([rows.hasRoom, rows.tryTake("d")], [true, 0]);
});

Deno.test("RowAllocator.take() names the limit when there is no row left", () => {
  const { rows } = scene();
  rows.take("a");
  rows.take("b");
  const error = assertThrows(() => rows.take("api http://10.0.0.3:80"), BoardFullError);
  assertEquals(
    error.message,
    "no board row for endpoint api http://10.0.0.3:80: all 2 are in use, by what is configured and by what has left " +
      "and still has requests",
  );
});

Deno.test("RowAllocator.keepOnly() gives back what is in no snapshot any more, and nothing twice", () => {
  const { rows, pod } = scene();
  rows.take("a");
  rows.take("b");
  rows.keepOnly(new Set(["b"]), 3);
  rows.giveBack("a", 4);
  pod.applied = 3;
  assertEquals(rows.take("c"), 0);
  assertThrows(() => rows.take("a"), BoardFullError);
});

Deno.test("endpointRows() zeroes a reused row in every column, and no other row", () => {
  const board = Board.create(capacity);
  const { layout, float64, int32 } = board;
  const rows = endpointRows(board, () => 1, upstreamRows(board, () => 1));
  rows.take("a");
  rows.take("b");
  for (let column = 0; column < 3; column++) {
    for (const row of [0, 1]) {
      float64[layout.endpointTotal(column, row, EndpointField.attempts)] = 5;
      float64[layout.ewmaCell(column, row)] = 5;
    }
  }
  int32[layout.endpointCell(0, EndpointCell.consecutiveFailures)] = 4;
  new Verdicts(board).write(0, 0, 1, 500);
  rows.giveBack("a", 1);
  Atomics.store(int32, layout.endpointInFlightCell(0, 2), 1);
  assertThrows(() => rows.take("c"), BoardFullError);
  Atomics.store(int32, layout.endpointInFlightCell(0, 2), 0);
  const row = rows.take("c");
  const totals = new Totals(board);
  const verdicts = new Verdicts(board);
  assertEquals(
    [row, totals.endpoint(0, EndpointField.attempts), totals.endpoint(1, EndpointField.attempts)],
    [0, 0, 15],
  );
  assertEquals([verdicts.state(0), verdicts.weightPermille(0), verdicts.consecutiveFailures(0)], [0, 0, 0]);
  assertEquals([0, 1, 2].map((column) => float64[layout.ewmaCell(column, 0)]), [0, 0, 0]);
  assertEquals(float64[layout.ewmaCell(0, 1)], 5);
});

Deno.test("endpointRows() leaves the rows of an upstream that has left to its last request, but for a last resort", () => {
  const board = Board.create({ ...capacity, endpointsMax: 4 });
  const upstreams = upstreamRows(board, () => 1);
  const rows = endpointRows(board, () => 1, upstreams);
  const left = upstreams.take("left");
  const stays = upstreams.take("stays");
  const staying = new Set<string>();
  const joins = (host: string) => {
    staying.add(`stays http://${host}:80`);
    return rows.tryTake(`stays http://${host}:80`);
  };
  const leaves = (host: string) => {
    staying.delete(`stays http://${host}:80`);
    rows.keepOnly(staying, 1);
  };
  rows.take("left http://a:80");
  joins("b");
  const waiting = new OwnColumn(board, 2).upstreamInFlight(left);
  waiting.add(1);
  new OwnColumn(board, 2).upstreamInFlight(stays).add(1);
  rows.keepOnly(staying, 1);
  assertEquals(joins("c"), 0, "a request of an upstream that stays goes there no more");
  leaves("c");
  assertEquals(rows.take("left http://a:80"), 0);
  rows.keepOnly(staying, 1);
  upstreams.keepOnly(new Set(["stays"]), 1);
  assertEquals([joins("d"), joins("e")], [2, 3], "the half that is taken last");
  // Nothing else is left: an endpoint that serves counts for more than figures that somebody may disturb.
  assertEquals([rows.hasRoom, joins("f"), rows.hasRoom], [true, 0, false]);
  leaves("f");
  rows.take("left http://a:80");
  rows.keepOnly(staying, 1);
  leaves("e");
  assertEquals(joins("g"), 3, "that of an upstream that stays, though it was given back later");
  leaves("g");
  waiting.add(-1);
  assertEquals([rows.hasRoom, joins("h")], [true, 0], "all its requests are over");
});

Deno.test("upstreamRows() zeroes a reused row but lets its verdict version count on", () => {
  const board = Board.create(capacity);
  const { layout, int32, float64 } = board;
  const rows = upstreamRows(board, () => 1);
  rows.take("a");
  rows.take("b");
  new Verdicts(board).write(0, 0, 1, 500);
  int32[layout.upstreamCell(0, UpstreamCell.turn)] = 9;
  const columns = [0, 1, 2];
  for (const column of columns) float64[layout.upstreamTotal(column, 0, 0)] = 9;
  rows.giveBack("a", 1);
  rows.take("c");
  assertEquals(int32[layout.upstreamCell(0, UpstreamCell.turn)], 0);
  assertEquals(columns.map((column) => float64[layout.upstreamTotal(column, 0, 0)]), [0, 0, 0]);
  assert(new Verdicts(board).version(0) >= 1);
});

Deno.test("routeRows() zeroes a reused row once every worker and every request has let go of it", () => {
  const board = Board.create(capacity);
  const pod = { applied: 0 };
  const rows = routeRows(board, () => pod.applied);
  rows.take("a");
  rows.take("b");
  for (const column of [0, 1, 2]) board.float64[board.layout.routeTotal(column, 0, 0)] = 9;
  rows.giveBack("a", 1);
  assertThrows(() => rows.take("c"), BoardFullError);
  pod.applied = 1;
  const request = new OwnColumn(board, 2).routeInFlight(0);
  request.move(1);
  assertThrows(() => rows.take("c"), BoardFullError);
  request.move(-1);
  assertEquals([rows.take("c"), new Totals(board).route(0, 0)], [0, 0]);
});
