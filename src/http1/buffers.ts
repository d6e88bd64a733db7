// Buffers for one write or one copy at a time, lent and given back.
//
// A write may still be under way when the next one is made, so nothing that is written may live in memory
// that somebody else fills: whoever sends takes a buffer, and gives it back when the write has settled.
//
// Fresh memory is dear: it is zeroed, faulted in page by page and swept up later, which for a large buffer costs
// more than filling it. So as many are kept as were in use together, and let go when that was a while ago.

/** Lends buffers of one size. */
export class BufferPool {
  private readonly free: Uint8Array<ArrayBuffer>[] = [];
  private lent = 0;
  /** Least that were free since the last `trim`: nobody needed those. */
  private spare = 0;

  constructor(readonly bytes: number, private readonly keptMax: number) {}

  take(): Uint8Array<ArrayBuffer> {
    this.lent++;
    const buffer = this.free.pop();
    if (this.free.length < this.spare) this.spare = this.free.length;
    return buffer ?? new Uint8Array(this.bytes);
  }

  /** Null while as many are lent as are kept: whoever asks for speed does without. */
  takeIfAny(): Uint8Array<ArrayBuffer> | null {
    return this.lent < this.keptMax ? this.take() : null;
  }

  /** Once for each that was taken, when no read or write on it is under way any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.lent--;
    if (this.free.length < this.keptMax) this.free.push(buffer);
  }

  /** Lets those go that nobody has needed since the last time. To be called now and then. */
  trim(): void {
    this.free.splice(0, this.spare);
    this.spare = this.free.length;
  }

  /** Buffers that are kept for whoever comes next. */
  get kept(): number {
    return this.free.length;
  }
}

/** Four megabytes of each size are kept at most: for waiting streams, small answers ... */
export const SMALL_PIECES: BufferPool = new BufferPool(4_096, 1_024);
const MEDIUM_PIECES = new BufferPool(16_384, 256);
/** ... and pieces of bodies; thirty-two megabytes, as with many connections each may have one under way. */
export const PIECES: BufferPool = new BufferPool(65_536, 512);
/** For bodies that are known to be larger: fewer system calls, as long as not everybody wants one. */
export const LARGE_PIECES: BufferPool = new BufferPool(524_288, 64);

/** The smallest buffer that holds so many bytes; one of `PIECES` when none does. */
export function bufferFor(bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes <= SMALL_PIECES.bytes) return SMALL_PIECES.take();
  return bytes <= MEDIUM_PIECES.bytes ? MEDIUM_PIECES.take() : PIECES.take();
}

/** Gives a buffer of any of them back. */
export function giveBack(buffer: Uint8Array<ArrayBuffer>): void {
  poolOf(buffer.length).give(buffer);
}

function poolOf(bytes: number): BufferPool {
  if (bytes === SMALL_PIECES.bytes) return SMALL_PIECES;
  if (bytes === MEDIUM_PIECES.bytes) return MEDIUM_PIECES;
  return bytes === PIECES.bytes ? PIECES : LARGE_PIECES;
}

/** Lets all of them shrink to what is in use. */
export function trimBuffers(): void {
  for (const pool of [SMALL_PIECES, MEDIUM_PIECES, PIECES, LARGE_PIECES]) pool.trim();
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

/** Of the C library's heap. */
const KEPT_FREE_BYTES = 16_777_216;

/**
 * Lets the C library keep so much freed memory at the end of its heap before it gives any back. By itself it keeps about
 * twice the largest block that it ever mapped apart and freed, half a megabyte where pieces of bodies are the largest:
 * then memory that is about to be used again goes back, and each page of it costs a fault of 2 us when it is (glibc,
 * mallopt(3), M_MMAP_THRESHOLD). Half of it, never touched, is freed for that.
 */
export function keepFreedMemory(): void {
  new ArrayBuffer(KEPT_FREE_BYTES / 2).transfer(0);
}
