// A worker's own cells: totals that only it writes, gauges that readers sum over all columns.
//
// Plain additions are enough for what has one writer. What a limit is enforced by goes through Atomics: to add
// to one's own count and then read everybody's needs the order that only they promise.

import { LATENCY_BUCKETS, latencyBucket } from "./fields.ts";
import type { Board } from "./layout.ts";

/** One row of totals in one column. */
export class OwnRow {
  constructor(private readonly cells: Float64Array, private readonly first: number) {}

  add(field: number, amount = 1): void {
    this.cells[this.first + field]! += amount;
  }

  set(field: number, value: number): void {
    this.cells[this.first + field] = value;
  }

  /** Counts a duration in the histogram that starts at field `histogram`. */
  observe(histogram: number, ms: number): void {
    const first = this.first + histogram;
    this.cells[first + latencyBucket(ms)]! += 1;
    this.cells[first + LATENCY_BUCKETS]! += ms;
  }
}

/** One Int32 gauge cell in one column. */
export class OwnGauge {
  constructor(private readonly cells: Int32Array, private readonly index: number) {}

  /** In order with what is read after it: for counts that limits are enforced by. */
  add(amount: number): void {
    Atomics.add(this.cells, this.index, amount);
  }

  /** The same at a fifth of the cost, for counts that are only shown: others see it a moment later. */
  move(amount: number): void {
    this.cells[this.index]! += amount;
  }

  get value(): number {
    return Atomics.load(this.cells, this.index);
  }
}

/** Everything that a worker incarnation writes on the board. */
export class OwnColumn {
  readonly worker: OwnRow;

  constructor(readonly board: Board, readonly column: number) {
    this.worker = new OwnRow(board.float64, board.layout.workerTotal(column, 0));
  }

  endpoint(row: number): OwnRow {
    return new OwnRow(this.board.float64, this.board.layout.endpointTotal(this.column, row, 0));
  }

  upstream(row: number): OwnRow {
    return new OwnRow(this.board.float64, this.board.layout.upstreamTotal(this.column, row, 0));
  }

  route(row: number): OwnRow {
    return new OwnRow(this.board.float64, this.board.layout.routeTotal(this.column, row, 0));
  }

  endpointInFlight(row: number): OwnGauge {
    return new OwnGauge(this.board.int32, this.board.layout.endpointInFlightCell(row, this.column));
  }

  upstreamInFlight(row: number): OwnGauge {
    return new OwnGauge(this.board.int32, this.board.layout.upstreamInFlightCell(row, this.column));
  }

  upstreamWaiting(row: number): OwnGauge {
    return new OwnGauge(this.board.int32, this.board.layout.upstreamWaitingCell(row, this.column));
  }

  endpointIdle(row: number): OwnGauge {
    return new OwnGauge(this.board.int32, this.board.layout.endpointIdleCell(row, this.column));
  }

  routeInFlight(row: number): OwnGauge {
    return new OwnGauge(this.board.int32, this.board.layout.routeInFlightCell(row, this.column));
  }

  /** A ColumnCell gauge of this worker. */
  gauge(cell: number): OwnGauge {
    return new OwnGauge(this.board.int32, this.board.layout.columnCell(this.column, cell));
  }
}
