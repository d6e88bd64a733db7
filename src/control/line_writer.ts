// Lines to stdout from all threads: whole, in order, and never in anybody's way.
//
// Workers hand their lines to the main thread, which writes one batch at a time. When whoever reads the
// pipe is slow, lines wait up to a limit and are then dropped and counted: a log must hold up no request, and
// no end of the process either.

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
const LIMITS: LineWriterLimits = { waitingBytesMax: 4_194_304, flushMsMax: 2_000 };

export class LineWriter {
  private waiting: Bytes[] = [];
  private waitingBytes = 0;
  private writing: Promise<void> | null = null;
  /** Lines that nobody took: the reader was too slow, or gone. */
  dropped = 0;

  constructor(
    private readonly sink: LineSink,
    private readonly limits = LIMITS,
    /** Calls back once after so many milliseconds, unless the returned function is called first. */
    private readonly later = timeout,
  ) {}

  /** Takes whole lines, each ended by a newline. */
  write(lines: string | Bytes): void {
    const bytes = typeof lines === "string" ? ENCODER.encode(lines) : lines;
    if (this.waitingBytes + bytes.length > this.limits.waitingBytesMax) {
      this.dropped += linesIn(bytes);
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.writing ??= this.drainQueue();
  }

  private async drainQueue(): Promise<void> {
    // Lines that come in one turn of the event loop leave in one write.
    await Promise.resolve();
    while (this.waiting.length > 0) {
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
    const { waiting, waitingBytes } = this;
    this.waiting = [];
    this.waitingBytes = 0;
    if (waiting.length === 1) return waiting[0]!;
    const all = new Uint8Array(waitingBytes);
    let at = 0;
    for (const bytes of waiting) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
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

function linesIn(bytes: Bytes): number {
  return bytes.reduce((count, byte) => byte === LINE_FEED ? count + 1 : count, 0);
}

function timeout(ms: number, act: () => void): () => void {
  const id = setTimeout(act, ms);
  return () => clearTimeout(id);
}
