// How many requests begin in one turn of the event loop.
//
// Deno completes 128 operations on sockets in a turn (the budget that tokio gives a task), and begins the next one
// with those that came last. If more than that begin in every turn, the oldest wait until the load ends: of 512
// busy clients some got every answer, others none (docs/decisions/turnstile.md). `handler.ts` passes here first.

/** A request takes up to four operations beyond what it waits for: they fit into a turn with room for others. */
const PER_TURN = 24;

/** Those that begin in the same turn. */
interface Batch {
  size: number;
  readonly begins: Promise<void>;
  readonly begin: () => void;
}

export class Turnstile {
  /** How many have passed since the loop is known to have turned. */
  private passed = 0;
  private broken = false;
  private readonly waiting: Batch[] = [];

  /** @param turn resolves once the loop has turned; after a rejection everything passes at once */
  constructor(private readonly turn: () => Promise<void>) {}

  /** Null to whoever may begin at once; others are told when, in the order in which they came. Never rejects. */
  pass(): Promise<void> | null {
    if (this.passed === PER_TURN) return this.broken ? null : this.queue();
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
        const batch = this.waiting.shift();
        this.passed = batch?.size ?? 0;
        batch?.begin();
      }
    } catch {
      this.broken = true;
      for (const batch of this.waiting.splice(0)) batch.begin();
    }
  }
}
