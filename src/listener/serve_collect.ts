// Answers of moderate, declared length, put together before they are handed to Deno in one piece.
//
// A stream costs Deno.serve several turns a piece; a whole body one. So a body whose length is known is read
// into one buffer as fast as the endpoint sends it, which is mostly at once. If that takes more than a
// moment, what has come is handed out as the beginning of a stream, and the rest as it comes: nobody waits
// for a slow endpoint's last byte to see its first one.

import type { Body, Delivery } from "../exchange.ts";
import { BufferPool } from "../http1/buffers.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** Longer bodies are streamed. */
const COLLECTED_BYTES_MAX = 524_288;
/** Bytes that one worker puts together at once; beyond it bodies are streamed. */
const COLLECTING_BYTES_MAX = 33_554_432;
/** Longest time that a first byte is held back, milliseconds. */
const PATIENCE_MS = 10;

let collecting = 0;

/** Memory for whole answers, used again and again: fresh memory would cost more than filling it. */
const ROOMS: readonly BufferPool[] = [
  new BufferPool(16_384, 64),
  new BufferPool(65_536, 16),
  new BufferPool(COLLECTED_BYTES_MAX, 8),
];

function collectionRoom(length: number): Uint8Array<ArrayBuffer> {
  return ROOMS.find(({ bytes }) => bytes >= length)!.take();
}

/** A room that became the beginning of a stream is Deno's, and never comes back. */
function giveRoomBack(room: Uint8Array<ArrayBuffer>): void {
  ROOMS.find(({ bytes }) => bytes === room.length)!.give(room);
}

/** Whether a body is one to put together. */
export function isCollected(body: Body): boolean {
  const { length } = body;
  return length !== null && length <= COLLECTED_BYTES_MAX && collecting + length <= COLLECTING_BYTES_MAX;
}

/** Answers with `body` through `send`, which is called once; settles when its last byte is handed over. */
export function collectedAnswer(
  body: Body,
  wheel: TimerWheel,
  send: (content: BodyInit) => void,
): Promise<Delivery> {
  return new Collector(body, wheel, send).run();
}

class Collector {
  private readonly length: number;
  private readonly buffer: Uint8Array<ArrayBuffer>;
  private received = 0;
  /** Not null once the answer is a stream. */
  private controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  private handedOver = 0;
  private cancelled = false;

  constructor(
    private readonly body: Body,
    private readonly wheel: TimerWheel,
    private readonly send: (content: BodyInit) => void,
  ) {
    this.length = body.length!;
    this.buffer = collectionRoom(this.length);
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
      // Fetch, 5.2: a Response has a copy of the bytes that it is made of.
      giveRoomBack(this.buffer);
    } else this.controller.close();
    return { kind: "complete", bytes: this.received };
  }

  /** Cuts the client's connection: what came must not look like all there was. */
  private breakOff(error: unknown): Delivery {
    if (this.cancelled) return { kind: "clientGone", bytes: this.handedOver };
    if (this.controller === null) this.stream();
    this.controller!.error(error);
    return { kind: "truncated", bytes: this.handedOver, error };
  }

  /** It takes too long: goes on as a stream. */
  private stream(): void {
    this.send(
      new ReadableStream<Uint8Array>({
        start: (controller) => {
          this.controller = controller;
          this.handOut();
        },
        cancel: () => {
          this.cancelled = true;
          this.body.cancel();
        },
      }),
    );
  }

  /** Hands out what has come since the last time; the buffer bounds how much that can be. */
  private handOut(): void {
    if (this.controller === null || this.handedOver === this.received) return;
    this.controller.enqueue(this.buffer.subarray(this.handedOver, this.received));
    this.handedOver = this.received;
  }
}
