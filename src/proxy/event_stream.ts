// A stream of server-sent events on its way to a client: like any body, but Weir may end it when it leaves.
//
// Such a stream has no end of its own, so a drain would wait for it and cut it at the deadline. Its clients
// come back by themselves after a clean end and say what they saw last (HTML, 9.2.3): ended between two
// events, nothing is lost. Nothing but events that a GET asked for is ever ended early: nobody asks again by
// another method, so an answer that comes in events would look whole there.

import { type Body, type HeaderLines, headerValue } from "../exchange.ts";
import type { ParsedResponse } from "../http1/response_head.ts";
import type { Journey } from "./journey.ts";
import type { OpenSocket } from "./open_sockets.ts";

/** Whether an answer is a stream of events whose ends of events can be seen. */
export function isEventStream(head: Pick<ParsedResponse, "contentType" | "headers">): boolean {
  return /^text\/event-stream[ \t]*(;|$)/i.test(head.contentType) &&
    headerValue(head.headers, "content-encoding") === undefined;
}

/** The body as it is, or, of events, as one that ends when Weir leaves. */
export function leavable(body: Body, head: ParsedResponse, { record, proxy }: Journey): Body {
  if (record.head.method !== "GET" || !isEventStream(head)) return body;
  const stream = new EventStreamBody(body, () => record.close = { code: null, by: "weir" });
  stream.onEnd = proxy.openSockets.enter(stream);
  return stream;
}

const PIECE_BYTES = 4_096;
const LF = 10;
const CR = 13;
const COLON = 58;

export class EventStreamBody implements Body, OpenSocket {
  readonly length = null;
  private leaving = false;
  private ended = false;
  /** Ends the read that is waiting; null while none is. */
  private giveUp: (() => void) | null = null;
  private last = LF;
  private beforeLast = LF;
  private own: Uint8Array | null = null;
  /** Called once, when nothing more will be read. */
  onEnd: () => void = () => {};

  constructor(
    private readonly source: Body,
    /** Weir ends it, not the endpoint. */
    private readonly onLeft: () => void,
  ) {}

  goAway(): void {
    this.leaving = true;
    if (this.giveUp !== null && this.betweenEvents) this.giveUp();
  }

  read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.ended) return Promise.resolve(null);
    if (this.leaving && this.betweenEvents) return Promise.resolve(this.endEarly());
    return new Promise((resolve, reject) => {
      this.giveUp = () => {
        this.giveUp = null;
        resolve(this.endEarly());
      };
      this.source.read(this.roomFor(into)).then(
        (piece) => {
          this.giveUp = null;
          // Given up, which has settled it, or cancelled when this was here already: nobody may wait on.
          if (this.ended) return resolve(null);
          if (piece === null) this.end();
          else this.remember(piece);
          resolve(piece);
        },
        (error) => {
          this.end();
          reject(error);
        },
      );
    });
  }

  /** Memory of its own: a read that was given up may still write into what it was given. */
  private roomFor(into: Uint8Array | undefined): Uint8Array | undefined {
    if (into === undefined) return undefined;
    this.own ??= new Uint8Array(PIECE_BYTES);
    return this.own.subarray(0, Math.min(this.own.length, into.length));
  }

  private remember(piece: Uint8Array): void {
    const end = endOfEvents(piece, isLineEnd(this.last));
    for (let i = Math.max(0, end - 3); i < end; i++) {
      // CRLF counts as one line end, which LF stands for.
      if (piece[i] === LF && this.last === CR) {
        this.last = LF;
        continue;
      }
      this.beforeLast = this.last;
      this.last = piece[i]!;
    }
    // Of comments the line end alone: the second half of it may come by itself.
    if (end < piece.length) this.last = piece[piece.length - 1]!;
  }

  /** An event ends with an empty line. */
  private get betweenEvents(): boolean {
    return isLineEnd(this.last) && isLineEnd(this.beforeLast);
  }

  private endEarly(): null {
    this.onLeft();
    this.source.cancel();
    this.end();
    return null;
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd();
  }

  /** Never in one piece: that it has no end is what it is. */
  takeWhole(): null {
    return null;
  }

  copyWhole(): number {
    return -1;
  }

  get ready(): boolean {
    return this.source.ready === true && !this.leaving;
  }

  get trailers(): HeaderLines {
    return this.source.trailers ?? [];
  }

  cancel(): void {
    this.source.cancel();
    this.end();
  }
}

function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR;
}

/** Where the comments begin that `piece` ends with: heartbeats, often, which begin no event and need no empty line. */
function endOfEvents(piece: Uint8Array, beginsLine: boolean): number {
  for (let end = piece.length;;) {
    let lineEnd = end;
    if (piece[lineEnd - 1] === LF) lineEnd--;
    if (piece[lineEnd - 1] === CR) lineEnd--;
    if (lineEnd === end) return end;
    let start = lineEnd;
    while (start > 0 && !isLineEnd(piece[start - 1]!)) start--;
    if (piece[start] !== COLON || (start === 0 && !beginsLine)) return end;
    end = start;
  }
}
