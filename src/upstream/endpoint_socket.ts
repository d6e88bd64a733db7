// A WebSocket to an endpoint, on a connection that has answered 101: frames on it, messages to its owner.
//
// Reading goes on only when its owner has dealt with what came before, so an endpoint is held back by a slow
// client. Writes queue up, and `unsentBytes` says how much. Pings are answered here.

import { FrameReader, type Incoming } from "../http1/frame_reader.ts";
import { closePayload, type CloseWords, Opcode, writeFrame } from "../http1/frames.ts";
import type { Connection } from "./connection.ts";
import { FrameQueue } from "./frame_queue.ts";

/** Memory for reading while messages are small. */
const READ_BYTES_SMALL = 4_096;
const READ_BYTES_LARGE = 65_536;
/** Written at a time, so that `unsentBytes` tells what the endpoint takes of a large message. */
const PIECE_BYTES = 262_144;
/** RFC 6455 5.5.3: only the last ping wants its pong; an endpoint that reads none gets no more. */
const PONG_UNSENT_BYTES_MAX = 16_384;
const encoder = new TextEncoder();

export class EndpointSocket {
  private readonly reader: FrameReader;
  private readonly waiting = new FrameQueue();
  private writing = false;
  private closing = false;
  /** The connection's sending side ends behind what waits. */
  private ends = false;
  /** Bytes of frames that the endpoint has not taken. */
  unsentBytes = 0;

  constructor(private readonly connection: Connection, messageBytesMax: number) {
    this.reader = new FrameReader("server", messageBytesMax);
  }

  /**
   * Hands over what the endpoint says, each once the one before is dealt with. Settles when the endpoint has
   * closed the connection: true after a close frame.
   * @throws FrameError, ConnectionError
   */
  async listen(take: (incoming: Incoming) => Promise<void> | void): Promise<boolean> {
    const { inlet } = this.connection;
    let closed = false;
    const takeAll = async (bytes: Uint8Array) => {
      for (const incoming of this.reader.read(bytes)) {
        if (incoming.kind === "close") closed = true;
        if (incoming.kind === "ping") this.pong(incoming.data);
        await take(incoming);
      }
    };
    await takeAll(inlet.take(inlet.available).slice());
    let buffer = new Uint8Array(READ_BYTES_SMALL);
    for (;;) {
      const count = await this.connection.read(buffer);
      if (count === null) return closed;
      await takeAll(buffer.subarray(0, count));
      const size = count < READ_BYTES_SMALL ? READ_BYTES_SMALL : READ_BYTES_LARGE;
      if (buffer.length !== size) buffer = new Uint8Array(size);
    }
  }

  /** Queues a message. Does nothing once it closes. */
  send(data: string | Uint8Array): void {
    if (typeof data === "string") this.queueFrame(Opcode.text, encoder.encode(data));
    else this.queueFrame(Opcode.binary, data);
  }

  private pong(data: Uint8Array): void {
    if (this.unsentBytes < PONG_UNSENT_BYTES_MAX) this.queueFrame(Opcode.pong, data);
  }

  /** Queues a close frame, the last thing that is sent; null: the connection's sending side ends without one. */
  close(words: CloseWords | null): void {
    if (words !== null) this.queueFrame(Opcode.close, closePayload(words));
    else if (!this.closing) {
      this.ends = true;
      if (!this.writing) this.write();
    }
    this.closing = true;
  }

  /** Closes the connection as it is. */
  drop(): void {
    this.closing = true;
    this.connection.close();
  }

  private queueFrame(opcode: Opcode, payload: Uint8Array): void {
    if (this.closing) return;
    const frame = writeFrame(opcode, payload, maskingKey());
    this.unsentBytes += frame.length;
    if (this.writing) this.waiting.push(frame);
    else this.write(frame);
  }

  /** Writes these frames, and what waits by then. */
  private async write(frames = this.waiting.shift()): Promise<void> {
    const { waiting } = this;
    this.writing = true;
    try {
      for (let next = frames; next !== undefined; next = waiting.shift()) await this.writePieces(next);
      if (this.ends) await this.connection.closeWrite();
    } catch {
      // The reading side tells, after what the endpoint had still said.
      this.closing = true;
      waiting.clear();
    }
    this.writing = false;
  }

  private async writePieces(frames: Uint8Array): Promise<void> {
    for (let at = 0; at < frames.length; at += PIECE_BYTES) {
      const piece = frames.subarray(at, at + PIECE_BYTES);
      await this.connection.outlet.write(piece);
      this.unsentBytes -= piece.length;
    }
  }
}

/** Random bytes in stock, so that a frame costs no call for four of them. */
const keys = new Uint8Array(4_096);
let keysUsed = keys.length;

/** RFC 6455 5.3: fresh for every frame, and unpredictable. Valid until the next call. */
function maskingKey(): Uint8Array {
  if (keysUsed === keys.length) {
    crypto.getRandomValues(keys);
    keysUsed = 0;
  }
  keysUsed += 4;
  return keys.subarray(keysUsed - 4, keysUsed);
}
