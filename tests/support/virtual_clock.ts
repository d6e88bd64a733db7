// A Clock that moves only when a test says so.

import type { Cancel, Clock } from "../../src/control/clock.ts";
import { settled } from "./settled.ts";

interface Planned {
  readonly at: number;
  readonly callback: () => void;
}

/** Milliseconds since 1970 when the monotonic clock is at 0. */
export const EPOCH = 1_000_000;

export class VirtualClock implements Clock {
  private time = 0;
  private planned: Planned[] = [];
  /** What `random()` gives, in turn; the middle of the range when there is none left. */
  readonly draws: number[] = [];

  now(): number {
    return this.time;
  }

  date(): number {
    return EPOCH + this.time;
  }

  random(): number {
    return this.draws.shift() ?? 0.5;
  }

  after(ms: number, callback: () => void): Cancel {
    const plan = { at: this.time + ms, callback };
    this.planned.push(plan);
    return () => this.planned = this.planned.filter((other) => other !== plan);
  }

  /** How many calls are waiting for their time. */
  get waiting(): number {
    return this.planned.length;
  }

  /** When the next call is due, monotonic milliseconds; Infinity when none is. */
  get due(): number {
    return Math.min(...this.planned.map(({ at }) => at));
  }

  /** Makes every call that is due within `ms`, in order, each with what follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (let next = this.earliest(end); next !== undefined; next = this.earliest(end)) {
      this.time = next.at;
      this.planned = this.planned.filter((other) => other !== next);
      next.callback();
      await settled();
    }
    this.time = end;
  }

  private earliest(end: number): Planned | undefined {
    return this.planned.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/** For what is made today, as certificates are. */
export class ClockOfToday extends VirtualClock {
  readonly #start = Date.now();
  override date(): number {
    return this.#start + this.now();
  }
}
