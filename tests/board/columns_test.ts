import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Bell } from "../../src/board/bell.ts";
import { Columns, retireColumn } from "../../src/board/columns.ts";
import {
  ENDPOINT_FIELDS,
  EndpointField,
  ROUTE_FIELDS,
  UPSTREAM_FIELDS,
  WORKER_FIELDS,
  WorkerField,
} from "../../src/board/fields.ts";
import { Board, ColumnCell, EWMA_CELLS, RETIRED_COLUMN, UpstreamCell } from "../../src/board/layout.ts";
import { Totals } from "../../src/board/totals.ts";

const capacity = { columnsMax: 4, upstreamsMax: 2, endpointsMax: 3, routesMax: 2, rateSlotsMax: 1 };

function fillColumn(board: Board, column: number, value: number): void {
  const { layout, float64, int32 } = board;
  const fill = (first: number, cells: number) => float64.fill(value, first, first + cells);
  fill(layout.endpointTotal(column, 0, 0), 3 * ENDPOINT_FIELDS);
  fill(layout.upstreamTotal(column, 0, 0), 2 * UPSTREAM_FIELDS);
  fill(layout.routeTotal(column, 0, 0), 2 * ROUTE_FIELDS);
  fill(layout.workerTotal(column, 0), WORKER_FIELDS);
  fill(layout.ewmaCell(column, 0), 3 * EWMA_CELLS);
  for (const cell of Object.values(ColumnCell)) int32[layout.columnCell(column, cell)] = value;
  for (let row = 0; row < 3; row++) {
    int32[layout.endpointInFlightCell(row, column)] = value;
    int32[layout.endpointIdleCell(row, column)] = value;
  }
  for (let row = 0; row < 2; row++) {
    int32[layout.upstreamInFlightCell(row, column)] = value;
    int32[layout.upstreamWaitingCell(row, column)] = value;
    int32[layout.routeInFlightCell(row, column)] = value;
  }
}

/** Every total that the board can tell, gauges left out. */
function everyTotal(board: Board): number[] {
  const totals = new Totals(board);
  const all: number[] = [];
  for (let row = 0; row < 3; row++) {
    for (let field = 0; field < ENDPOINT_FIELDS; field++) all.push(totals.endpoint(row, field));
  }
  for (let row = 0; row < 2; row++) {
    for (let field = 0; field < UPSTREAM_FIELDS; field++) all.push(totals.upstream(row, field));
    for (let field = 0; field < ROUTE_FIELDS; field++) all.push(totals.route(row, field));
  }
  for (const [name, field] of Object.entries(WorkerField)) {
    if (name !== "loopDelayMaxMs" && name !== "heapBytes") all.push(totals.worker(field));
  }
  return all;
}

Deno.test("retireColumn() leaves every total of the pod as it was", () => {
  const board = Board.create(capacity);
  fillColumn(board, 1, 7);
  fillColumn(board, 2, 5);
  const before = everyTotal(board);
  retireColumn(board, 1);
  assertEquals(everyTotal(board), before);
  retireColumn(board, 2);
  assertEquals(everyTotal(board), before);
  assertEquals(new Set(before), new Set([12]));
});

Deno.test("retireColumn() moves each total, zeroes each gauge and moving average, and touches no other column", () => {
  const board = Board.create(capacity);
  const { layout, float64, int32 } = board;
  float64.forEach((_, i) => float64[i] = i + 1);
  int32.forEach((_, i) => int32[i] = i + 1);
  // What is zero ends nothing.
  float64[layout.upstreamTotal(2, 0, 1)] = 0;
  const [floats, ints] = [float64.slice(), int32.slice()];
  for (const gauge of [WorkerField.loopDelayMaxMs, WorkerField.heapBytes]) {
    floats[layout.workerTotal(2, gauge)] = 0;
  }
  const move = (firstOf: (column: number) => number, cells: number) => {
    const [from, into] = [firstOf(2), firstOf(RETIRED_COLUMN)];
    for (let i = 0; i < cells; i++) floats[into + i]! += floats[from + i]!;
    floats.fill(0, from, from + cells);
  };
  move((column) => layout.endpointTotal(column, 0, 0), 3 * ENDPOINT_FIELDS);
  move((column) => layout.upstreamTotal(column, 0, 0), 2 * UPSTREAM_FIELDS);
  move((column) => layout.routeTotal(column, 0, 0), 2 * ROUTE_FIELDS);
  move((column) => layout.workerTotal(column, 0), WORKER_FIELDS);
  floats.fill(0, layout.ewmaCell(2, 0), layout.ewmaCell(3, 0));
  for (const cell of Object.values(ColumnCell)) ints[layout.columnCell(2, cell)] = 0;
  for (let row = 0; row < 3; row++) {
    ints[layout.endpointInFlightCell(row, 2)] = ints[layout.endpointIdleCell(row, 2)] = 0;
  }
  for (let row = 0; row < 2; row++) {
    ints[layout.upstreamInFlightCell(row, 2)] = ints[layout.upstreamWaitingCell(row, 2)] = 0;
    ints[layout.routeInFlightCell(row, 2)] = 0;
    // What the dead worker held is room.
    ints[layout.upstreamCell(row, UpstreamCell.bell)]! += 1;
  }
  retireColumn(board, 2);
  assertEquals(float64.slice(), floats);
  assertEquals(int32.slice(), ints);
});

Deno.test("retireColumn() counts the connections that the dead worker had open as closed, once", () => {
  const board = Board.create(capacity);
  const columns = new Columns(board);
  const column = columns.take();
  const totals = new Totals(board);
  const count = (row: number, field: number, value: number) =>
    board.float64[board.layout.endpointTotal(column, row, field)]! += value;
  const ofRow = (row: number) =>
    [EndpointField.connectionsOpened, EndpointField.connectionsClosed].map((field) =>
      totals.endpoint(row, field)
    );
  count(0, EndpointField.connectionsOpened, 89);
  count(2, EndpointField.connectionsOpened, 5);
  count(2, EndpointField.connectionsClosed, 3);
  columns.retire(column);
  assertEquals([ofRow(0), ofRow(1), ofRow(2)], [[89, 89], [0, 0], [5, 5]]);
  // Its last instruction was to open one more.
  count(2, EndpointField.connectionsOpened, 1);
  columns.settle();
  assertEquals([ofRow(0), ofRow(1), ofRow(2)], [[89, 89], [0, 0], [6, 6]]);
});

Deno.test("retireColumn() lets no count of closed connections run backwards", () => {
  const board = Board.create(capacity);
  const totals = new Totals(board);
  board.float64[board.layout.endpointTotal(1, 0, EndpointField.connectionsClosed)] = 1;
  retireColumn(board, 1);
  assertEquals(totals.endpoint(0, EndpointField.connectionsClosed), 1);
});

Deno.test("retireColumn() wakes the requests that wait for what the dead worker held", async () => {
  const board = Board.create(capacity);
  fillColumn(board, 1, 7);
  const bell = new Bell(board, 1);
  const rung = bell.rungSince(bell.count);
  retireColumn(board, 1);
  await rung;
});

Deno.test("retireColumn() refuses the retired column itself", () => {
  assertThrows(() => retireColumn(Board.create(capacity), RETIRED_COLUMN), Error, "retired");
});

Deno.test("Columns.take() never gives the retired column, nor one twice", () => {
  const columns = new Columns(Board.create(capacity));
  assertEquals([columns.take(), columns.take(), columns.take()].sort(), [1, 2, 3]);
  assertThrows(() => columns.take(), Error, "columnsMax");
});

Deno.test("Columns.take() prefers a column that no worker just died in", () => {
  const columns = new Columns(Board.create(capacity));
  const dead = columns.take();
  columns.retire(dead);
  columns.settle();
  assertNotEquals(columns.take(), dead);
});

Deno.test("Columns.take() gives a dead worker's column, zeroed, when no other is left", () => {
  const board = Board.create({ ...capacity, columnsMax: 2 });
  const columns = new Columns(board);
  const column = columns.take();
  fillColumn(board, column, 9);
  columns.retire(column);
  assertEquals(columns.take(), column);
  assertEquals(board.float64[board.layout.endpointTotal(column, 0, EndpointField.attempts)], 0);
  assertEquals(new Totals(board).endpoint(0, EndpointField.attempts), 9);
});

Deno.test("Columns.settle() gathers what a worker wrote between its end and its last instruction", () => {
  const board = Board.create(capacity);
  const columns = new Columns(board);
  const column = columns.take();
  columns.retire(column);
  fillColumn(board, column, 1);
  columns.settle();
  assertEquals(new Totals(board).endpoint(0, EndpointField.attempts), 1);
  assertEquals(board.podInFlight(), 0);
});

Deno.test("Columns.take() leaves a dead worker's column at rest while there is another", () => {
  const board = Board.create(capacity);
  const columns = new Columns(board);
  const column = columns.take();
  columns.retire(column);
  columns.take();
  fillColumn(board, column, 1);
  columns.settle();
  assertEquals(board.podInFlight(), 0);
});

Deno.test("Columns.retire() twice folds once", () => {
  const board = Board.create(capacity);
  const columns = new Columns(board);
  const column = columns.take();
  fillColumn(board, column, 3);
  columns.retire(column);
  columns.retire(column);
  assertEquals(new Totals(board).endpoint(1, EndpointField.attempts), 3);
  columns.take();
  columns.take();
  assertEquals(columns.take(), column);
  assertThrows(() => columns.take(), Error, "no free board column");
});
