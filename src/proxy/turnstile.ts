// How many requests begin in one turn of the event loop.
//
// Deno completes 128 operations on sockets in a turn (the budget that tokio gives a task), and begins the next one
// with those that came last. If more than that begin in every turn, the oldest wait until the load ends: of 512
// busy clients some got every answer, others none (docs/decisions/turnstile.md). `handler.ts` passes here first.

import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** A request takes up to four operations beyond what it waits for: they fit into a turn with room for others. */
const PER_TURN = 24;
/** When a turn could not be told, the next try is this much later: until then nobody waits. */
const AGAIN_MS = 30_000;

/** Those that begin in the same turn. */
interface Batch {
  size: number;
  readonly begins: Promise<void>;
  readonly begin: () => void;
}

export class Turnstile {
  /** How many have begun: the number of the latest. */
  begun = 0;
  /** Up to this one they began before the loop turned. */
  private past = 0;
  /** Everything passes at once. */
  private open = false;
  private turning = false;
  private readonly waiting: Batch[] = [];
  private readonly again: Timer = new Timer(() => this.turnRound());

  constructor(
    /** Resolves once the loop has turned; after a rejection everything passes until it does again. */
    private readonly turn: () => Promise<void>,
    private readonly wheel: Pick<TimerWheel, "arm">,
  ) {}

  /** Null to whoever may begin at once; others are told when, in the order in which they came. Never rejects. */
  pass(): Promise<void> | null {
    const full = this.begun - this.past >= PER_TURN && !this.open;
    if (full || this.waiting.length > 0) return this.queue();
    this.begun++;
    return null;
  }

  /**
   * The loop has turned since the one of this number began, or several of which it is the last. It has when an answer
   * is here, which saves looking.
   */
  turnedSince(number: number): void {
    if (number > this.past) this.past = number;
  }

  private queue(): Promise<void> {
    let batch = this.waiting.at(-1);
    if (batch === undefined || batch.size === PER_TURN) {
      const { promise, resolve } = Promise.withResolvers<void>();
      batch = { size: 0, begins: promise, begin: resolve };
      this.waiting.push(batch);
    }
    batch.size++;
    if (!this.turning) this.turnRound();
    return batch.begins;
  }

  private async turnRound(): Promise<void> {
    this.turning = true;
    try {
      do {
        await this.turn();
        this.open = false;
        this.past = this.begun;
        this.begin(this.waiting.shift());
      } while (this.waiting.length > 0);
    } catch {
      this.open = true;
      for (const batch of this.waiting.splice(0)) this.begin(batch);
      this.wheel.arm(this.again, AGAIN_MS);
    }
    this.turning = false;
  }

  private begin(batch: Batch | undefined): void {
    if (batch === undefined) return;
    this.begun += batch.size;
    batch.begin();
  }
}
