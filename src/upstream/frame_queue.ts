// Frames that wait to be written, in order. Small ones share memory: by itself each would cost many times its bytes,
// and a limit on bytes would be none on memory.

/** What small frames share. */
const SHARED_BYTES = 4_096;
/** A frame that needs more of it than this has memory of its own. */
const SMALL_BYTES_MAX = SHARED_BYTES / 4;

export class FrameQueue {
  private readonly pieces: Uint8Array[] = [];
  /** The last piece, while there is room behind its frames; null without. */
  private shared: Uint8Array | null = null;

  push(frame: Uint8Array): void {
    const { pieces, shared } = this;
    const used = shared === null ? 0 : pieces[pieces.length - 1]!.length;
    if (shared !== null && used + frame.length <= shared.length) {
      shared.set(frame, used);
      pieces[pieces.length - 1] = shared.subarray(0, used + frame.length);
      return;
    }
    this.shared = frame.length <= SMALL_BYTES_MAX ? new Uint8Array(SHARED_BYTES) : null;
    this.shared?.set(frame);
    pieces.push(this.shared?.subarray(0, frame.length) ?? frame);
  }

  /** The next frames, as one piece; undefined when none wait. */
  shift(): Uint8Array | undefined {
    if (this.pieces.length === 1) this.shared = null;
    return this.pieces.shift();
  }

  clear(): void {
    this.pieces.length = 0;
    this.shared = null;
  }
}
