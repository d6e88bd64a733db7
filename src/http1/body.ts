// Bodies as they come in over a connection: by length, chunked, or until the peer closes (RFC 9112 6, 7).
//
// Each reads through the connection's inlet and stops exactly at its end, so that what follows on the
// connection is the next message. A body that breaks off or breaks its framing throws: it never just ends.

import { type Body, BodyError, type HeaderLines } from "../exchange.ts";
import { Http1Error } from "./error.ts";
import { findSectionEnd, parseFieldLines } from "./fields.ts";
import type { Framing } from "./framing.ts";
import type { Inlet } from "./inlet.ts";
import { copyOut } from "./slab.ts";
import { decodeLatin1 } from "./latin1.ts";

/** Called once when a body was read to its end (`true`) or will not be (`false`). */
export type BodyEnd = (complete: boolean) => void;

/** Read size when the caller brings no buffer. */
const FRESH_BYTES = 65_536;
/** RFC 9112 7.1.1: a recipient limits the length of chunk extensions. */
const CHUNK_LINE_BYTES_MAX = 4_096;
const TRAILER_BYTES_MAX = 16_384;

/** What all bodies share: ending once, and copying out of the inlet when the caller keeps the bytes. */
abstract class InletBody implements Body {
  abstract readonly length: number | null;
  private ended = false;

  constructor(protected readonly inlet: Inlet, private readonly onEnd: BodyEnd) {}

  abstract read(into?: Uint8Array): Promise<Uint8Array | null>;

  takeWhole(_into?: Uint8Array): Uint8Array | null {
    return null;
  }

  get ready(): boolean {
    return this.inlet.available > 0;
  }

  cancel(): void {
    this.end(false);
  }

  protected end(complete: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd(complete);
  }

  protected truncated(): BodyError {
    this.end(false);
    return new BodyError("truncated", "connection closed before the end of the body");
  }

  /** Up to `max` bytes that are here already. */
  protected takeBuffered(max: number, into: Uint8Array | undefined): Uint8Array {
    const room = into === undefined ? max : Math.min(max, into.length);
    const view = this.inlet.take(Math.min(room, this.inlet.available));
    return into === undefined ? copyOut(view) : view;
  }

  /** Up to `max` bytes straight from the connection, past the inlet; null at its end. */
  protected async readDirect(max: number, into: Uint8Array | undefined): Promise<Uint8Array | null> {
    const buffer = into ?? new Uint8Array(Math.min(max, FRESH_BYTES));
    const room = buffer.length > max ? buffer.subarray(0, max) : buffer;
    let count: number | null;
    try {
      count = await this.inlet.source.read(room);
    } catch (error) {
      this.end(false);
      throw error;
    }
    if (count === null) return null;
    return count === buffer.length ? buffer : buffer.subarray(0, count);
  }
}

/** A body of declared length. */
export class LengthBody extends InletBody {
  private left: number;

  constructor(inlet: Inlet, readonly length: number, onEnd: BodyEnd) {
    super(inlet, onEnd);
    this.left = length;
  }

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.left === 0) return null;
    const bytes = this.inlet.available > 0
      ? this.takeBuffered(this.left, into)
      : await this.readDirect(this.left, into);
    if (bytes === null) throw this.truncated();
    this.left -= bytes.length;
    if (this.left === 0) this.end(true);
    return bytes;
  }

  override takeWhole(into?: Uint8Array): Uint8Array | null {
    const { left } = this;
    if (left === 0 || this.inlet.available < left || (into !== undefined && into.length < left)) return null;
    const view = this.inlet.take(left);
    const bytes = into === undefined ? copyOut(view) : into.subarray(0, left);
    // Copied before the end is told: from then on the inlet's memory is the next message's.
    if (into !== undefined) into.set(view);
    this.left = 0;
    this.end(true);
    return bytes;
  }
}

/** A body that ends with its connection (HTTP/1.0 style); its end cannot be told from a clean close. */
export class UntilCloseBody extends InletBody {
  readonly length = null;

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.inlet.available > 0) return this.takeBuffered(Number.MAX_SAFE_INTEGER, into);
    const bytes = await this.readDirect(Number.MAX_SAFE_INTEGER, into);
    if (bytes === null) this.end(true);
    return bytes;
  }
}

/** A body in chunks (RFC 9112 7.1). Extensions are dropped, trailers are checked and kept apart. */
export class ChunkedBody extends InletBody {
  readonly length = null;
  /** Trailer lines, once the body was read to its end. */
  trailers: HeaderLines = [];
  /** Bytes left in the current chunk; -1 before a chunk line, -2 at the end. */
  private left = -1;
  private first = true;

  /** A chunk that has begun, or a chunk line that is all here. */
  override get ready(): boolean {
    const { bytes, start, end } = this.inlet;
    if (this.left > 0) return end > start;
    const lineEnd = bytes.indexOf(10, this.first ? start : start + 2);
    return lineEnd >= 0 && lineEnd < end;
  }

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.left === -1) await this.guard(() => this.nextChunk());
    if (this.left === -2) return null;
    const bytes = this.inlet.available > 0
      ? this.takeBuffered(this.left, into)
      : await this.readDirect(this.left, into);
    if (bytes === null) throw this.truncated();
    this.left -= bytes.length;
    if (this.left === 0) this.left = -1;
    return bytes;
  }

  private async guard(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.end(false);
      throw error instanceof Http1Error ? new BodyError("malformed", error.message) : error;
    }
  }

  private async nextChunk(): Promise<void> {
    const line = await this.chunkLine();
    this.left = chunkSize(line);
    if (this.left > 0) return;
    this.trailers = await this.readTrailers();
    this.left = -2;
    this.end(true);
  }

  /** The next chunk line without its CRLF; consumes the CRLF that ends the chunk before. */
  private async chunkLine(): Promise<string> {
    const inlet = this.inlet;
    if (!this.first) await this.expectCrlf();
    this.first = false;
    let scanned = 0;
    while (true) {
      for (let i = inlet.start + scanned; i < inlet.end; i++) {
        if (inlet.bytes[i] !== 10) continue;
        if (i === inlet.start || inlet.bytes[i - 1] !== 13) {
          throw new Http1Error("malformed", "bare LF after a chunk size");
        }
        const line = decodeLatin1(inlet.bytes, inlet.start, i - 1);
        inlet.take(i + 1 - inlet.start);
        return line;
      }
      scanned = inlet.available;
      if (scanned > CHUNK_LINE_BYTES_MAX) throw new Http1Error("malformed", "chunk line too long");
      await this.more(CHUNK_LINE_BYTES_MAX * 2);
    }
  }

  private async expectCrlf(): Promise<void> {
    while (this.inlet.available < 2) await this.more(CHUNK_LINE_BYTES_MAX);
    const bytes = this.inlet.take(2);
    if (bytes[0] !== 13 || bytes[1] !== 10) throw new Http1Error("malformed", "chunk longer than its size");
  }

  private async readTrailers(): Promise<HeaderLines> {
    const inlet = this.inlet;
    while (true) {
      while (inlet.available < 2) await this.more(TRAILER_BYTES_MAX);
      if (inlet.bytes[inlet.start] === 13 && inlet.bytes[inlet.start + 1] === 10) {
        inlet.take(2);
        return [];
      }
      const end = findSectionEnd(inlet.bytes, inlet.start, inlet.end);
      if (end >= 0) {
        const text = decodeLatin1(inlet.bytes, inlet.start, end);
        inlet.take(end - inlet.start);
        return parseFieldLines(text, 0);
      }
      await this.more(TRAILER_BYTES_MAX);
    }
  }

  private async more(bytesMax: number): Promise<void> {
    if (!this.inlet.makeRoom(Math.max(bytesMax, this.inlet.bytes.length))) {
      throw new Http1Error("tooLarge", "chunk line or trailers too long");
    }
    if (!await this.inlet.fill()) throw this.truncated();
  }
}

/** The body that a head's framing promises, or null when it promises none. */
export function bodyOf(framing: Framing, contentLength: number, inlet: Inlet, onEnd: BodyEnd): Body | null {
  switch (framing) {
    case "none":
      return null;
    case "length":
      return new LengthBody(inlet, contentLength, onEnd);
    case "chunked":
      return new ChunkedBody(inlet, onEnd);
    case "untilClose":
      return new UntilCloseBody(inlet, onEnd);
  }
}

/**
 * The size in a chunk line; extensions after `;` are dropped.
 * @throws Http1Error `malformed`
 */
export function chunkSize(line: string): number {
  let size = 0;
  let i = 0;
  for (; i < line.length; i++) {
    const digit = hexDigit(line.charCodeAt(i));
    if (digit < 0) break;
    if (i >= 12) throw new Http1Error("malformed", "chunk size too large");
    size = size * 16 + digit;
  }
  if (i === 0) throw new Http1Error("malformed", "chunk without a size");
  while (line[i] === " " || line[i] === "\t") i++; // RFC 9112 7.1.1 lets bad white space stand before an extension.
  if (i < line.length && line[i] !== ";") throw new Http1Error("malformed", "chunk size is not a number");
  if (line.includes("\r")) throw new Http1Error("malformed", "bare CR in a chunk line");
  return size;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
