// A body whose beginning is waited for, for a moment: so that an answer over TLS leaves in one piece when its end is
// near.
//
// Deno cannot set TCP_NODELAY on a connection with TLS, so a small piece that follows another one waits until the
// client has acknowledged that (40 ms, mostly). What comes within the moment goes out together; then the rest
// passes as it comes, and nobody waits for a slow endpoint's last byte to see its first one.

import type { Body, HeaderLines } from "../exchange.ts";
import { PIECES } from "../http1/buffers.ts";
import { copyOut } from "../http1/slab.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** Longest time that a first byte is held back, milliseconds. */
export const PATIENCE_MS = 10;

export class Beginning implements Body {
  /** What has come and is not read yet is `buffer[start..end)`. */
  private buffer: Uint8Array<ArrayBuffer> | null = PIECES.take();
  private start = 0;
  private end = 0;
  private patient = true;
  private gathering = true;
  /** No more follows what has come: the body has ended, or failed. */
  private over = false;
  private failure: { readonly error: unknown } | null = null;
  /** Settles when nothing is read ahead any more. Never rejects. */
  private readonly gathered: Promise<void>;

  constructor(private readonly body: Body, private readonly wheel: TimerWheel) {
    this.gathered = this.gather(this.buffer!);
  }

  get length(): number | null {
    return this.body.length;
  }

  get trailers(): HeaderLines {
    return this.body.trailers ?? [];
  }

  get ready(): boolean {
    return this.start < this.end || this.over || (!this.gathering && this.body.ready === true);
  }

  /** Settles when all has come that is waited for: the whole body, a buffer full, or what came in time. */
  async waited(): Promise<void> {
    const impatient = Promise.withResolvers<void>();
    const timer = new Timer(() => {
      this.patient = false;
      impatient.resolve();
    });
    this.wheel.arm(timer, PATIENCE_MS);
    await Promise.race([this.gathered, impatient.promise]);
    this.wheel.remove(timer);
    this.patient = false;
  }

  private async gather(buffer: Uint8Array): Promise<void> {
    try {
      while (this.patient && !this.over && this.end < buffer.length) {
        const room = buffer.subarray(this.end);
        const piece = await this.body.read(room);
        if (piece === null) this.over = true;
        else {
          if (piece.buffer !== room.buffer) room.set(piece);
          this.end += piece.length;
          this.over = this.end === this.body.length;
        }
      }
    } catch (error) {
      this.over = true;
      this.failure = { error };
    }
    this.gathering = false;
  }

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    // What is read ahead comes first.
    if (this.start === this.end && !this.over) await this.gathered;
    if (this.start < this.end) return this.take(into);
    this.letGo();
    if (this.failure !== null) throw this.failure.error;
    return this.over ? null : await this.body.read(into);
  }

  private take(into: Uint8Array | undefined): Uint8Array {
    const count = Math.min(this.end - this.start, into?.length ?? Infinity);
    const view = this.buffer!.subarray(this.start, this.start + count);
    const piece = into === undefined ? copyOut(view) : into.subarray(0, count);
    into?.set(view);
    this.start += count;
    if (this.start === this.end && !this.gathering) this.letGo();
    return piece;
  }

  /** The whole body, to be copied before the next call of anything; null while it has not ended in order. */
  whole(): Uint8Array<ArrayBuffer> | null {
    return this.over && this.failure === null ? this.buffer!.subarray(this.start, this.end) : null;
  }

  takeWhole(): null {
    return null;
  }

  copyWhole(): number {
    return -1;
  }

  cancel(): void {
    this.body.cancel();
    this.gathered.then(() => this.letGo());
  }

  /** Gives memory back. */
  letGo(): void {
    if (this.buffer !== null) PIECES.give(this.buffer);
    this.buffer = null;
    this.start = this.end = 0;
  }
}
