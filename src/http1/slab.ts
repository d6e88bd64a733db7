// Small pieces of memory to keep, cut from larger ones: each is written once and never again.
//
// Every buffer of its own costs an allocation outside the heap and its sweeping; pieces of one slab share
// that cost. A slab lives until its last piece is let go.

/** One slab after the other. */
export class Slabs {
  private slab = new Uint8Array(0);
  private used = 0;

  /** @param pieceBytesMax of what shares a slab: the smaller it is beside `bytes`, the less is wasted at the end of one */
  constructor(private readonly bytes: number, readonly pieceBytesMax: number) {}

  /** A copy of `view` in memory that nobody else writes to. */
  copyOut(view: Uint8Array): Uint8Array<ArrayBuffer> {
    const { length } = view;
    if (length > this.pieceBytesMax) return new Uint8Array(view);
    if (this.used + length > this.slab.length) {
      this.slab = new Uint8Array(this.bytes);
      this.used = 0;
    }
    const piece = this.slab.subarray(this.used, this.used += length);
    piece.set(view);
    return piece;
  }
}

const slabs = new Slabs(65_536, 8_192);

/** A copy of `view` in memory that nobody else writes to. */
export function copyOut(view: Uint8Array): Uint8Array<ArrayBuffer> {
  return slabs.copyOut(view);
}

/** The same, and frees what `view` is a part of, of which nobody has another: not when garbage is collected, but now. */
export function moveOut(view: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = copyOut(view);
  (view.buffer as ArrayBuffer).transfer(0);
  return copy;
}
