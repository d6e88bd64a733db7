// Clients that leave while their request is being answered.
//
// Deno tells it by `request.signal`, which costs more than most requests take. So a request is only watched
// when it has taken a moment: until then it stands in a list, linked through the requests themselves, that a
// timer walks from the oldest. A client that left before that is told of at once when its watch begins.

import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** A request that may outlive its client. */
export interface Watched {
  /** Begins to listen for the client's leaving. */
  watch(): void;
  /** Monotonic milliseconds; set while it stands in the list. */
  watchAt: number;
  older: Watched | null;
  newer: Watched | null;
}

/** Milliseconds after which a request is watched. */
const WATCH_AFTER_MS = 20;

export class Departures {
  private oldest: Watched | null = null;
  private newest: Watched | null = null;
  private readonly timer: Timer;

  constructor(private readonly wheel: TimerWheel) {
    this.timer = new Timer(() => this.walk());
  }

  /** A request began. */
  add(watched: Watched): void {
    watched.watchAt = 0;
    watched.older = this.newest;
    watched.newer = null;
    if (this.newest === null) this.oldest = watched;
    else this.newest.newer = watched;
    this.newest = watched;
    if (this.timer.deadline === Infinity) this.wheel.arm(this.timer, WATCH_AFTER_MS);
  }

  /** It was answered, or is watched now. Harmless when it stands in the list no more. */
  remove(watched: Watched): void {
    const { older, newer } = watched;
    if (older === null && newer === null && this.oldest !== watched) return;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.newest = older;
    else newer.older = older;
    watched.older = watched.newer = null;
  }

  /** Whoever stood here at the last walk already has taken long enough. */
  private walk(): void {
    const { now } = this.wheel;
    for (let watched = this.oldest; watched !== null;) {
      const next = watched.newer;
      if (watched.watchAt === 0) watched.watchAt = now + WATCH_AFTER_MS;
      else if (watched.watchAt <= now) {
        this.remove(watched);
        watched.watch();
      }
      watched = next;
    }
    if (this.oldest !== null) this.wheel.arm(this.timer, WATCH_AFTER_MS);
  }
}
