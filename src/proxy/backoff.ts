// The wait before a retry: how long, and its early end when the client leaves.

import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** Full jitter: uniform below base x 2^(attempt - 1), at most the cap, in milliseconds. */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number): number {
  return Math.min(capMs, baseMs * 2 ** (attempt - 1)) * random();
}

export class Backoff {
  private readonly waited = Promise.withResolvers<void>();
  private readonly timer = new Timer(this.waited.resolve);

  constructor(private readonly wheel: TimerWheel, ms: number) {
    wheel.arm(this.timer, ms);
  }

  /** Settles when the wait is over. */
  get over(): Promise<void> {
    return this.waited.promise;
  }

  /** Waits no longer. Harmless when it is over. */
  end(): void {
    this.wheel.remove(this.timer);
    this.waited.resolve();
  }
}
