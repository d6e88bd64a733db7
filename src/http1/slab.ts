// Small pieces of memory to keep, cut from larger ones: each is written once and never again.
//
// Every buffer of its own costs an allocation outside the heap and its sweeping; pieces of one slab share
// that cost. A slab lives until its last piece is let go.

const SLAB_BYTES = 65_536;
const PIECE_BYTES_MAX = 8_192;

let slab = new Uint8Array(0);
let used = 0;

/** A copy of `view` in memory that nobody else writes to. */
export function copyOut(view: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = view.length;
  if (length > PIECE_BYTES_MAX) return new Uint8Array(view);
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const piece = slab.subarray(used, used + length);
  piece.set(view);
  used += length;
  return piece;
}

/** The same, and frees what `view` is a part of, of which nobody has another: not when garbage is collected, but now. */
export function moveOut(view: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = copyOut(view);
  (view.buffer as ArrayBuffer).transfer(0);
  return copy;
}
