// Who owns which column of the board: a fresh one for each incarnation of a worker.
//
// Called by the supervisor on the main thread, which is also the only reader of totals, so a reader never
// sees a column half moved. When a worker dies its totals move to the retired column, so that no counter
// runs backwards, and its gauges (in-flight, connections, moving averages) vanish with it; what it had open to
// endpoints is counted as closed. A terminated worker may still run for a moment: its column rests until
// `settle()` has gathered what it wrote late.

import {
  ENDPOINT_FIELDS,
  EndpointField,
  ROUTE_FIELDS,
  UPSTREAM_FIELDS,
  WORKER_FIELDS,
  WorkerField,
} from "./fields.ts";
import { Bell } from "./bell.ts";
import { type Board, ColumnCell, EWMA_CELLS, RETIRED_COLUMN } from "./layout.ts";

/** Worker figures that are not totals: they die with the worker. */
const WORKER_GAUGES: readonly number[] = [WorkerField.loopDelayMaxMs, WorkerField.heapBytes];

export class Columns {
  private readonly free: number[] = [];
  private readonly taken = new Set<number>();
  private resting: number[] = [];

  constructor(private readonly board: Board) {
    for (let column = 0; column < board.layout.capacity.columnsMax; column++) {
      if (column !== RETIRED_COLUMN) this.free.push(column);
    }
  }

  /**
   * A column in which everything is zero; the one that was given back the longest ago.
   * @throws Error when every column is taken: `columnsMax` is too small for the number of workers.
   */
  take(): number {
    if (this.free.length === 0) this.settle();
    const column = this.free.shift();
    if (column === undefined) {
      throw new Error(
        `no free board column: all ${this.taken.size} are taken, columnsMax must exceed the workers alive`,
      );
    }
    this.taken.add(column);
    return column;
  }

  /** The worker of this column is dead: its totals live on, its gauges do not. Idempotent. */
  retire(column: number): void {
    if (!this.taken.delete(column)) return;
    retireColumn(this.board, column);
    this.resting.push(column);
  }

  /** Gathers what dead workers wrote after `retire()`; their columns may be taken from now on. */
  settle(): void {
    for (const column of this.resting) {
      retireColumn(this.board, column);
      this.free.push(column);
    }
    this.resting = [];
  }
}

/** Adds a column's totals to the retired column and leaves the column all zero. */
export function retireColumn(board: Board, column: number): void {
  if (column === RETIRED_COLUMN) throw new Error("the retired column cannot be retired");
  closeConnections(board, column);
  foldTotals(board, column);
  zeroGauges(board, column);
}

/** The system closes what the worker had open. Never less than was counted: a total does not run backwards. */
function closeConnections({ layout, float64 }: Board, column: number): void {
  for (let row = 0; row < layout.capacity.endpointsMax; row++) {
    const opened = float64[layout.endpointTotal(column, row, EndpointField.connectionsOpened)]!;
    const closed = layout.endpointTotal(column, row, EndpointField.connectionsClosed);
    if (float64[closed]! < opened) float64[closed] = opened;
  }
}

function foldTotals(board: Board, column: number): void {
  const { layout, float64 } = board;
  for (const gauge of WORKER_GAUGES) float64[layout.workerTotal(column, gauge)] = 0;
  const { endpointsMax, upstreamsMax, routesMax } = layout.capacity;
  const fold = (from: number, into: number, cells: number) => {
    for (let i = 0; i < cells; i++) {
      const value = float64[from + i]!;
      // Reading an untouched page costs no memory, writing one does.
      if (value === 0) continue;
      float64[into + i]! += value;
      float64[from + i] = 0;
    }
  };
  const retired = RETIRED_COLUMN;
  fold(
    layout.endpointTotal(column, 0, 0),
    layout.endpointTotal(retired, 0, 0),
    endpointsMax * ENDPOINT_FIELDS,
  );
  fold(
    layout.upstreamTotal(column, 0, 0),
    layout.upstreamTotal(retired, 0, 0),
    upstreamsMax * UPSTREAM_FIELDS,
  );
  fold(layout.routeTotal(column, 0, 0), layout.routeTotal(retired, 0, 0), routesMax * ROUTE_FIELDS);
  fold(layout.workerTotal(column, 0), layout.workerTotal(retired, 0), WORKER_FIELDS);
}

function zeroGauges(board: Board, column: number): void {
  const { layout, int32, float64 } = board;
  const { endpointsMax, upstreamsMax, routesMax } = layout.capacity;
  const clear = (cell: number) => {
    if (Atomics.load(int32, cell) !== 0) Atomics.store(int32, cell, 0);
  };
  for (const cell of Object.values(ColumnCell)) clear(layout.columnCell(column, cell));
  for (let row = 0; row < endpointsMax; row++) {
    clear(layout.endpointInFlightCell(row, column));
    clear(layout.endpointIdleCell(row, column));
  }
  for (let row = 0; row < upstreamsMax; row++) {
    const held = Atomics.load(int32, layout.upstreamInFlightCell(row, column)) !== 0;
    clear(layout.upstreamInFlightCell(row, column));
    clear(layout.upstreamWaitingCell(row, column));
    // What it held is room for those that wait in other workers.
    if (held) new Bell(board, row).ring();
  }
  for (let row = 0; row < routesMax; row++) clear(layout.routeInFlightCell(row, column));
  const ewma = layout.ewmaCell(column, 0);
  for (let i = 0; i < endpointsMax * EWMA_CELLS; i++) {
    if (float64[ewma + i] !== 0) float64[ewma + i] = 0;
  }
}
