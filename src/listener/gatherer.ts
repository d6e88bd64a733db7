// Reads of a connection that bring all that is there in one piece.
//
// While nothing comes it holds a small buffer; what does not fit goes on into a large one, which is given back
// when the connection has run dry. Only the first bytes of a piece are waited for.

import { PIECES } from "../http1/buffers.ts";
import { readSome } from "../http1/read_some.ts";
import { isPending } from "./pending.ts";

/** Holds most small answers. */
const SMALL_BYTES = 4_096;

export class Gatherer {
  private readonly small = new Uint8Array(SMALL_BYTES);
  private large: Uint8Array<ArrayBuffer> | null = null;
  /** A read that is under way, into `large` from `start` on. */
  private ahead: Promise<number> | null = null;
  private start = 0;
  /** The last piece reached the end of `large`: more is likely there. */
  private brimful = false;

  constructor(private readonly source: Pick<Deno.Conn, "read">) {}

  /** One piece, to be used up before the next call; null at the end. Rejects when the connection is broken. */
  async next(): Promise<Uint8Array | null> {
    if (this.ahead === null && !this.brimful) return await this.nextFromSmall();
    this.ahead ??= readSome(this.source, this.large!);
    const count = await this.ahead;
    this.ahead = null;
    return count === 0 ? null : this.piece(this.start, this.start + count);
  }

  private async nextFromSmall(): Promise<Uint8Array | null> {
    this.release();
    const count = await readSome(this.source, this.small);
    if (count === 0) return null;
    if (count < this.small.length) return this.small.subarray(0, count);
    this.large = PIECES.take();
    this.large.set(this.small);
    this.start = count;
    this.ahead = readSome(this.source, this.large.subarray(count));
    if (await isPending(this.ahead)) return this.small;
    let more: number;
    try {
      more = await this.ahead;
    } catch {
      // For the next call to tell.
      return this.small;
    }
    this.ahead = null;
    return this.piece(0, count + more);
  }

  private piece(start: number, end: number): Uint8Array {
    this.start = 0;
    this.brimful = end === this.large!.length;
    return this.large!.subarray(start, end);
  }

  /** Gives memory back. To be called at the end. */
  release(): void {
    const { large, ahead } = this;
    this.large = null;
    if (large === null) return;
    const give = () => PIECES.give(large);
    // A read that is under way would fill what is somebody else's by then.
    if (ahead === null) give();
    else ahead.then(give, give);
  }
}
