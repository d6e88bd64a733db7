// When a request must be over, with all its attempts: counted from its head on, wherever it has waited since.

import { Timer, type TimerWheel } from "../timer_wheel.ts";

export class Deadline {
  /** Monotonic milliseconds. */
  readonly at: number;
  private readonly timer: Timer;

  /** @param onOver called once, unless it is disarmed */
  constructor(private readonly wheel: TimerWheel, startedAt: number, ms: number, onOver: () => void) {
    this.at = startedAt + ms;
    this.timer = new Timer(onOver);
    wheel.arm(this.timer, ms, startedAt);
  }

  disarm(): void {
    this.wheel.remove(this.timer);
  }
}
