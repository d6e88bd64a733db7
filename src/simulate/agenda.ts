// Virtual time: what is to happen, in order. Nothing waits, so an hour passes in the time it takes to compute.

interface Entry {
  readonly atMs: number;
  /** Breaks ties: first planned, first done, so that a run is exact. */
  readonly order: number;
  readonly happen: () => void;
}

export class Agenda {
  nowMs = 0;
  /** Binary heap, the next entry first. */
  private readonly heap: Entry[] = [];
  private planned = 0;

  at(atMs: number, happen: () => void): void {
    const entry = { atMs, order: this.planned++, happen };
    let place = this.heap.length;
    this.heap.push(entry);
    for (
      let parent = (place - 1) >> 1;
      place > 0 && isBefore(entry, this.heap[parent]!);
      parent = (place - 1) >> 1
    ) {
      this.heap[place] = this.heap[parent]!;
      place = parent;
    }
    this.heap[place] = entry;
  }

  after(ms: number, happen: () => void): void {
    this.at(this.nowMs + ms, happen);
  }

  /** Lets everything happen, what is planned meanwhile too, until nothing is left. */
  run(): void {
    while (this.heap.length > 0) {
      const entry = this.takeFirst();
      this.nowMs = entry.atMs;
      entry.happen();
    }
  }

  private takeFirst(): Entry {
    const first = this.heap[0]!;
    const last = this.heap.pop()!;
    if (this.heap.length > 0) this.sink(last);
    return first;
  }

  private sink(entry: Entry): void {
    const { heap } = this;
    let place = 0;
    while (true) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, entry)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = entry;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
