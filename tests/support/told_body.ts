import type { Body } from "../../src/exchange.ts";

const encoder = new TextEncoder();

/** A body that gives what the test says, when it says so. */
export class ToldBody implements Body {
  readonly trailers = ["x-end", "1"];
  cancelled = false;
  withheld = false;
  /** A read waits for what is told next. */
  awaited = false;
  private readonly coming: (string | null | Error)[] = [];
  private wake = () => {};

  constructor(readonly length: number | null) {}

  tell(...what: (string | null | Error)[]): void {
    this.coming.push(...what);
    this.wake();
  }

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    while (this.coming.length === 0) {
      this.awaited = true;
      await new Promise<void>((resolve) => this.wake = resolve);
      this.awaited = false;
    }
    const next = this.coming.shift()!;
    if (next instanceof Error) throw next;
    if (next === null) return null;
    const bytes = encoder.encode(next);
    if (into === undefined) return bytes;
    into.set(bytes);
    return into.subarray(0, bytes.length);
  }

  takeWhole(): null {
    return null;
  }

  copyWhole(): number {
    return -1;
  }

  cancel(): void {
    this.cancelled = true;
  }
}
