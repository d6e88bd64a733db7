// Buffers for one write or one copy at a time, lent and given back.
//
// A write may still be under way when the next one is made, so nothing that is written may live in memory
// that somebody else fills: whoever sends takes a buffer, and gives it back when the write has settled.

/** Lends buffers of one size; keeps up to `keptMax` that came back. */
export class BufferPool {
  private readonly free: Uint8Array[] = [];

  constructor(readonly bytes: number, private readonly keptMax: number) {}

  take(): Uint8Array {
    return this.free.pop() ?? new Uint8Array(this.bytes);
  }

  /** Must not be called while a read or a write on `buffer` is under way. */
  give(buffer: Uint8Array): void {
    if (this.free.length < this.keptMax && buffer.length === this.bytes) this.free.push(buffer);
  }
}

/** For whole heads with small bodies, and for pieces of large ones: 64 KB is where a copy stops to matter. */
export const PIECES: BufferPool = new BufferPool(65_536, 64);
