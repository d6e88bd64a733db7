// What wakes the requests that wait for an endpoint of an upstream, in whichever worker they wait.
//
// Rung by whoever makes room: a worker that gives a lease back, the control plane with a new verdict or for a
// dead worker. A listener reads `count` first, looks for room, and only then waits: no ring is missed.

import { type Board, UpstreamCell } from "./layout.ts";

export class Bell {
  private readonly cell: number;

  constructor(private readonly board: Board, private readonly upstreamRow: number) {
    this.cell = board.layout.upstreamCell(upstreamRow, UpstreamCell.bell);
  }

  /** Rings so far; wraps around. */
  get count(): number {
    return Atomics.load(this.board.int32, this.cell);
  }

  ring(): void {
    Atomics.add(this.board.int32, this.cell, 1);
    Atomics.notify(this.board.int32, this.cell);
  }

  /** Rings if a request waits anywhere in the pod. */
  ringIfAwaited(): void {
    if (this.board.upstreamWaiting(this.upstreamRow) > 0) this.ring();
  }

  /** Settles once the count is another than `seen`. */
  async rungSince(seen: number): Promise<void> {
    const waiting = Atomics.waitAsync(this.board.int32, this.cell, seen);
    if (waiting.async) await waiting.value;
  }
}
