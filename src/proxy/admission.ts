// How many requests the pod holds at once, over all workers, and a slot for each that it lets in.

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
  /** Whoever waits until this worker holds no request; null for nobody. */
  private emptied: PromiseWithResolvers<void> | null = null;

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

  /** Whether the pod holds `inFlightMax` requests. */
  isFull(inFlightMax: number): boolean {
    return this.own.board.podInFlight() >= inFlightMax;
  }

  /** A slot was given back. */
  leave(): void {
    this.gauge.add(-1);
    if (this.emptied === null || this.inFlight > 0) return;
    this.emptied.resolve();
    this.emptied = null;
  }

  /** Settles when this worker holds no request. */
  empty(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return (this.emptied ??= Promise.withResolvers<void>()).promise;
  }

  /** Requests that this worker holds now. */
  get inFlight(): number {
    return this.gauge.value;
  }
}
