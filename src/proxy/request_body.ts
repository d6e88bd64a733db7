// A request's body on its way to an endpoint: streamed as it comes, and kept while it is small, so that a
// second attempt can send the same bytes again.
//
// One per request, shared by its attempts. What has been read from the client is never lost: it is either
// kept, or the request can no longer be tried elsewhere (`replayable` is false).

import type { TimeoutsConfig } from "../config/schema.ts";
import type { Body } from "../exchange.ts";
import { BodyError } from "../exchange.ts";
import { free } from "../http1/buffers.ts";
import { chunkOf } from "../http1/request_writer.ts";
import { lastChunk } from "../http1/trailers.ts";
import type { TimerWheel } from "../timer_wheel.ts";
import type { Connection } from "../upstream/connection.ts";
import { trailersToUpstream } from "./headers.ts";
import type { Identity } from "./identity.ts";

/** A first piece up to this size travels in the same write as the head. */
const WITH_HEAD_BYTES_MAX = 16_384;
/** A head waits no longer for it: the origin may want to answer, or the client to hear something, before. */
const HEAD_WAITS_MS = 10;
/** A piece that is on its way out for so long waits for the endpoint; for less it may wait for this worker itself. */
const STALL_MS = 100;
const NOTHING = new Uint8Array(0);
/** Memory that small pieces share once they were sent. */
const SHARED_BYTES = 4_096;
/** Two that are larger together have memory of their own each. */
const SMALL_BYTES_MAX = SHARED_BYTES / 4;

type SendTimeouts = Pick<TimeoutsConfig, "requestBodyIdleMs" | "responseHeadMs">;

export class RequestBody {
  /** Pieces from the first on, or, when not all are kept, those that are still to be sent. */
  private readonly kept: Uint8Array[] = [];
  private keptBytes = 0;
  /** The last of those that share memory, and that memory. */
  private joint: Uint8Array = NOTHING;
  private shared: Uint8Array = NOTHING;
  private ended = false;
  /** The read that is under way, or the one that failed. */
  private reading: Promise<void> | null = null;
  /** Changes with every attempt, and when one is given up for another: only the last one may take pieces. */
  private turn = 0;
  /** False once there is more than what is kept. */
  replayable = true;
  /** Body bytes that came from the client. */
  bytesRead = 0;
  /** Monotonic milliseconds: when the last of it had come, 0 if it came with the head; Infinity before. */
  wholeAt = Infinity;
  /**
   * Monotonic milliseconds: the present attempt's endpoint has been waited for as long as if it had been since then, from
   * its last piece on and wherever it stalled before; 0 before any attempt.
   */
  waitedSince = 0;
  /** Monotonic milliseconds: when that attempt began to send. */
  private begunAt = 0;
  /** How long its endpoint stalled over pieces that it took in the end. */
  private stalledMs = 0;

  constructor(
    private readonly source: Body,
    private readonly keptBytesMax: number,
    /** 0: no limit. */
    private readonly bytesMax: number,
    private readonly identity: Pick<Identity, "requestIdKey">,
  ) {}

  get length(): number | null {
    return this.source.length;
  }

  /** The client waits for 100 before it sends any of it. */
  get withheld(): boolean {
    return this.source.withheld === true;
  }

  /**
   * Reads the next bytes from the client. An attempt that fails may leave a read behind: the next one waits
   * for the same, or a piece would be missing. @throws BodyError, the same again and again
   */
  private more(): Promise<void> {
    return this.reading ??= this.readOn().then(() => {
      this.reading = null;
    });
  }

  private async readOn(): Promise<void> {
    const bytes = await this.source.read();
    if (bytes === null) {
      // Whatever ended it: an upload that is short must look whole to no endpoint.
      if (this.bytesRead < (this.length ?? 0)) {
        throw new BodyError("truncated", "request body shorter than announced");
      }
      this.ended = true;
      return;
    }
    if (bytes.length > 0) this.keep(bytes);
  }

  /** What came with the head, when it is all there is. */
  private takeWhole(): void {
    const bytes = this.source.takeWhole();
    if (bytes === null) return;
    this.ended = true;
    this.wholeAt = 0;
    this.keep(bytes);
  }

  private keep(bytes: Uint8Array): void {
    this.bytesRead += bytes.length;
    if (this.bytesMax > 0 && this.bytesRead > this.bytesMax) {
      throw new BodyError("tooLarge", `request body larger than ${this.bytesMax} bytes`);
    }
    this.kept.push(bytes);
    this.keptBytes += bytes.length;
    if (this.keptBytes > this.keptBytesMax) this.replayable = false;
  }

  /** Whether it is still coming, and has had more of the attempt's time than the endpoint. */
  tookLonger(now: number): boolean {
    const { wholeAt, waitedSince, begunAt } = this;
    return wholeAt === Infinity && now - waitedSince < waitedSince - begunAt;
  }

  /**
   * Sends `head` and the body. Settles when all is sent, or when a later attempt has taken over.
   * @param timeouts `requestBodyIdleMs`: longest silence of the client, and longest wait for room at the endpoint;
   *   `responseHeadMs`: longest wait for the endpoint's 100
   * @throws BodyError when the client's side failed, ConnectionError when the endpoint's did
   */
  async send(
    connection: Connection,
    head: Uint8Array,
    timeouts: SendTimeouts,
    wheel: TimerWheel,
  ): Promise<void> {
    const { outlet } = connection;
    const { requestBodyIdleMs: idleMs, responseHeadMs } = timeouts;
    const turn = ++this.turn;
    this.begunAt = this.waitedSince = wheel.now;
    this.stalledMs = 0;
    let waiting: Uint8Array | null = head;
    if (this.kept.length === 0 && !this.ended) {
      if (this.source.arrive !== undefined) {
        await this.source.arrive();
        if (turn !== this.turn) return;
      }
      this.takeWhole();
      const soon = this.ended || await wheel.within(HEAD_WAITS_MS, this.more());
      if (turn !== this.turn) return;
      if (!soon) {
        outlet.limit("send", idleMs);
        await outlet.write(head);
        if (turn !== this.turn) return;
        waiting = null;
      }
    }
    let closed = false;
    for (let at = 0; !closed;) {
      while (at === this.kept.length && !this.ended) {
        if (!this.withheld) outlet.limit("request", idleMs);
        else outlet.limitGoOn(this.source, connection.headRead ? Infinity : responseHeadMs, idleMs);
        await this.more();
        if (turn !== this.turn) return;
      }
      const piece = at < this.kept.length ? this.kept[at++]! : null;
      if (!this.replayable) at -= this.kept.splice(0, at).length;
      closed = this.ended && at === this.kept.length;
      outlet.limit("send", idleMs);
      const givenAt = wheel.recent;
      this.noteGiven(givenAt);
      await this.write(connection, waiting, piece, closed);
      if (turn !== this.turn) return;
      const sendingMs = wheel.recent - givenAt;
      if (sendingMs >= STALL_MS) this.stalledMs += sendingMs;
      if (piece !== null && !this.replayable) free(piece);
      else if (at > 1 && this.join(at - 2)) at--;
      waiting = null;
    }
    outlet.end();
  }

  /**
   * Puts a piece that was sent and the one after it, if they are small, into one: a piece of a byte costs 150 by itself, and
   * a limit on bytes would be none on memory.
   * @returns whether they were
   */
  private join(first: number): boolean {
    const { kept } = this;
    const [before, piece] = [kept[first]!, kept[first + 1]!];
    const length = before.length + piece.length;
    if (before !== this.joint || length > this.shared.length) {
      if (length > SMALL_BYTES_MAX) return false;
      this.shared = new Uint8Array(SHARED_BYTES);
      this.shared.set(before);
    }
    this.shared.set(piece, before.length);
    kept.splice(first, 2, this.joint = this.shared.subarray(0, length));
    return true;
  }

  /** Another attempt will follow: what comes from now on is for that one, however long it is still to begin. */
  giveUpAttempt(): void {
    this.turn++;
  }

  private noteGiven(now: number): void {
    this.waitedSince = now - this.stalledMs;
    if (this.wholeAt === Infinity && (this.ended || this.bytesRead === this.length)) this.wholeAt = now;
  }

  /** A piece of the body, the head in front of it if that waits, and the end of a chunked body behind the last. */
  private async write(
    { outlet }: Connection,
    head: Uint8Array | null,
    piece: Uint8Array | null,
    last: boolean,
  ): Promise<void> {
    const chunked = this.source.length === null;
    let bytes = piece === null ? NOTHING : chunked ? chunkOf(piece) : piece;
    if (chunked && last) bytes = joined(bytes, this.lastChunk());
    if (head !== null && bytes.length > WITH_HEAD_BYTES_MAX) await outlet.write(head);
    else if (head !== null) bytes = joined(head, bytes);
    if (bytes.length > 0) await outlet.write(bytes);
  }

  private lastChunk(): Uint8Array {
    const { trailers } = this.source;
    const any = trailers !== undefined && trailers.length > 0;
    return lastChunk(any ? trailersToUpstream(trailers, this.identity) : undefined);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
