// The pod's door: how many requests are in it at once, over all workers.

import { ColumnCell } from "../board/layout.ts";
import type { OwnColumn, OwnGauge } from "../board/own.ts";

/** A place in the pod. Given back once; giving back twice changes nothing. */
export class Slot {
  private released = false;

  constructor(private readonly admission: Admission) {}

  release(): void {
    if (this.released) return;
    this.released = true;
    this.admission.leave();
  }
}

export class Admission {
  private readonly gauge: OwnGauge;
  private onEmpty: (() => void) | null = null;

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
    return new Slot(this);
  }

  /** A slot was given back. */
  leave(): void {
    this.gauge.add(-1);
    if (this.onEmpty !== null && this.inFlight === 0) this.onEmpty();
  }

  /** Settles when this worker holds no request. Whoever asks later takes the place of who asked before. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      if (this.inFlight === 0) resolve();
      else this.onEmpty = resolve;
    });
  }

  /** Requests that this worker holds now. */
  get inFlight(): number {
    return this.gauge.value;
  }
}
