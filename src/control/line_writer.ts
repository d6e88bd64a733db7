// Lines to stdout from all threads: whole, in order, and never in anybody's way.
//
// Workers hand their lines to the main thread, which writes one batch at a time. When whoever reads the
// pipe is slow, lines wait up to a limit and are then dropped and counted: a log must not hold up a request.

export interface LineSink {
  write(bytes: Uint8Array): Promise<number>;
}

export class LineWriter {
  private waiting = "";
  private writing: Promise<void> | null = null;
  /** Lines dropped because the reader was too slow. */
  dropped = 0;

  constructor(
    private readonly sink: LineSink,
    /** Characters that may wait. */
    private readonly waitingMax = 4_194_304,
  ) {}

  /** Takes whole lines, each ended by a newline. */
  write(lines: string): void {
    if (this.waiting.length + lines.length > this.waitingMax) {
      this.dropped += lines.split("\n").length - 1;
      return;
    }
    this.waiting += lines;
    this.writing ??= this.drainQueue();
  }

  private async drainQueue(): Promise<void> {
    // Lines that come in one turn of the event loop leave in one write.
    await Promise.resolve();
    while (this.waiting !== "") {
      const bytes = new TextEncoder().encode(this.waiting);
      this.waiting = "";
      try {
        for (let sent = 0; sent < bytes.length;) sent += await this.sink.write(bytes.subarray(sent));
      } catch {
        // Nobody reads stdout any more; that is no reason to stop serving.
      }
    }
    this.writing = null;
  }

  /** Settles when all lines so far are written. */
  async flush(): Promise<void> {
    while (this.writing !== null) await this.writing;
  }
}
