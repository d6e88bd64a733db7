// What the queue of requests that wait for room promises, in the plainest words: a list from which everybody is asked.

import type { OwnColumn, OwnGauge } from "../../src/board/own.ts";
import type { NoLease, QueueLimits, Waiter } from "../../src/proxy/pending_queue.ts";
import { Timer, type TimerWheel } from "../../src/timer_wheel.ts";
import type { Lease } from "../../src/upstream/lease.ts";

interface Place {
  readonly waiter: Waiter;
  readonly settle: (result: Lease | NoLease) => void;
}

export class PlainQueue {
  private places: Place[] = [];
  private readonly gauge: OwnGauge;

  constructor(
    private readonly own: OwnColumn,
    private readonly row: number,
    private readonly wheel: TimerWheel,
  ) {
    this.gauge = own.upstreamWaiting(row);
  }

  get size(): number {
    return this.places.length;
  }

  /** From the first to the last; nobody passes one that may go everywhere. */
  letsPass(): boolean {
    for (const place of [...this.places]) {
      const result = place.waiter.claim();
      if (result !== "full") this.end(place, result);
      else if (!place.waiter.particular) return false;
    }
    return true;
  }

  wait(waiter: Waiter, { queueMax, timeoutMs }: QueueLimits): Promise<Lease | NoLease> {
    if (this.own.board.upstreamWaiting(this.row) >= queueMax) return Promise.resolve("queueFull");
    this.gauge.add(1);
    return new Promise((resolve) => {
      const timer = new Timer(() => this.giveUp(place, "queueTimeout"));
      const settle = (result: Lease | NoLease) => {
        this.wheel.remove(timer);
        this.gauge.add(-1);
        resolve(result);
      };
      const place = { waiter, settle };
      this.places.push(place);
      this.wheel.arm(timer, timeoutMs);
      this.letsPass();
    });
  }

  leave(waiter: Waiter): void {
    const place = this.places.find((each) => each.waiter === waiter);
    if (place !== undefined) this.giveUp(place, "clientGone");
  }

  private giveUp(place: Place, why: NoLease): void {
    this.end(place, why);
    if (!place.waiter.particular) this.letsPass();
  }

  /** Nothing wakes it: whoever changes something has everybody asked. */
  poke(): void {}

  private end(place: Place, result: Lease | NoLease): void {
    this.places = this.places.filter((each) => each !== place);
    place.settle(result);
  }
}
