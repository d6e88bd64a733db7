// Lines to stdout from all threads: whole, in order, and never in anybody's way.
//
// Workers hand their lines to the main thread, which writes one batch at a time. When whoever reads the
// pipe is slow, lines wait up to a limit and are then dropped and counted: a log must not hold up a request.

export interface LineSink {
  write(bytes: Uint8Array): Promise<number>;
}

type Bytes = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();
const LINE_FEED = 10;

export class LineWriter {
  private waiting: Bytes[] = [];
  private waitingBytes = 0;
  private writing: Promise<void> | null = null;
  /** Lines dropped because the reader was too slow. */
  dropped = 0;

  constructor(
    private readonly sink: LineSink,
    /** Bytes that may wait. */
    private readonly waitingBytesMax = 4_194_304,
  ) {}

  /** Takes whole lines, each ended by a newline. */
  write(lines: string | Bytes): void {
    const bytes = typeof lines === "string" ? ENCODER.encode(lines) : lines;
    if (this.waitingBytes + bytes.length > this.waitingBytesMax) {
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
      try {
        for (let sent = 0; sent < bytes.length;) sent += await this.sink.write(bytes.subarray(sent));
      } catch {
        // Nobody reads stdout any more; that is no reason to stop serving.
      }
    }
    this.writing = null;
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

  /** Settles when all lines so far are written. */
  async flush(): Promise<void> {
    while (this.writing !== null) await this.writing;
  }
}

function linesIn(bytes: Bytes): number {
  return bytes.reduce((count, byte) => byte === LINE_FEED ? count + 1 : count, 0);
}
