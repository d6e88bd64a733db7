// The body of a request between Deno's stream and the exchange's pulls.

import { type Body, BodyError, type RequestHead } from "../exchange.ts";
import { moveOut } from "../http1/slab.ts";
import type { TimerWheel } from "../timer_wheel.ts";
import { isCancelled, passesFor, TURNS } from "./serve_cancel.ts";
import type { ReadHead } from "./serve_request.ts";
import { readOut } from "./serve_rest.ts";
import type { StuckReads } from "./serve_stuck.ts";

/** How long a body that comes behind its head over HTTP/2 is waited for, milliseconds. */
const FIRST_MS_MAX = 10;
/** What has come with the head Deno hands over in so many steps, of microtasks. */
const STEPS_MAX = 4;
/** So little may be left to Deno, which reads it to its end, and then the connection's next request. */
const SHORT_BYTES_MAX = 65_536;
/** How long a read that is under way as the answer ends is waited for, milliseconds. */
const PARTING_MS_MAX = 10;
/** Deno reads into 64 KB at a time, new ones each: of a piece that fills less than this part the rest is freed at once. */
const SPARSE = 4;

/** Of a `Request` whose body is to be read. */
export interface StreamedRequest {
  readonly body: ReadableStream<Uint8Array>;
  /** Aborted when the client leaves; asking for it costs. */
  readonly signal: AbortSignal;
}

/** What the head says of the body: see `ReadHead`. */
export interface BodyFacts extends Pick<ReadHead, "contentLength" | "undeclared"> {
  readonly head: Pick<RequestHead, "version">;
}

/** What the bodies of one listener share: see `ServeShared`. */
export interface BodySurroundings {
  readonly wheel: TimerWheel;
  /** The requests under way. */
  readonly departures: { readonly count: number };
  readonly stuck: StuckReads;
}

/** A request body that Deno.serve streams. */
export class ServeBody implements Body {
  readonly length: number | null;
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Where nothing else tells an end from a client that cancels: aborted when it does. */
  private readonly cancelling: AbortSignal | null;
  /** Over HTTP/2 a request ends without its connection. */
  private readonly http2: boolean;
  private received = 0;
  /** Nothing more will be read. */
  ended = false;
  /** A read that was begun ahead. */
  private first: Promise<Uint8Array | null> | null = null;
  /** Another attempt may wait for the same. */
  private arriving: Promise<void> | null = null;
  /** All of it, when it came with the head and is not read yet. */
  private whole: Uint8Array | null = null;
  /** A read is under way. */
  private reading = false;
  /** Its end has come; whether the client cancelled it may still be asked. */
  private hasEnd = false;
  /** What nobody wants is being read. */
  private readingOut = false;
  /** The answer ends before it: what is left goes to nobody. */
  private parting = false;
  /** Tells that a read that was left behind has ended after all. */
  private unstuck: (() => void) | null = null;
  /** What becomes of the rest, once the read that is under way has ended. */
  private afterRead: (() => void) | null = null;
  /** Of undeclared length, it has turned out to be one; before, every DELETE may seem to have one. */
  private isBody = false;

  constructor(
    request: StreamedRequest,
    { head, contentLength, undeclared }: BodyFacts,
    private readonly around: BodySurroundings,
    /** Called once, when nothing more will be read. */
    private readonly onEnd: () => void,
  ) {
    this.reader = request.body.getReader();
    this.length = contentLength;
    this.cancelling = undeclared ? request.signal : null;
    this.http2 = head.version === "2";
  }

  /**
   * Whether it turns out at once to be no body at all, where only reading can tell: what has not ended by then is one.
   * @throws BodyError when the client left
   */
  async isNone(): Promise<boolean> {
    if (await this.begins() && await this.first === null) return true;
    this.isBody = true;
    return false;
  }

  /**
   * Waits a moment for its first piece, and tells whether that is there. Over HTTP/2 an answer that is faster than a
   * small body is followed by RST_STREAM with NO_ERROR (RFC 9113 8.1), on which curl 7.88 drops the answer.
   * @throws BodyError when the client left
   */
  async begins(): Promise<boolean> {
    const first = this.first = this.pull();
    return await this.around.wheel.within(FIRST_MS_MAX, first) || this.hasEnd;
  }

  /**
   * Gives Deno the time to hand over what came with the head: a short body, mostly. Not before somebody wants it: of one
   * that was asked for and has not come, Deno ends the connection behind an answer.
   */
  arrive(): Promise<void> {
    return this.arriving ??= this.awaitWhole();
  }

  private async awaitWhole(): Promise<void> {
    if (this.length === null || this.length > SHORT_BYTES_MAX || this.first !== null || this.ended) return;
    const first = this.first = this.pull();
    first.catch(() => {});
    for (let step = 0; step < STEPS_MAX && this.reading; step++) await null;
    if (this.received < this.length) return;
    this.whole = await first;
    // Deno is done with it once its end was read.
    this.first = this.pull();
    this.first.catch(() => {});
  }

  private async pull(): Promise<Uint8Array | null> {
    if (this.parting) return await new Promise<never>(() => {});
    const { cancelling } = this;
    let result: ReadableStreamReadResult<Uint8Array>;
    this.reading = true;
    try {
      result = await this.reader.read();
      // Over HTTP/2 Deno hands an empty piece before the end.
      while (!result.done && result.value.length === 0) result = await this.reader.read();
      this.hasEnd = result.done;
      if (result.done && cancelling !== null) {
        const rounds = this.isBody ? passesFor(this.around.departures.count) : TURNS;
        if (await isCancelled(cancelling, rounds, this)) throw cancelling.reason;
      }
    } catch (error) {
      this.end();
      if (isMalformed(error)) throw new BodyError("malformed", "chunks of the request body are malformed");
      // Deno says "BadResource" when the client left in the middle.
      throw new BodyError("clientGone", "client left before the end of its body");
    } finally {
      this.reading = false;
      this.unstick();
      this.afterRead?.();
    }
    if (!result.done) return this.taken(result.value);
    this.end();
    if (this.length !== null && this.received < this.length) {
      throw new BodyError("clientGone", "client left before the end of its body");
    }
    return null;
  }

  private taken(piece: Uint8Array): Uint8Array {
    this.received += piece.length;
    return piece.length * SPARSE < piece.buffer.byteLength ? moveOut(piece) : piece;
  }

  read(): Promise<Uint8Array | null> {
    const { first } = this;
    if (this.whole !== null) return Promise.resolve(this.takeWhole());
    if (first === null) return this.ended ? Promise.resolve(null) : this.pull();
    // One that has failed stays, as that is no end.
    return first.then((piece) => {
      this.first = null;
      return piece;
    });
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd();
  }

  /**
   * Reads no more, and cuts the answer by `cut`. Over HTTP/1.1 Deno leaves the connection open for good when that
   * happens while a read is under way: it waits for the client's next piece.
   */
  cutAnswer(cut: () => void): void {
    this.end();
    const leave = () => {
      this.reader.cancel().catch(() => {});
      cut();
    };
    if (this.reading) this.afterRead = leave;
    else leave();
  }

  /**
   * The answer is about to end: reads no more before `cancel()`. Over a read that is under way as an answer ends, Deno may
   * miss what has come (2.9.6): only the client's next bytes would wake it, and a client whose window is full has none.
   */
  async part(): Promise<void> {
    if (this.ended) return;
    this.parting = true;
    if (!this.reading) return;
    await this.around.wheel.within(PARTING_MS_MAX, new Promise<void>((read) => this.afterRead = read));
  }

  /** The client has left as its answer went out, of which Deno tells no read that is under way. */
  leaveBehind(): void {
    if (!this.http2 && (this.reading || this.readingOut)) this.unstuck ??= this.around.stuck.begin();
  }

  private unstick(): void {
    this.unstuck?.();
    this.unstuck = null;
  }

  takeWhole(): Uint8Array | null {
    const { whole } = this;
    this.whole = null;
    return whole;
  }

  copyWhole(): number {
    return -1;
  }

  /**
   * Nobody wants the rest. What is cancelled over HTTP/1.1 Deno reads to its end, however long that takes, and holds up
   * `shutdown()` as long; cancelled while a read is under way, it would keep that with its 64 KB for good; cancelled
   * after the answer, it resets a client that still sends.
   */
  cancel(): void {
    if (this.ended) return;
    this.end();
    const unreadAndShort = this.received === 0 && this.length !== null && this.length <= SHORT_BYTES_MAX;
    if (this.http2 || (unreadAndShort && !this.reading)) this.reader.cancel().catch(() => {});
    else this.readOut();
  }

  private async readOut(): Promise<void> {
    this.readingOut = true;
    await readOut(this.reader, this.around.wheel, this.parting);
    this.readingOut = false;
    this.unstick();
  }
}

/** Deno's error for chunks that are none has nothing but its words. */
function isMalformed(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("invalid HTTP/1 request");
}
