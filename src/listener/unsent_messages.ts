// What the messages of a WebSocket cost that its client has not taken yet: their bytes, which Deno tells, and what it
// keeps of each beside them, which it does not tell. Of messages of a byte each a limit on bytes alone would be none on memory.
//
// Deno writes them in their order, so that the bytes which are left tell which messages are. Empty ones leave no trace: of
// those so many count for nothing in so much time.

/** What Deno 2.9.6 keeps of a message beside its bytes, until it is written. */
export const MESSAGE_BYTES = 1_024;
/** Messages that are counted as one: of them all are left until none is. */
const BATCH_MAX = 64;
/** Empty messages that may be on their way unseen, and for how long. */
export const EMPTIES_MAX = 4_096;
export const EMPTIES_MS = 30_000;

interface Batch {
  messages: number;
  /** Bytes that were handed over by the end of it, since the beginning. */
  endsAt: number;
}

export class UnsentMessages {
  private handedOver = 0;
  /** Of which some may not have been taken. */
  private readonly batches: Batch[] = [];
  private messages = 0;
  private empties = 0;
  private emptiesSince = -Infinity;

  /** One was handed over. @param now milliseconds of any clock */
  add(bytes: number, now: number): void {
    if (bytes === 0) return this.addEmpty(now);
    this.handedOver += bytes;
    this.messages++;
    const last = this.batches.at(-1);
    if (last === undefined || last.messages === BATCH_MAX) {
      this.batches.push({ messages: 1, endsAt: this.handedOver });
    } else {
      last.messages++;
      last.endsAt = this.handedOver;
    }
  }

  private addEmpty(now: number): void {
    if (now - this.emptiesSince >= EMPTIES_MS) {
      this.emptiesSince = now;
      this.empties = 0;
    }
    this.empties++;
  }

  /** Bytes of memory. @param bytes those that have not been taken */
  cost(bytes: number, now: number): number {
    const { batches } = this;
    const taken = this.handedOver - bytes;
    while (batches.length > 0 && batches[0]!.endsAt <= taken) this.messages -= batches.shift()!.messages;
    const unseen = now - this.emptiesSince < EMPTIES_MS && this.empties > EMPTIES_MAX ? this.empties : 0;
    return bytes + (this.messages + unseen) * MESSAGE_BYTES;
  }
}
