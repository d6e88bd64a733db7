// The largest of the values seen lately, without keeping them: one maximum for each slice of the window.
//
// Used by the event loop for its stalls: a gauge that is read now and then must not miss what happened in
// between, and must forget it some time.

/** What is told covers the last `windowMs`, and up to one slice less. */
export class RollingMax {
  private readonly slices: number[];
  private newest = 0;

  /** @param windowMs is cut into `slicesCount` slices, which are forgotten one by one */
  constructor(private readonly windowMs: number, private readonly slicesCount = 6) {
    this.slices = new Array(slicesCount).fill(0);
  }

  /** Takes a value that is not negative. @param now monotonic milliseconds @returns the largest in the window */
  push(value: number, now: number): number {
    const slice = Math.floor(now / (this.windowMs / this.slicesCount));
    const forgotten = Math.min(slice - this.newest, this.slicesCount);
    for (let i = 0; i < forgotten; i++) this.slices[(slice - i) % this.slicesCount] = 0;
    this.newest = slice;
    const at = slice % this.slicesCount;
    this.slices[at] = Math.max(this.slices[at]!, value);
    return Math.max(...this.slices);
  }
}
