// Pod-wide figures: sums over the columns of the board, the retired column included.
//
// Called by the control plane (metrics, status, outlier detection). Totals never run backwards, because a
// dead worker's totals move to the retired column (`columns.ts`). Gauges are not totals: they are read per
// column, or summed where the board itself does it.

import {
  EndpointField,
  HEAD_LATENCY,
  LATENCY_BUCKETS,
  ROUTE_LATENCY,
  RouteField,
  STATUS_CLASSES,
  TOTAL_LATENCY,
} from "./fields.ts";
import type { Histogram } from "./histogram.ts";
import type { Board } from "./layout.ts";

export class Totals {
  constructor(private readonly board: Board) {}

  /** One field of an endpoint; `field` is a value of EndpointField. */
  endpoint(row: number, field: number): number {
    return this.sum((column) => this.board.layout.endpointTotal(column, row, field));
  }

  /** One field of an upstream; `field` is a value of UpstreamField or an offset from BY_METHOD. */
  upstream(row: number, field: number): number {
    return this.sum((column) => this.board.layout.upstreamTotal(column, row, field));
  }

  /** One field of a route; `field` is a value of RouteField. */
  route(row: number, field: number): number {
    return this.sum((column) => this.board.layout.routeTotal(column, row, field));
  }

  /** One total over all workers that ever lived; not for `loopDelayMaxMs` and `heapBytes`. */
  worker(field: number): number {
    return this.sum((column) => this.board.layout.workerTotal(column, field));
  }

  /** A figure of one living worker: its gauges, and its totals since its start. */
  workerOf(column: number, field: number): number {
    return this.board.float64[this.board.layout.workerTotal(column, field)]!;
  }

  /** A gauge of one living worker; `cell` is a value of ColumnCell. */
  cellOf(column: number, cell: number): number {
    return Atomics.load(this.board.int32, this.board.layout.columnCell(column, cell));
  }

  /** From an attempt's start, or the last byte of its request's body, to the response head. */
  endpointHeadLatency(row: number): Histogram {
    return this.histogram((column) => this.board.layout.endpointTotal(column, row, HEAD_LATENCY));
  }

  /** From an attempt's start to the last byte of its answer. */
  endpointTotalLatency(row: number): Histogram {
    return this.histogram((column) => this.board.layout.endpointTotal(column, row, TOTAL_LATENCY));
  }

  /** From a request's arrival to the last byte of its answer. */
  routeLatency(row: number): Histogram {
    return this.histogram((column) => this.board.layout.routeTotal(column, row, ROUTE_LATENCY));
  }

  /** Answers of an endpoint by status class, in the order of STATUS_CLASSES. */
  endpointStatuses(row: number): number[] {
    return STATUS_CLASSES.map((_, i) => this.endpoint(row, EndpointField.status1xx + i));
  }

  /** Answers on a route by status class, in the order of STATUS_CLASSES. */
  routeStatuses(row: number): number[] {
    return STATUS_CLASSES.map((_, i) => this.route(row, RouteField.status1xx + i));
  }

  private sum(cellIn: (column: number) => number): number {
    let sum = 0;
    for (let column = 0; column < this.board.layout.capacity.columnsMax; column++) {
      sum += this.board.float64[cellIn(column)]!;
    }
    return sum;
  }

  private histogram(firstCellIn: (column: number) => number): Histogram {
    const counts = new Array<number>(LATENCY_BUCKETS).fill(0);
    let sumMs = 0;
    for (let column = 0; column < this.board.layout.capacity.columnsMax; column++) {
      const first = firstCellIn(column);
      for (let i = 0; i < LATENCY_BUCKETS; i++) counts[i]! += this.board.float64[first + i]!;
      sumMs += this.board.float64[first + LATENCY_BUCKETS]!;
    }
    return { counts, sumMs };
  }
}
