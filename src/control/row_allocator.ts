// Which board row belongs to which thing: the same identity keeps its row, and with it its figures.
//
// Called by whoever publishes snapshots, one allocator per kind of row. A row that was given back keeps its
// figures for as long as it can, in case its owner returns (a DNS answer that flaps, a reload); it goes to
// another owner only when every worker has applied a snapshot without it and no request is in flight on it,
// and is zeroed first, so that nobody inherits figures. Half of the rows are there for what joins before that: they
// are taken last, so that a pod touches no more memory than it needs. Rows that requests may yet come to, as those of an
// upstream that has left with a connection still open, are the last resort: an endpoint without a row serves nobody.

import { ENDPOINT_FIELDS, ROUTE_FIELDS, UPSTREAM_FIELDS } from "../board/fields.ts";
import { type Board, EndpointCell, EWMA_CELLS, UpstreamCell, VerdictCell } from "../board/layout.ts";

/** The board has no row left for what the configuration asks. */
export class BoardFullError extends Error {
  override readonly name = "BoardFullError";
  constructor(kind: string, rowsMax: number, id: string) {
    super(
      `no board row for ${kind} ${id}: all ${rowsMax} are in use, ` +
        `by what is configured and by what has left and still has requests`,
    );
  }
}

/** What an allocator must know of the pod. */
export interface RowInputs {
  /** The newest snapshot version that every living worker has applied. */
  readonly appliedVersion: () => number;
  /** Requests in flight on a row, pod-wide. */
  readonly inFlight: (row: number) => number;
  /** Requests that may yet come to any row of a group, which all ids up to a space belong to; default none. */
  readonly mayCome?: (group: string) => number;
  /** Zeroes all that the board holds for a row. */
  readonly clear: (row: number) => void;
}

interface Returned {
  readonly row: number;
  readonly group: string;
  /** The first snapshot version without the owner. */
  readonly version: number;
}

/** Of a row that was given back: no request is in flight on it, or, which is more, none may yet come to it. */
type Idle = "nobody is there" | "nobody comes";

export class RowAllocator {
  private readonly taken = new Map<string, number>();
  /** Given back, oldest first; each may still be claimed by its owner. */
  private readonly returned = new Map<string, Returned>();
  private next = 0;

  constructor(
    /** What a row stands for: names the limit in the error. */
    private readonly kind: "endpoint" | "upstream" | "route",
    private readonly rowsMax: number,
    private readonly inputs: RowInputs,
  ) {}

  /**
   * The row of `id`: the one it has or had, else a fresh one with all figures at zero.
   * @throws BoardFullError
   */
  take(id: string): number {
    const row = this.tryTake(id);
    if (row === null) throw new BoardFullError(this.kind, this.rowsMax, id);
    return row;
  }

  /** As `take()`; null when no row is left. */
  tryTake(id: string): number | null {
    const row = this.taken.get(id) ?? this.claim(id) ?? this.untouched(this.rowsMax / 2) ??
      this.reusable("nobody comes") ?? this.untouched(this.rowsMax) ?? this.reusable("nobody is there");
    if (row === undefined) return null;
    this.taken.set(id, row);
    return row;
  }

  /** Whether something new would get a row. */
  get hasRoom(): boolean {
    return this.next < this.rowsMax || this.oldest("nobody is there") !== undefined;
  }

  /** `id` is in no snapshot from `version` on. */
  giveBack(id: string, version: number): void {
    const row = this.taken.get(id);
    if (row === undefined) return;
    this.taken.delete(id);
    this.returned.set(id, { row, group: id.split(" ", 1)[0]!, version });
  }

  /** Requests in flight on the row of `id` since it was given back. */
  inFlightAfter(id: string): number {
    const returned = this.returned.get(id);
    return returned === undefined ? 0 : this.inputs.inFlight(returned.row);
  }

  /** Gives back every taken row whose owner is not in `staying`. */
  keepOnly(staying: ReadonlySet<string>, version: number): void {
    for (const id of [...this.taken.keys()]) if (!staying.has(id)) this.giveBack(id, version);
  }

  private claim(id: string): number | undefined {
    const row = this.returned.get(id)?.row;
    this.returned.delete(id);
    return row;
  }

  private untouched(rowsMax: number): number | undefined {
    return this.next < rowsMax ? this.next++ : undefined;
  }

  private reusable(when: Idle): number | undefined {
    const id = this.oldest(when);
    if (id === undefined) return undefined;
    const { row } = this.returned.get(id)!;
    this.returned.delete(id);
    this.inputs.clear(row);
    return row;
  }

  /** Whose row may go to another owner. */
  private oldest(when: Idle): string | undefined {
    const { appliedVersion, inFlight, mayCome } = this.inputs;
    const applied = appliedVersion();
    let known: string | null = null;
    let comes = false;
    for (const [id, { row, group, version }] of this.returned) {
      if (version > applied) return undefined;
      // A group leaves as one: thousands in a row are asked after once.
      if (when === "nobody comes" && mayCome !== undefined && group !== known) {
        known = group;
        comes = mayCome(group) > 0;
      }
      if (!comes && inFlight(row) === 0) return id;
    }
    return undefined;
  }
}

/** The identity of an endpoint's row. */
export function endpointRowId(upstream: string, endpoint: string): string {
  return `${upstream} ${endpoint}`;
}

/** The allocator of endpoint rows, by `endpointRowId`. */
export function endpointRows(
  board: Board,
  appliedVersion: () => number,
  upstreams: Pick<RowAllocator, "inFlightAfter">,
): RowAllocator {
  return new RowAllocator("endpoint", board.layout.capacity.endpointsMax, {
    appliedVersion,
    inFlight: (row) => board.endpointInFlight(row),
    // A request of an upstream that has left, also one that waits, may yet go to any of its endpoints.
    mayCome: (upstream) => upstreams.inFlightAfter(upstream),
    clear: (row) => clearEndpointRow(board, row),
  });
}

/** The allocator of upstream rows; an identity is the upstream's name. */
export function upstreamRows(board: Board, appliedVersion: () => number): RowAllocator {
  return new RowAllocator("upstream", board.layout.capacity.upstreamsMax, {
    appliedVersion,
    inFlight: (row) => board.upstreamInFlight(row),
    clear: (row) => clearUpstreamRow(board, row),
  });
}

/** The allocator of route rows; an identity is the route's name. */
export function routeRows(board: Board, appliedVersion: () => number): RowAllocator {
  return new RowAllocator("route", board.layout.capacity.routesMax, {
    appliedVersion,
    inFlight: (row) => board.routeInFlight(row),
    clear: (row) => clearRouteRow(board, row),
  });
}

function clearEndpointRow(board: Board, row: number): void {
  const { layout, int32, float64 } = board;
  for (const cell of Object.values(VerdictCell)) Atomics.store(int32, layout.verdictCell(row, cell), 0);
  for (const cell of Object.values(EndpointCell)) Atomics.store(int32, layout.endpointCell(row, cell), 0);
  for (let column = 0; column < layout.capacity.columnsMax; column++) {
    const totals = layout.endpointTotal(column, row, 0);
    float64.fill(0, totals, totals + ENDPOINT_FIELDS);
    const ewma = layout.ewmaCell(column, row);
    float64.fill(0, ewma, ewma + EWMA_CELLS);
  }
}

function clearUpstreamRow(board: Board, row: number): void {
  const { layout, int32, float64 } = board;
  for (const cell of Object.values(UpstreamCell)) {
    // The version must differ from all that a worker may have seen of the row: it only ever counts up.
    if (cell !== UpstreamCell.verdictVersion) Atomics.store(int32, layout.upstreamCell(row, cell), 0);
  }
  for (let column = 0; column < layout.capacity.columnsMax; column++) {
    const totals = layout.upstreamTotal(column, row, 0);
    float64.fill(0, totals, totals + UPSTREAM_FIELDS);
  }
}

function clearRouteRow(board: Board, row: number): void {
  const { layout, float64 } = board;
  for (let column = 0; column < layout.capacity.columnsMax; column++) {
    const totals = layout.routeTotal(column, row, 0);
    float64.fill(0, totals, totals + ROUTE_FIELDS);
  }
}
