// The last N requests of a worker, for explain: kept as few numbers and bytes, told as stories when asked.
//
// What is kept must not keep a request's objects alive: thousands of them would be copied by every collection
// of young garbage, which costs more than all else that is done for explain. So the common case, one attempt
// that went through, is written into memory that the ring owns; only what went otherwise is kept as a story.

import { aloneLatin1, decodeLatin1, encodeLatin1 } from "../http1/latin1.ts";
import type { RequestStory } from "../messages.ts";
import { REQUEST_ID_LENGTH_MAX } from "./headers.ts";
import type { RequestRecord } from "./record.ts";

/** Bytes kept of an id, of a target and of a method (the rest is cut off). */
const ID_BYTES = REQUEST_ID_LENGTH_MAX;
const TARGET_BYTES = 256;
const METHOD_BYTES = 32;
const TEXT_BYTES = ID_BYTES + TARGET_BYTES;

/** Numbers kept of a request. */
const Figure = {
  idLength: 0,
  targetLength: 1,
  at: 2,
  status: 3,
  durationMs: 4,
  bytes: 5,
  startedMs: 6,
  headMs: 7,
  reused: 8,
  endpointStatus: 9,
} as const;
const FIGURES = 10;

/** Words kept of a request: strings that live on anyway. */
const Word = { method: 0, client: 1, route: 2, upstream: 3, endpoint: 4 } as const;
const WORDS = 5;

export class StoryRing {
  private texts!: Uint8Array;
  private figures!: Float64Array;
  private words!: (string | null)[];
  /** Null where the story is told from the figures; undefined where there is none yet. */
  private stories!: (RequestStory | null | undefined)[];
  private next = 0;

  constructor(private capacity: number) {
    this.clear();
  }

  private clear(): void {
    this.texts = new Uint8Array(this.capacity * TEXT_BYTES);
    this.figures = new Float64Array(this.capacity * FIGURES);
    this.words = new Array(this.capacity * WORDS).fill(null);
    this.stories = new Array(this.capacity).fill(undefined);
    this.next = 0;
  }

  get off(): boolean {
    return this.capacity === 0;
  }

  /** Takes over a new capacity; what was kept is forgotten when it changes. */
  resize(capacity: number): void {
    if (capacity === this.capacity) return;
    this.capacity = capacity;
    this.clear();
  }

  keep(record: RequestRecord, epochMs: number): void {
    if (this.capacity === 0) return;
    const slot = this.next;
    this.next = slot + 1 === this.capacity ? 0 : slot + 1;
    if (record.wentStraight) {
      this.stories[slot] = null;
      this.write(slot, record, epochMs);
    } else {
      this.stories[slot] = storyAlone(record.story(epochMs));
      this.writeId(slot, record.requestId);
    }
  }

  private write(slot: number, record: RequestRecord, epochMs: number): void {
    const { figures, words } = this;
    const { head, startedAt } = record;
    const attempt = record.attempts[0]!;
    this.writeId(slot, record.requestId);
    encodeLatin1(beginningOf(head.target, TARGET_BYTES), this.texts, slot * TEXT_BYTES + ID_BYTES);
    const figure = slot * FIGURES;
    figures[figure + Figure.targetLength] = head.target.length;
    figures[figure + Figure.at] = epochMs;
    figures[figure + Figure.status] = record.status;
    figures[figure + Figure.durationMs] = record.endedAt - startedAt;
    figures[figure + Figure.bytes] = record.bytesOut;
    figures[figure + Figure.startedMs] = attempt.startedAt - startedAt;
    figures[figure + Figure.headMs] = attempt.headAt - startedAt;
    figures[figure + Figure.reused] = attempt.reused ? 1 : 0;
    figures[figure + Figure.endpointStatus] = attempt.status;
    const word = slot * WORDS;
    words[word + Word.method] = aloneLatin1(beginningOf(head.method, METHOD_BYTES));
    words[word + Word.client] = record.clientAddress;
    words[word + Word.route] = record.route?.name ?? null;
    words[word + Word.upstream] = record.upstream?.name ?? null;
    words[word + Word.endpoint] = attempt.endpoint;
  }

  private writeId(slot: number, id: string): void {
    const kept = id.length > ID_BYTES ? id.substring(0, ID_BYTES) : id;
    encodeLatin1(kept, this.texts, slot * TEXT_BYTES);
    this.figures[slot * FIGURES + Figure.idLength] = kept.length;
  }

  /** The latest story of a request id, or null. */
  find(requestId: string): RequestStory | null {
    for (let back = 1; back <= this.capacity; back++) {
      const slot = (this.next - back + this.capacity) % this.capacity;
      const story = this.stories[slot];
      if (story === undefined) return null;
      if (this.idIn(slot) === requestId) return story ?? this.tell(slot);
    }
    return null;
  }

  private idIn(slot: number): string {
    const start = slot * TEXT_BYTES;
    return decodeLatin1(this.texts, start, start + this.figures[slot * FIGURES + Figure.idLength]!);
  }

  private tell(slot: number): RequestStory {
    const figure = (name: keyof typeof Figure) => this.figures[slot * FIGURES + Figure[name]]!;
    const word = (name: keyof typeof Word) => this.words[slot * WORDS + Word[name]]!;
    const start = slot * TEXT_BYTES + ID_BYTES;
    const length = figure("targetLength");
    const target = decodeLatin1(this.texts, start, start + Math.min(length, TARGET_BYTES));
    return {
      kind: "story",
      requestId: this.idIn(slot),
      at: figure("at"),
      method: word("method"),
      target: shown(target, length),
      client: word("client"),
      route: word("route"),
      upstream: word("upstream"),
      attempts: [{
        endpoint: word("endpoint"),
        startedMs: figure("startedMs"),
        headMs: figure("headMs"),
        outcome: String(figure("endpointStatus")),
        reused: figure("reused") === 1,
      }],
      status: figure("status"),
      durationMs: figure("durationMs"),
      bytes: figure("bytes"),
      endedBy: "complete",
    };
  }
}

function beginningOf(text: string, bytesMax: number): string {
  return text.length > bytesMax ? text.substring(0, bytesMax) : text;
}

/** The kept part of a target of `length`, as it is told. */
function shown(kept: string, length: number): string {
  return length > TARGET_BYTES ? `${kept}...` : kept;
}

/** The same without the texts that its words were cut from. */
function storyAlone(story: RequestStory): RequestStory {
  const { requestId, method, target, endedBy } = story;
  const cut = (text: string) => shown(aloneLatin1(beginningOf(text, TARGET_BYTES)), text.length);
  return {
    ...story,
    requestId: aloneLatin1(requestId),
    method: aloneLatin1(beginningOf(method, METHOD_BYTES)),
    target: cut(target),
    endedBy: cut(endedBy),
  };
}
