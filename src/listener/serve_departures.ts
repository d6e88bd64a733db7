// Clients that leave while their request is being answered.
//
// Deno tells it by `request.signal`, which costs more than most requests take. So a request is only watched
// when it has taken a moment: until then it stands in a list, linked through the requests themselves, that a
// timer walks from the oldest. A client that left before that is told of at once when its watch begins; not so over
// HTTP/2, where Deno tells only whoever has asked by then.
// Those that are watched stand in a list of their own to their end, as Deno ends none once it shuts down.

import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { type Linked, LinkedList } from "./linked_list.ts";

/** A request that may outlive its client. */
export interface Watched extends Linked<Watched> {
  /** Begins to listen for the client's leaving. */
  watch(): void;
  /** Its client is not waited for any more: it ends as if the client had left. */
  leave(): void;
  /** Monotonic milliseconds; 0 before the first walk, Infinity from the watch on. */
  watchAt: number;
}

/** Milliseconds after which a request is watched. */
const WATCH_AFTER_MS = 20;

export class Departures {
  /** True once every request was told to leave. */
  over = false;
  /** Requests that stand here. */
  count = 0;
  private readonly young = new LinkedList<Watched>();
  private readonly watched = new LinkedList<Watched>();
  private readonly timer: Timer;

  constructor(private readonly wheel: TimerWheel) {
    this.timer = new Timer(() => this.walk());
  }

  /** A request began. */
  add(watched: Watched): void {
    this.count++;
    watched.watchAt = 0;
    this.young.add(watched);
    if (this.timer.deadline === Infinity) this.wheel.arm(this.timer, WATCH_AFTER_MS);
  }

  /** A request began of which Deno would not tell later: it is watched at once. */
  watch(watched: Watched): void {
    this.count++;
    this.hear(watched);
  }

  private hear(watched: Watched): void {
    watched.watchAt = Infinity;
    this.watched.add(watched);
    watched.watch();
  }

  /** It is over, or no longer waits for its client; harmless when it stands here no more. */
  remove(watched: Watched): void {
    const line = watched.watchAt === Infinity ? this.watched : this.young;
    if (line.remove(watched)) this.count--;
  }

  /** Whoever stood here at the last walk already has taken long enough. */
  private walk(): void {
    const { now } = this.wheel;
    for (let watched = this.young.oldest; watched !== null;) {
      const next = watched.newer;
      if (watched.watchAt === 0) watched.watchAt = now + WATCH_AFTER_MS;
      else if (watched.watchAt <= now) {
        this.young.remove(watched);
        this.hear(watched);
      }
      watched = next;
    }
    if (this.young.oldest !== null) this.wheel.arm(this.timer, WATCH_AFTER_MS);
  }

  /** Nobody is waited for any more. */
  leave(): void {
    this.over = true;
    for (const { oldest } of [this.young, this.watched]) {
      for (let watched = oldest; watched !== null; watched = watched.newer) watched.leave();
    }
  }
}
