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
  /** How many have passed since the loop is known to have turned. */
  private passed = 0;
  /** Everything passes at once. */
  private open = false;
  private readonly waiting: Batch[] = [];
  private readonly again: Timer = new Timer(() => this.turnRound());

  constructor(
    /** Resolves once the loop has turned; after a rejection everything passes until it does again. */
    private readonly turn: () => Promise<void>,
    private readonly wheel: Pick<TimerWheel, "arm">,
  ) {}

  /** Null to whoever may begin at once; others are told when, in the order in which they came. Never rejects. */
  pass(): Promise<void> | null {
    if (this.passed === PER_TURN) return this.open ? null : this.queue();
    this.passed++;
    if (this.passed === PER_TURN) this.turnRound();
    return null;
  }

  private queue(): Promise<void> {
    let batch = this.waiting.at(-1);
    if (batch === undefined || batch.size === PER_TURN) {
      const { promise, resolve } = Promise.withResolvers<void>();
      batch = { size: 0, begins: promise, begin: resolve };
      this.waiting.push(batch);
    }
    batch.size++;
    return batch.begins;
  }

  private async turnRound(): Promise<void> {
    try {
      while (this.passed === PER_TURN) {
        await this.turn();
        this.open = false;
        const batch = this.waiting.shift();
        this.passed = batch?.size ?? 0;
        batch?.begin();
      }
    } catch {
      this.open = true;
      for (const batch of this.waiting.splice(0)) batch.begin();
      this.wheel.arm(this.again, AGAIN_MS);
    }
  }
}
