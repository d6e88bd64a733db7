// Lines to stdout from all threads: whole, in order, and never in anybody's way.
//
// Workers hand their lines to the main thread, which writes one batch at a time. When whoever reads the
// pipe is slow, lines wait up to a limit and are then dropped and counted: a log must hold up no request, and
// no end of the process either.

import { timeout } from "../timeout.ts";

export interface LineSink {
  write(bytes: Uint8Array): Promise<number>;
}

export interface LineWriterLimits {
  /** Bytes that may wait. */
  readonly waitingBytesMax: number;
  /** How long `flush` waits. */
  readonly flushMsMax: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();
const LINE_FEED = 10;
/** Memory of this size is used again. */
const KEPT_BYTES_MAX = 524_288;
const LIMITS: LineWriterLimits = { waitingBytesMax: 4_194_304, flushMsMax: 2_000 };

export class LineWriter {
  /** Lines that wait, in the first `waitingBytes` of it. */
  private waiting: Bytes = new Uint8Array(0);
  private waitingBytes = 0;
  /** What is being written, or was: the two take turns. */
  private leaving: Bytes = new Uint8Array(0);
  private writing: Promise<void> | null = null;
  /** Lines that nobody took: the reader was too slow, or gone. */
  dropped = 0;

  constructor(
    private readonly sink: LineSink,
    private readonly limits = LIMITS,
    /** Calls back once after so many milliseconds, unless the returned function is called first. */
    private readonly later = timeout,
  ) {}

  /** Takes whole lines, each ended by a newline; the caller may use their memory again. */
  write(lines: string | Uint8Array): void {
    const bytes = typeof lines === "string" ? ENCODER.encode(lines) : lines;
    const needed = this.waitingBytes + bytes.length;
    if (needed > this.limits.waitingBytesMax) {
      this.dropped += linesIn(bytes);
      return;
    }
    if (needed > this.waiting.length) this.makeRoom(needed);
    this.waiting.set(bytes, this.waitingBytes);
    this.waitingBytes = needed;
    this.writing ??= this.drainQueue();
  }

  private makeRoom(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.waiting.length * 2));
    larger.set(this.waiting.subarray(0, this.waitingBytes));
    this.waiting = larger;
  }

  private async drainQueue(): Promise<void> {
    // Lines that come in one turn of the event loop leave in one write.
    await Promise.resolve();
    while (this.waitingBytes > 0) {
      const bytes = this.takeAll();
      const sent = await this.send(bytes);
      this.dropped += linesIn(bytes.subarray(sent));
    }
    this.writing = null;
  }

  /** @returns how many bytes were taken: all of them, unless writing failed */
  private async send(bytes: Bytes): Promise<number> {
    let sent = 0;
    try {
      while (sent < bytes.length) sent += await this.sink.write(bytes.subarray(sent));
    } catch {
      // Nobody reads stdout any more; that is no reason to stop serving.
    }
    return sent;
  }

  private takeAll(): Bytes {
    const { waiting, waitingBytes, leaving } = this;
    // What grew while the reader was slow is let go.
    this.waiting = leaving.length > KEPT_BYTES_MAX ? new Uint8Array(0) : leaving;
    this.waitingBytes = 0;
    this.leaving = waiting;
    return waiting.subarray(0, waitingBytes);
  }

  /** Settles when all lines so far are written, or have had their time. */
  async flush(): Promise<void> {
    const overdue = Promise.withResolvers<void>();
    const stopWaiting = this.later(this.limits.flushMsMax, overdue.resolve);
    await Promise.race([this.written(), overdue.promise]);
    stopWaiting();
  }

  private async written(): Promise<void> {
    while (this.writing !== null) await this.writing;
  }
}

function linesIn(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => byte === LINE_FEED ? count + 1 : count, 0);
}
