// Where everything stands in the shared memory that all threads of a pod see.
//
// One SharedArrayBuffer, made by the control plane and opened by each worker. Three kinds of cell:
// `own` (one writer, a worker's column; readers sum the columns), `verdict` (written by the control plane)
// and `shared` (Atomics only). Untouched pages cost no memory, so capacities can be generous.

import { ENDPOINT_FIELDS, ROUTE_FIELDS, UPSTREAM_FIELDS, WORKER_FIELDS } from "./fields.ts";

/** Named limits of a board. */
export interface BoardCapacity {
  /** Columns: one per worker incarnation alive or just dead, and the retired column, number 0. */
  readonly columnsMax: number;
  readonly upstreamsMax: number;
  readonly endpointsMax: number;
  readonly routesMax: number;
  /** Token buckets shared by all rate-limited routes. */
  readonly rateSlotsMax: number;
}

/** What a pod has room for; limits that its configuration is held against. */
export const DEFAULT_CAPACITY: Omit<BoardCapacity, "columnsMax"> = {
  upstreamsMax: 256,
  endpointsMax: 4_096,
  routesMax: 512,
  rateSlotsMax: 16_384,
};

/**
 * The rows of a board with room for what is there and for as much again: what joins stands beside what leaves, until no
 * worker knows of that any more and no request is at it.
 */
export function withRoomForChange<Capacity extends typeof DEFAULT_CAPACITY>(capacity: Capacity): Capacity {
  const { upstreamsMax, endpointsMax, routesMax } = capacity;
  return {
    ...capacity,
    upstreamsMax: upstreamsMax * 2,
    endpointsMax: endpointsMax * 2,
    routesMax: routesMax * 2,
  };
}

/** Totals of workers that died live on in this column. */
export const RETIRED_COLUMN = 0;

/** What crosses to a worker. */
export interface BoardHandle {
  readonly memory: SharedArrayBuffer;
  readonly capacity: BoardCapacity;
}

/** Int32 cells of an endpoint that the control plane writes. */
export const VerdictCell = { state: 0, weightPermille: 1 } as const;
const VERDICT_CELLS = 4;

/** Int32 cells of an endpoint that workers share (Atomics). */
export const EndpointCell = { consecutiveFailures: 0, idleLimitSeenMs: 1 } as const;
const ENDPOINT_CELLS = 4;

/** Int32 cells of an upstream. */
export const UpstreamCell = {
  turn: 0,
  verdictVersion: 1,
  /** Rung when an endpoint may have room (`bell.ts`). */
  bell: 2,
  budgetMilli: 3,
  budgetSecond: 4,
} as const;
const UPSTREAM_CELLS = 8;

/** Int32 cells of a column. */
export const ColumnCell = {
  heartbeat: 0,
  serving: 1,
  inFlight: 2,
  connections: 3,
  webSockets: 4,
} as const;
const COLUMN_CELLS = 8;

/** Int32 cells of the pod. */
export const PodCell = { ready: 0 } as const;
const POD_CELLS = 16;

/** Float64 cells of an endpoint's moving average in one column: cost in ms, time of the last sample. */
export const EWMA_CELLS = 2;

/** Offsets are in cells of the view that they are for. */
export class BoardLayout {
  readonly int32Cells: number;
  readonly float64Cells: number;
  private readonly pod = 0;
  private readonly columns: number;
  private readonly upstreams: number;
  private readonly verdicts: number;
  private readonly endpointShared: number;
  private readonly endpointInFlight: number;
  private readonly upstreamInFlight: number;
  private readonly upstreamWaiting: number;
  private readonly endpointIdle: number;
  private readonly routeInFlight: number;
  readonly rateSlots: number;
  private readonly endpointTotals: number;
  private readonly upstreamTotals: number;
  private readonly routeTotals: number;
  private readonly workerTotals: number;
  private readonly ewma: number;

  constructor(readonly capacity: BoardCapacity) {
    const { columnsMax, upstreamsMax, endpointsMax, routesMax, rateSlotsMax } = capacity;
    let int32 = POD_CELLS;
    const takeInt32 = (cells: number) => (int32 += cells) - cells;
    this.columns = takeInt32(columnsMax * COLUMN_CELLS);
    this.upstreams = takeInt32(upstreamsMax * UPSTREAM_CELLS);
    this.verdicts = takeInt32(endpointsMax * VERDICT_CELLS);
    this.endpointShared = takeInt32(endpointsMax * ENDPOINT_CELLS);
    this.endpointInFlight = takeInt32(endpointsMax * columnsMax);
    this.upstreamInFlight = takeInt32(upstreamsMax * columnsMax);
    this.upstreamWaiting = takeInt32(upstreamsMax * columnsMax);
    this.endpointIdle = takeInt32(endpointsMax * columnsMax);
    this.routeInFlight = takeInt32(routesMax * columnsMax);
    // Rate slots are 64-bit words: they stand where one may begin.
    takeInt32(int32 & 1);
    this.rateSlots = takeInt32(rateSlotsMax * 2);
    this.int32Cells = int32 + (int32 & 1);
    let float64 = 0;
    const takeFloat64 = (cells: number) => (float64 += cells) - cells;
    this.endpointTotals = takeFloat64(columnsMax * endpointsMax * ENDPOINT_FIELDS);
    this.upstreamTotals = takeFloat64(columnsMax * upstreamsMax * UPSTREAM_FIELDS);
    this.routeTotals = takeFloat64(columnsMax * routesMax * ROUTE_FIELDS);
    this.workerTotals = takeFloat64(columnsMax * WORKER_FIELDS);
    this.ewma = takeFloat64(columnsMax * endpointsMax * EWMA_CELLS);
    this.float64Cells = float64;
  }

  get byteLength(): number {
    return this.int32Cells * 4 + this.float64Cells * 8;
  }

  podCell(cell: number): number {
    return this.pod + cell;
  }
  columnCell(column: number, cell: number): number {
    return this.columns + column * COLUMN_CELLS + cell;
  }
  upstreamCell(row: number, cell: number): number {
    return this.upstreams + row * UPSTREAM_CELLS + cell;
  }
  verdictCell(row: number, cell: number): number {
    return this.verdicts + row * VERDICT_CELLS + cell;
  }
  endpointCell(row: number, cell: number): number {
    return this.endpointShared + row * ENDPOINT_CELLS + cell;
  }
  /** The columns of one endpoint stand side by side, so that a sum reads one cache line or two. */
  endpointInFlightCell(row: number, column: number): number {
    return this.endpointInFlight + row * this.capacity.columnsMax + column;
  }
  upstreamInFlightCell(row: number, column: number): number {
    return this.upstreamInFlight + row * this.capacity.columnsMax + column;
  }
  upstreamWaitingCell(row: number, column: number): number {
    return this.upstreamWaiting + row * this.capacity.columnsMax + column;
  }
  endpointIdleCell(row: number, column: number): number {
    return this.endpointIdle + row * this.capacity.columnsMax + column;
  }
  routeInFlightCell(row: number, column: number): number {
    return this.routeInFlight + row * this.capacity.columnsMax + column;
  }
  endpointTotal(column: number, row: number, field: number): number {
    return this.endpointTotals + (column * this.capacity.endpointsMax + row) * ENDPOINT_FIELDS + field;
  }
  upstreamTotal(column: number, row: number, field: number): number {
    return this.upstreamTotals + (column * this.capacity.upstreamsMax + row) * UPSTREAM_FIELDS + field;
  }
  routeTotal(column: number, row: number, field: number): number {
    return this.routeTotals + (column * this.capacity.routesMax + row) * ROUTE_FIELDS + field;
  }
  workerTotal(column: number, field: number): number {
    return this.workerTotals + column * WORKER_FIELDS + field;
  }
  ewmaCell(column: number, row: number): number {
    return this.ewma + (column * this.capacity.endpointsMax + row) * EWMA_CELLS;
  }
}

/** The board: its memory as two views, and the layout that says what stands where. */
export class Board {
  readonly int32: Int32Array<SharedArrayBuffer>;
  readonly float64: Float64Array<SharedArrayBuffer>;
  readonly layout: BoardLayout;

  private constructor(readonly handle: BoardHandle) {
    this.layout = new BoardLayout(handle.capacity);
    this.int32 = new Int32Array(handle.memory, 0, this.layout.int32Cells);
    this.float64 = new Float64Array(handle.memory, this.layout.int32Cells * 4, this.layout.float64Cells);
  }

  static create(capacity: BoardCapacity): Board {
    return new Board({ memory: new SharedArrayBuffer(new BoardLayout(capacity).byteLength), capacity });
  }

  static open(handle: BoardHandle): Board {
    return new Board(handle);
  }

  /** The sum of one Int32 cell per column. */
  private sumInt32(first: number): number {
    let sum = 0;
    for (let c = 0; c < this.layout.capacity.columnsMax; c++) sum += Atomics.load(this.int32, first + c);
    return sum;
  }

  /** Requests in flight at an endpoint, pod-wide. */
  endpointInFlight(row: number): number {
    return this.sumInt32(this.layout.endpointInFlightCell(row, 0));
  }

  /** Requests in flight at an upstream, pod-wide. */
  upstreamInFlight(row: number): number {
    return this.sumInt32(this.layout.upstreamInFlightCell(row, 0));
  }

  /** Requests that wait for an endpoint of an upstream, pod-wide. */
  upstreamWaiting(row: number): number {
    return this.sumInt32(this.layout.upstreamWaitingCell(row, 0));
  }

  /** Connections to an endpoint that wait for their next request, pod-wide. */
  endpointIdleConnections(row: number): number {
    return this.sumInt32(this.layout.endpointIdleCell(row, 0));
  }

  /** Requests under way on a route, pod-wide. */
  routeInFlight(row: number): number {
    return this.sumInt32(this.layout.routeInFlightCell(row, 0));
  }

  /** Requests in flight in the pod. */
  podInFlight(): number {
    let sum = 0;
    for (let c = 0; c < this.layout.capacity.columnsMax; c++) {
      sum += Atomics.load(this.int32, this.layout.columnCell(c, ColumnCell.inFlight));
    }
    return sum;
  }
}
