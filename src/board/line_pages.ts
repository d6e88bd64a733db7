// Log lines on their way from a worker to the main thread, in memory that both see.
//
// A message that carries its bytes costs a copy and fresh memory on either thread, and tens of megabytes a second are
// soon garbage that has to be collected; a page is written again and again. The worker lends one with a message, whoever
// reads it gives it back. While all are lent, since the main thread is busy, lines travel as messages carry them
// (docs/decisions/log_lines.md).

const PAGES = 2;
/** At the beginning of a page: whether it is lent. */
const HEADER_BYTES = 8;

interface Page {
  /** 1 while somebody reads it. */
  readonly lent: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
}

export class LinePages {
  /** Made when they are needed: a log that is off has none. */
  private readonly pages: Page[] = [];

  constructor(private readonly pageBytes: number) {}

  /** The same lines where another thread finds them; `lines` may be written again at once. */
  lend(lines: Uint8Array): Uint8Array {
    const page = lines.length > this.pageBytes ? null : this.free();
    if (page === null) return lines.slice();
    Atomics.store(page.lent, 0, 1);
    page.bytes.set(lines);
    return page.bytes.subarray(0, lines.length);
  }

  private free(): Page | null {
    const page = this.pages.find(({ lent }) => Atomics.load(lent, 0) === 0);
    if (page !== undefined) return page;
    return this.pages.length < PAGES ? this.add() : null;
  }

  private add(): Page {
    const memory = new SharedArrayBuffer(HEADER_BYTES + this.pageBytes);
    const page = { lent: new Int32Array(memory, 0, 1), bytes: new Uint8Array(memory, HEADER_BYTES) };
    this.pages.push(page);
    return page;
  }
}

/** What another thread has lent is read: its memory may be written again. */
export function givePageBack({ buffer }: Uint8Array): void {
  if (buffer instanceof SharedArrayBuffer) Atomics.store(new Int32Array(buffer, 0, 1), 0, 0);
}
