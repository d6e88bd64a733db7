// What all bodies that come in over a connection share: ending once, and copying out of the inlet when the
// caller keeps the bytes.

import { type Body, BodyError } from "../exchange.ts";
import type { Inlet } from "./inlet.ts";
import { copyOut } from "./slab.ts";

/** Whose message the body is. */
export interface BodyOwner {
  /** Called once when the body was read to its end (`true`) or will not be (`false`). */
  bodyEnded(complete: boolean): void;
}

/** Read size when the caller brings no buffer. */
const FRESH_BYTES = 65_536;
/** What fills less than this part of it is copied, and the next read is into the same. */
const SPARSE = 4;

export abstract class InletBody implements Body {
  abstract readonly length: number | null;
  /** It was read to its end, or will not be. */
  ended = false;
  /** What was read into and is nobody's: a slow sender would have as much anew for each piece. */
  private room: Uint8Array | null = null;

  constructor(protected readonly inlet: Inlet, private readonly owner: BodyOwner) {}

  abstract read(into?: Uint8Array): Promise<Uint8Array | null>;

  takeWhole(): Uint8Array | null {
    return null;
  }

  copyWhole(_into: Uint8Array, _at: number): number {
    return -1;
  }

  lendWhole(_use: (bytes: Uint8Array<ArrayBuffer>) => void): number {
    return -1;
  }

  get ready(): boolean {
    return this.inlet.available > 0;
  }

  get withheld(): boolean {
    return this.inlet.source.withheld === true;
  }

  cancel(): void {
    this.end(false);
  }

  protected end(complete: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.room = null;
    this.owner.bodyEnded(complete);
  }

  protected truncated(): BodyError {
    this.end(false);
    return new BodyError("truncated", "connection closed before the end of the body");
  }

  /**
   * Up to `max` bytes that are here already. Always a copy: they may be the body's last, and then the inlet's
   * memory is read into again before whoever reads the body has seen them.
   */
  protected takeBuffered(max: number, into: Uint8Array | undefined): Uint8Array {
    const room = into === undefined ? max : Math.min(max, into.length);
    const view = this.inlet.take(Math.min(room, this.inlet.available));
    if (into === undefined) return copyOut(view);
    into.set(view);
    return into.subarray(0, view.length);
  }

  /** Up to `max` bytes straight from the connection, past the inlet; null at its end. */
  protected async readDirect(max: number, into: Uint8Array | undefined): Promise<Uint8Array | null> {
    const buffer = into ?? this.room ?? new Uint8Array(Math.min(max, FRESH_BYTES));
    const room = buffer.length > max ? buffer.subarray(0, max) : buffer;
    let count: number | null;
    try {
      count = await this.inlet.source.read(room);
    } catch (error) {
      this.end(false);
      throw error;
    }
    if (count === null) return null;
    const piece = count === buffer.length ? buffer : buffer.subarray(0, count);
    if (into !== undefined || buffer.length < FRESH_BYTES) return piece;
    const isSparse = count * SPARSE < FRESH_BYTES && !this.ended;
    this.room = isSparse ? buffer : null;
    return isSparse ? copyOut(piece) : piece;
  }
}
