// Buffers for one write or one copy at a time, lent and given back.
//
// A write may still be under way when the next one is made, so nothing that is written may live in memory
// that somebody else fills: whoever sends takes a buffer, and gives it back when the write has settled.

/** Lends buffers of one size; keeps up to `keptMax` that came back. */
export class BufferPool {
  private readonly free: Uint8Array<ArrayBuffer>[] = [];
  private lent = 0;

  constructor(
    readonly bytes: number,
    private readonly keptMax: number,
    private readonly lentMax = Infinity,
  ) {}

  take(): Uint8Array<ArrayBuffer> {
    this.lent++;
    return this.free.pop() ?? new Uint8Array(this.bytes);
  }

  /** Null while `lentMax` are lent: whoever asks for speed does without. */
  takeIfAny(): Uint8Array<ArrayBuffer> | null {
    return this.lent < this.lentMax ? this.take() : null;
  }

  /** Once for each that was taken, when no read or write on it is under way any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.lent--;
    if (this.free.length < this.keptMax) this.free.push(buffer);
  }
}

/** For whole heads with small bodies, and for pieces of large ones. */
export const PIECES: BufferPool = new BufferPool(65_536, 64);
/** For pieces of bodies that are known to be larger: half the system calls, as long as not everybody wants it. */
export const LARGE_PIECES: BufferPool = new BufferPool(262_144, 8, 32);
/** For waiting: a stream of small events holds no more than this while nothing comes. */
export const SMALL_PIECES: BufferPool = new BufferPool(4_096, 64);

/** Gives a buffer of any of them back. */
export function giveBack(buffer: Uint8Array<ArrayBuffer>): void {
  if (buffer.length === PIECES.bytes) PIECES.give(buffer);
  else if (buffer.length === LARGE_PIECES.bytes) LARGE_PIECES.give(buffer);
  else SMALL_PIECES.give(buffer);
}

/** Smaller ones may share their memory with others (`slab.ts`), and are soon collected. */
const FREED_BYTES_MIN = 8_193;

/**
 * Frees what nobody will look at any more now, and not when garbage is collected: until then a large body would
 * pile up to 64 MB of it. Whoever is still writing the bytes keeps them: the engine counts who holds memory.
 * @param bytes from the beginning of memory that is theirs alone
 */
export function free(bytes: Uint8Array): void {
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset === 0 && length >= FREED_BYTES_MIN) (buffer as ArrayBuffer).transfer(0);
}
