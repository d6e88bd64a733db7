// The body of an answer between the exchange's pulls and Deno's stream.

import type { Body, Delivery } from "../exchange.ts";
import { free } from "../http1/buffers.ts";
import { isPending, READ_TURNS } from "./pending.ts";
import type { ServeBody } from "./serve_body.ts";

/** Pieces of a body known to be large: a piece costs Deno's stream as much as a hundred kilobytes do. */
const LARGE_PIECE_BYTES = 327_680;
const PIECE_BYTES = 65_536;
/** Large pieces of one worker at a time, twenty megabytes: beyond them, pieces of any body are small. */
const LARGE_PIECES_MAX = 64;
let largePieces = 0;

/**
 * A response body as the stream that Deno pulls. `settle` is called once, with how it ended.
 * A source that fails errors the stream: Deno then cuts the connection, so the answer never looks complete.
 * @param upload what is left first, then; null for none
 */
export function responseStream(
  body: Body,
  upload: ServeBody | null,
  settle: (delivery: Delivery) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new BodySource(body, upload, settle), { highWaterMark: 0 });
}

/** Cuts an answer, and leaves `upload`, the request's body, before that. */
export function cutAnswer(
  controller: ReadableStreamDefaultController<Uint8Array>,
  upload: ServeBody | null,
  error: unknown,
): void {
  if (upload === null) controller.error(error);
  else upload.cutAnswer(() => controller.error(error));
}

class BodySource implements UnderlyingDefaultSource<Uint8Array> {
  private bytes = 0;
  /** Of what was given to Deno, which asks for the next piece once it has taken that. */
  private memory: Uint8Array | null = null;
  /** A read into the rest of that memory, under way or ended. */
  private ahead: Promise<Uint8Array | null> | null = null;
  private large = false;
  /** The last large piece came all but empty: the endpoint is slower than Weir. */
  private slow = false;

  constructor(
    private readonly body: Body,
    private readonly upload: ServeBody | null,
    private readonly settle: (delivery: Delivery) => void,
  ) {}

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const piece = await (this.ahead === null ? this.next() : this.takeAhead(this.ahead));
      if (this.upload !== null && this.isLast(piece)) await this.upload.part();
      if (piece === null) {
        this.end({ kind: "complete", bytes: this.bytes });
        return controller.close();
      }
      this.slow = this.large && piece.length < PIECE_BYTES / 2;
      this.bytes += piece.length;
      controller.enqueue(piece);
    } catch (error) {
      this.end({ kind: "truncated", bytes: this.bytes, error });
      cutAnswer(controller, this.upload, error);
    }
  }

  cancel(): void {
    this.upload?.leaveBehind();
    this.body.cancel();
    this.end({ kind: "clientGone", bytes: this.bytes });
  }

  private isLast(piece: Uint8Array | null): boolean {
    return piece === null || this.bytes + piece.length === this.body.length;
  }

  /** In fresh memory, since Deno then owns it. */
  private async next(): Promise<Uint8Array | null> {
    this.letGo();
    const room = this.largeRoom();
    const { ready } = this.body;
    const piece = await this.body.read(room);
    this.memory = room ?? piece;
    if (room === undefined || piece === null || ready !== true) return piece;
    // A head's buffer may have filled it: what is read into no room looks like an end.
    return piece.length === room.length ? piece : await this.withMore(piece, room);
  }

  /** `piece` and what is here behind it, in `room`. */
  private async withMore(piece: Uint8Array, room: Uint8Array): Promise<Uint8Array> {
    const first = moveInto(room, piece);
    const ahead = this.ahead = this.body.read(room.subarray(first.length));
    // An end or a failure is the next pull's, once this piece is out.
    const more = ahead.catch(() => null);
    const rest = await isPending(more, READ_TURNS) ? null : await more;
    if (rest === null) return first;
    this.ahead = null;
    moveInto(room.subarray(first.length), rest);
    return room.subarray(0, first.length + rest.length);
  }

  private async takeAhead(ahead: Promise<Uint8Array | null>): Promise<Uint8Array | null> {
    const piece = await ahead;
    this.ahead = null;
    return piece;
  }

  /** Room for a large piece; undefined where one of the body's own size is better. */
  private largeRoom(): Uint8Array | undefined {
    const left = (this.body.length ?? 0) - this.bytes;
    if (left <= PIECE_BYTES || this.slow || largePieces === LARGE_PIECES_MAX) return undefined;
    this.large = true;
    largePieces++;
    // Room for one byte more than there should be shows whether there is any.
    return new Uint8Array(Math.min(left + 1, LARGE_PIECE_BYTES));
  }

  /** What is still being read into is left to the garbage collector. */
  private letGo(): void {
    if (this.memory !== null && this.ahead === null) free(this.memory);
    this.memory = null;
    if (this.large) largePieces--;
    this.large = false;
  }

  private end(delivery: Delivery): void {
    this.letGo();
    this.settle(delivery);
  }
}

/** A body may give memory of its own: see `Body.read`. */
function moveInto(room: Uint8Array, piece: Uint8Array): Uint8Array {
  if (piece.buffer !== room.buffer) room.set(piece);
  return room.subarray(0, piece.length);
}
