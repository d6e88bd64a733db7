// A list in order of arrival, linked through its members themselves: joining and leaving cost no memory, and no search.
//
// Used for what comes and goes with every request or connection: those that are watched, those that idle.

export interface Linked<T> {
  /** Neighbours; null at the ends, and for what stands in no list. */
  older: T | null;
  newer: T | null;
}

export class LinkedList<T extends Linked<T>> {
  oldest: T | null = null;
  private newest: T | null = null;

  /** @param one that stands in no list */
  add(one: T): void {
    one.older = this.newest;
    one.newer = null;
    if (this.newest === null) this.oldest = one;
    else this.newest.newer = one;
    this.newest = one;
  }

  /** Harmless when it does not stand here; false then. */
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
