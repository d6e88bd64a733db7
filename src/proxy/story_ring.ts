// The last N requests of a worker, for explain: kept as records, told as stories only when asked.

import type { RequestStory } from "../messages.ts";
import type { RequestRecord } from "./record.ts";

export class StoryRing {
  private records: (RequestRecord | undefined)[];
  private arrivals: number[];
  private next = 0;

  constructor(private capacity: number) {
    this.records = new Array(capacity);
    this.arrivals = new Array(capacity).fill(0);
  }

  get off(): boolean {
    return this.capacity === 0;
  }

  /** Takes over a new capacity; what was kept is forgotten when it changes. */
  resize(capacity: number): void {
    if (capacity === this.capacity) return;
    this.capacity = capacity;
    this.records = new Array(capacity);
    this.arrivals = new Array(capacity).fill(0);
    this.next = 0;
  }

  keep(record: RequestRecord, epochMs: number): void {
    if (this.capacity === 0) return;
    this.records[this.next] = record;
    this.arrivals[this.next] = epochMs;
    this.next = (this.next + 1) % this.capacity;
  }

  /** The latest story of a request id, or null. */
  find(requestId: string): RequestStory | null {
    for (let back = 1; back <= this.capacity; back++) {
      const at = (this.next - back + this.capacity) % this.capacity;
      const record = this.records[at];
      if (record === undefined) return null;
      if (record.requestId === requestId) return record.story(this.arrivals[at]!);
    }
    return null;
  }
}
