// Things in the order in which they came, linked through themselves: joining and leaving cost no memory, and no
// search.

export interface InLine<T> {
  /** Neighbours; null at the ends, and for what stands in no line. */
  older: T | null;
  newer: T | null;
}

export class Line<T extends InLine<T>> {
  oldest: T | null = null;
  private newest: T | null = null;

  /** It stands in no line. */
  add(one: T): void {
    one.older = this.newest;
    one.newer = null;
    if (this.newest === null) this.oldest = one;
    else this.newest.newer = one;
    this.newest = one;
  }

  /** Harmless when it stands in no line; false then. */
  remove(one: T): boolean {
    const { older, newer } = one;
    if (older === null && this.oldest !== one) return false;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.newest = older;
    else newer.older = older;
    one.older = one.newer = null;
    return true;
  }

  /** Those that stand in it now. */
  *[Symbol.iterator](): Generator<T> {
    for (let one = this.oldest; one !== null; one = one.newer) yield one;
  }
}
