// Answers of moderate, declared length, put together before they are handed to Deno in one piece.
//
// A stream costs Deno.serve several turns a piece; a whole body one. So a body whose length is known is read
// into one buffer as fast as the endpoint sends it, which is mostly at once. If that takes more than a
// moment, what has come is handed out as the beginning of a stream, and the rest as it comes: nobody waits
// for a slow endpoint's last byte to see its first one.

import type { Body, Delivery } from "../exchange.ts";
import { bufferFor, giveBack, PIECES } from "../http1/buffers.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { PATIENCE_MS } from "./beginning.ts";
import type { ServeBody } from "./serve_body.ts";
import type { Content } from "./serve_content.ts";
import { cutAnswer } from "./serve_stream.ts";

/**
 * Longer bodies are streamed: of these, the copy that a Response makes of its bytes costs more than the turns that
 * pieces take.
 */
const COLLECTED_BYTES_MAX = PIECES.bytes;
/** Bytes that one worker puts together at once; beyond it bodies are streamed. */
const COLLECTING_BYTES_MAX = 33_554_432;

let collecting = 0;

/** Whether a body is one to put together. */
export function isCollected(body: Body): boolean {
  const { length } = body;
  return length !== null && length <= COLLECTED_BYTES_MAX && collecting + length <= COLLECTING_BYTES_MAX;
}

/**
 * Answers with `body` through `send`, which is called once and copies bytes; settles when its last byte is handed over.
 * @param upload what is left before the answer is cut; null for none
 */
export function collectedAnswer(
  body: Body,
  upload: ServeBody | null,
  wheel: TimerWheel,
  send: (content: Content) => void,
): Promise<Delivery> {
  return new Collector(body, upload, wheel, send).run();
}

function nothing(): void {}

class Collector {
  private readonly length: number;
  private readonly buffer: Uint8Array<ArrayBuffer>;
  private received = 0;
  /** Not null once the answer is a stream. */
  private controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  private handedOver = 0;
  private cancelled = false;
  /** Deno has taken what was handed out, or wants no more. */
  private onTaken = nothing;

  constructor(
    private readonly body: Body,
    private readonly upload: ServeBody | null,
    private readonly wheel: TimerWheel,
    private readonly send: (content: Content) => void,
  ) {
    this.length = body.length!;
    this.buffer = bufferFor(this.length);
  }

  async run(): Promise<Delivery> {
    const { body, buffer, length, wheel } = this;
    const patience = new Timer(() => this.stream());
    wheel.arm(patience, PATIENCE_MS);
    collecting += length;
    try {
      while (this.received < length) {
        const room = buffer.subarray(this.received);
        const piece = await body.read(room);
        if (this.received + (piece?.length ?? 0) === length) await this.upload?.part();
        if (this.cancelled) return { kind: "clientGone", bytes: this.handedOver };
        if (piece === null) break;
        if (piece.buffer !== buffer.buffer) buffer.set(piece, this.received);
        this.received += piece.length;
        this.handOut();
      }
      return this.finish();
    } catch (error) {
      return this.breakOff(error);
    } finally {
      collecting -= length;
      wheel.disarm(patience);
    }
  }

  private finish(): Delivery {
    if (this.controller === null) {
      this.send(this.buffer.subarray(0, this.received));
      giveBack(this.buffer);
    } else {
      this.handOver(this.controller);
      this.controller.close();
    }
    return { kind: "complete", bytes: this.received };
  }

  /** Cuts the client's connection: what came must not look like all there was. */
  private async breakOff(error: unknown): Promise<Delivery> {
    if (!this.cancelled) await this.taken();
    if (this.cancelled) return { kind: "clientGone", bytes: this.handedOver };
    cutAnswer(this.controller!, this.upload, error);
    return { kind: "truncated", bytes: this.handedOver, error };
  }

  /** Settles once Deno has taken all that has come: an error would take that away from the client. */
  private taken(): Promise<void> {
    if (this.controller === null) this.stream();
    this.handOver(this.controller!);
    if (this.controller!.desiredSize! > 0) return Promise.resolve();
    return new Promise((resolve) => this.onTaken = resolve);
  }

  /** It takes too long: goes on as a stream. */
  private stream(): void {
    this.send(
      new ReadableStream<Uint8Array>({
        start: (controller) => {
          this.controller = controller;
          this.handOut();
        },
        pull: () => {
          this.handOut();
          this.onTaken();
        },
        cancel: () => {
          this.cancelled = true;
          this.upload?.leaveBehind();
          this.body.cancel();
          this.onTaken();
        },
      }),
    );
  }

  /** Hands out what has come, once Deno has taken what came before: a piece costs many times its bytes when they are few. */
  private handOut(): void {
    if (this.controller !== null && this.controller.desiredSize! > 0) this.handOver(this.controller);
  }

  private handOver(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const from = this.handedOver;
    if (from === this.received) return;
    // Deno may ask for more at once.
    this.handedOver = this.received;
    controller.enqueue(this.buffer.subarray(from, this.received));
  }
}
