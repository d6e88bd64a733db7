// Bodies between Deno's streams and the exchange's pulls, both ways.

import { type Body, BodyError, type Delivery } from "../exchange.ts";
import { free } from "../http1/buffers.ts";

/** A request body that Deno.serve streams. */
export class ServeBody implements Body {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private received = 0;
  private ended = false;
  private first: ReadableStreamReadResult<Uint8Array> | null = null;

  constructor(
    stream: ReadableStream<Uint8Array>,
    readonly length: number | null,
    /** Called once, when nothing more will be read. */
    private readonly onEnd: () => void,
  ) {
    this.reader = stream.getReader();
  }

  /** Whether there is a body at all, where only reading can tell. Keeps what it read. */
  async begins(): Promise<boolean> {
    this.first = await this.pull();
    if (this.first.done) this.end();
    return !this.first.done;
  }

  private async pull(): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      let result = await this.reader.read();
      // Over HTTP/2 Deno hands an empty piece before the end.
      while (!result.done && result.value.length === 0) result = await this.reader.read();
      return result;
    } catch {
      // Deno says "BadResource" when the client left in the middle.
      this.end();
      throw new BodyError("clientGone", "client left before the end of its body");
    }
  }

  async read(): Promise<Uint8Array | null> {
    if (this.ended) return null;
    const result = this.first ?? await this.pull();
    this.first = null;
    if (!result.done) {
      this.received += result.value.length;
      return result.value;
    }
    this.end();
    if (this.length !== null && this.received < this.length) {
      throw new BodyError("clientGone", "client left before the end of its body");
    }
    return null;
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd();
  }

  takeWhole(): null {
    return null;
  }

  copyWhole(): number {
    return -1;
  }

  cancel(): void {
    if (this.ended) return;
    this.end();
    this.reader.cancel().catch(() => {});
  }
}

/**
 * A response body as the stream that Deno pulls. `settle` is called once, with how it ended.
 * A source that fails errors the stream: Deno then cuts the connection, so the answer never looks complete.
 */
export function responseStream(
  body: Body,
  settle: (delivery: Delivery) => void,
): ReadableStream<Uint8Array> {
  let bytes = 0;
  let before: Uint8Array | null = null;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      // Deno asks for the next piece once it has taken the one before.
      if (before !== null) free(before);
      before = null;
      try {
        // Without a buffer of ours every piece is fresh memory, which Deno then owns.
        const piece = await body.read();
        if (piece === null) {
          controller.close();
          settle({ kind: "complete", bytes });
          return;
        }
        bytes += piece.length;
        before = piece;
        controller.enqueue(piece);
      } catch (error) {
        settle({ kind: "truncated", bytes, error });
        controller.error(error);
      }
    },
    cancel() {
      body.cancel();
      settle({ kind: "clientGone", bytes });
    },
  }, { highWaterMark: 0 });
}
