// A clock that stands still until a test moves it, and the timer wheel that goes by it.

import { TimerWheel } from "../../src/timer_wheel.ts";
import { settled } from "./settled.ts";

export class StillTime {
  readonly wheel: TimerWheel;
  /** Somebody waits for a time: the wheel asks to be told of each tick. */
  ticking = false;

  /** @param now monotonic milliseconds at the beginning */
  constructor(public now = 0) {
    this.wheel = new TimerWheel({
      now: () => this.now,
      every: () => {
        this.ticking = true;
        return () => this.ticking = false;
      },
    });
  }

  /** It is `ms` later, all at once. Settles when what follows from that has happened. */
  pass(ms: number): Promise<void> {
    this.now += ms;
    this.wheel.advance();
    return settled();
  }

  /** Time goes on for `ms`, tick by tick; what follows from one happens before the next. */
  async run(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end;) {
      await this.pass(Math.min(this.wheel.tickMs, end - this.now));
    }
  }
}
