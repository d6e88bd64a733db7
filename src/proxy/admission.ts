// The pod's door: how many requests are in it at once, over all workers.

import { ColumnCell } from "../board/layout.ts";
import type { OwnColumn, OwnGauge } from "../board/own.ts";

/** A place in the pod. Given back once; giving back twice changes nothing. */
export class Slot {
  private released = false;

  constructor(private readonly gauge: OwnGauge) {}

  release(): void {
    if (this.released) return;
    this.released = true;
    this.gauge.add(-1);
  }
}

export class Admission {
  private readonly gauge: OwnGauge;

  constructor(private readonly own: OwnColumn) {
    this.gauge = own.gauge(ColumnCell.inFlight);
  }

  /** A slot, or null when the pod holds `inFlightMax` requests already. */
  enter(inFlightMax: number): Slot | null {
    this.gauge.add(1);
    // Add, then sum: two workers that check first could both pass.
    if (this.own.board.podInFlight() > inFlightMax) {
      this.gauge.add(-1);
      return null;
    }
    return new Slot(this.gauge);
  }

  /** Requests that this worker holds now. */
  get inFlight(): number {
    return this.gauge.value;
  }
}
