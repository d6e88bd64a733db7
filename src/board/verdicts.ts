// What the control plane thinks of each endpoint, for workers to read on every pick.
//
// Written by one thread (main), read by all. A change bumps the upstream's verdict version, so that a worker
// rebuilds its list of candidates only when something changed.

import { Bell } from "./bell.ts";
import { type Board, EndpointCell, UpstreamCell, VerdictCell } from "./layout.ts";

/** Bits of an endpoint's state; 0 is "takes traffic". */
export const EndpointState = {
  /** Failed its probes. */
  unhealthy: 1,
  /** Failed real traffic. */
  ejected: 2,
  /** Takes no new clients; sticky ones may stay. */
  draining: 4,
  /** Left discovery: finishes what it has, takes nothing. */
  leaving: 8,
  /** Joined and not yet passed a check. */
  unchecked: 16,
} as const;

/** Gateway failures in a row that are counted: far below where an Int32 wraps around, far above what ejects. */
export const IN_A_ROW_MAX = 1_000_000_000;

/** EndpointState bits as words; `serving` when there is none. */
export function stateWords(state: number): string[] {
  const words = Object.entries(EndpointState).filter(([, bit]) => (state & bit) !== 0).map(([word]) => word);
  return words.length === 0 ? ["serving"] : words;
}

export class Verdicts {
  constructor(private readonly board: Board) {}

  /** EndpointState bits. */
  state(row: number): number {
    return Atomics.load(this.board.int32, this.board.layout.verdictCell(row, VerdictCell.state));
  }

  /** Share of its weight that an endpoint has now, 1 to 1000 per mille (slow start). */
  weightPermille(row: number): number {
    return Atomics.load(this.board.int32, this.board.layout.verdictCell(row, VerdictCell.weightPermille));
  }

  /** What an endpoint has of its `weight` now: all of it, or its share while it starts slowly. */
  weightNow(row: number, weight: number): number {
    const permille = this.weightPermille(row);
    // 0 before the control plane has written a verdict: no ramp is known.
    return permille === 0 || permille === 1_000 ? weight : weight * permille / 1_000;
  }

  /** Control plane only: sets bits and weight and makes the workers look. */
  write(upstreamRow: number, row: number, state: number, weightPermille: number): void {
    const { layout, int32 } = this.board;
    Atomics.store(int32, layout.verdictCell(row, VerdictCell.state), state);
    Atomics.store(int32, layout.verdictCell(row, VerdictCell.weightPermille), weightPermille);
    Atomics.add(int32, layout.upstreamCell(upstreamRow, UpstreamCell.verdictVersion), 1);
    // Requests that wait for room may have another endpoint to go to now.
    new Bell(this.board, upstreamRow).ring();
  }

  /** Gateway failures in a row at an endpoint, over all workers. */
  consecutiveFailures(row: number): number {
    return Atomics.load(
      this.board.int32,
      this.board.layout.endpointCell(row, EndpointCell.consecutiveFailures),
    );
  }

  /** Changes whenever a verdict in this upstream did. */
  version(upstreamRow: number): number {
    return Atomics.load(
      this.board.int32,
      this.board.layout.upstreamCell(upstreamRow, UpstreamCell.verdictVersion),
    );
  }
}
