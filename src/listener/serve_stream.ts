// The body of an answer between the exchange's pulls and Deno's stream.

import type { Body, Delivery } from "../exchange.ts";
import { free } from "../http1/buffers.ts";
import type { ServeBody } from "./serve_body.ts";

/** Pieces of a body known to be large: a piece costs Deno's stream as much as a hundred kilobytes do. */
const LARGE_PIECE_BYTES = 262_144;
const PIECE_BYTES = 65_536;
/** Large pieces of one worker at a time, sixteen megabytes: beyond them, pieces of any body are small. */
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
  /** Given to Deno, which asks for the next one once it has taken it. */
  private before: Uint8Array | null = null;
  private large = false;
  /** The last large piece came all but empty: the endpoint is slower than Weir. */
  private slow = false;

  constructor(
    private readonly body: Body,
    private readonly upload: ServeBody | null,
    private readonly settle: (delivery: Delivery) => void,
  ) {}

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.letGo();
    try {
      // Fresh memory each time, since Deno then owns it.
      const room = this.largeRoom();
      const piece = await this.body.read(room);
      if (piece === null) {
        this.end({ kind: "complete", bytes: this.bytes });
        return controller.close();
      }
      this.slow = room !== undefined && piece.length < PIECE_BYTES / 2;
      this.bytes += piece.length;
      this.before = piece;
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

  /** Room for a large piece; undefined where one of the body's own size is better. */
  private largeRoom(): Uint8Array | undefined {
    const left = (this.body.length ?? 0) - this.bytes;
    if (left <= PIECE_BYTES || this.slow || largePieces === LARGE_PIECES_MAX) return undefined;
    // What came with the head is at most as large as a head's buffer.
    if (this.body.ready === true) return undefined;
    this.large = true;
    largePieces++;
    // Room for one byte more than there should be shows whether there is any.
    return new Uint8Array(Math.min(left + 1, LARGE_PIECE_BYTES));
  }

  private letGo(): void {
    if (this.before !== null) free(this.before);
    this.before = null;
    if (this.large) largePieces--;
    this.large = false;
  }

  private end(delivery: Delivery): void {
    this.letGo();
    this.settle(delivery);
  }
}
