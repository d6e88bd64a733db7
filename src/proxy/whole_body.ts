// The body of an answer that Weir makes itself: it is all in memory, so whoever sends it takes it in one piece.

import type { Body } from "../exchange.ts";

/** `text` as a body, in UTF-8. */
export function wholeText(text: string): WholeBody {
  return new WholeBody(new TextEncoder().encode(text));
}

/** A body that is all in memory. */
export class WholeBody implements Body {
  private bytes: Uint8Array<ArrayBuffer> | null;
  readonly length: number;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.length = bytes.length;
  }

  read(): Promise<Uint8Array | null> {
    const bytes = this.bytes;
    this.bytes = null;
    return Promise.resolve(bytes === null || bytes.length === 0 ? null : bytes);
  }

  takeWhole(): Uint8Array | null {
    const { bytes } = this;
    this.bytes = null;
    return bytes;
  }

  copyWhole(into: Uint8Array, at: number): number {
    const { bytes } = this;
    if (bytes === null || into.length - at < bytes.length) return -1;
    this.bytes = null;
    into.set(bytes, at);
    return bytes.length;
  }

  lendWhole(use: (bytes: Uint8Array<ArrayBuffer>) => void): number {
    const { bytes } = this;
    if (bytes === null) return -1;
    this.bytes = null;
    use(bytes);
    return bytes.length;
  }

  cancel(): void {
    this.bytes = null;
  }
}
