// A connection's receiving side: bytes that have arrived and are not used yet, and a way to get more.
//
// One owner at a time: the head parser first, then the message's body. The buffer is small while a
// connection is idle and is lent by whoever owns the inlet.

import { findSectionEnd } from "./fields.ts";

/** Where bytes come from: a number of bytes read, or null when the peer closed its side. */
export interface ByteSource {
  read(into: Uint8Array): Promise<number | null>;
  /** The peer waits to be told to send; absent where none does. */
  readonly withheld?: boolean;
}

export class Inlet {
  /** Unused bytes are `bytes[start..end)`. */
  start = 0;
  end = 0;
  /** Of the unused bytes, how many from the first on hold no end of a section. */
  searched = 0;

  constructor(public bytes: Uint8Array<ArrayBuffer>, readonly source: ByteSource) {}

  get available(): number {
    return this.end - this.start;
  }

  /** Where the search for the end of a section goes on: its mark may begin in what was searched. */
  get unsearched(): number {
    return this.start + Math.max(0, this.searched - 3);
  }

  /**
   * The index just after the blank line that ends the section of lines which the unused bytes begin with, or -1 when it
   * is not there yet.
   */
  sectionEnd(): number {
    return findSectionEnd(this.bytes, this.unsearched, this.end);
  }

  /** Where the next read goes; call `makeRoom` before. */
  get room(): Uint8Array {
    return this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
  }

  /** Reads more behind what is there; false at the end of the connection. Needs room: see `makeRoom`. */
  async fill(): Promise<boolean> {
    const count = await this.source.read(this.room);
    if (count === null) return false;
    this.end += count;
    return true;
  }

  /** Moves unused bytes to the front, into a larger buffer if they fill this one; false beyond `bytesMax`. */
  makeRoom(bytesMax: number): boolean {
    if (this.end < this.bytes.length) return true;
    const available = this.available;
    let target = this.bytes;
    if (available === this.bytes.length) {
      if (available >= bytesMax) return false;
      target = new Uint8Array(Math.min(bytesMax, available * 2));
    }
    target.set(this.bytes.subarray(this.start, this.end));
    this.bytes = target;
    this.start = 0;
    this.end = available;
    return true;
  }

  /** Takes `count` of the unused bytes as a view; valid until the next fill. */
  take(count: number): Uint8Array<ArrayBuffer> {
    const from = this.start;
    const view = this.bytes.subarray(from, from + count);
    this.skip(count);
    return view;
  }

  /** Passes over `count` of the unused bytes. */
  skip(count: number): void {
    this.searched = 0;
    this.start += count;
    if (this.start === this.end) this.start = this.end = 0;
  }

  /** Passes over all of them. */
  clear(): void {
    this.start = this.end = this.searched = 0;
  }
}
