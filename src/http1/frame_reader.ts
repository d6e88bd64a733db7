// Messages from the bytes of a WebSocket, however they are cut: fragments joined, control frames between them
// handed out at once, limits and UTF-8 checked (RFC 6455 5.4, 5.5, 8.1).

import {
  applyMask,
  type CloseWords,
  decodeText,
  FrameError,
  type FrameHead,
  HEAD_BYTES_MAX,
  Opcode,
  readClose,
  readFrameHead,
} from "./frames.ts";

/** What one side of a WebSocket says. */
export type Incoming =
  | { readonly kind: "text"; readonly text: string; readonly bytes: number }
  | { readonly kind: "binary"; readonly data: Uint8Array<ArrayBuffer>; readonly bytes: number }
  | { readonly kind: "ping" | "pong"; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly kind: "close"; readonly words: CloseWords };

export class FrameReader {
  /** What is here of a head that is not complete. */
  private readonly partial = new Uint8Array(HEAD_BYTES_MAX);
  private partialLength = 0;
  private frame: FrameHead | null = null;
  /** Payload bytes of `frame` that came. */
  private received = 0;
  /** Payload of the control frame under way. */
  private readonly control = new Payload();
  /** Payload of the message under way, over its frames. */
  private readonly message = new Payload();
  /** Opcode of the message under way; null between messages. */
  private messageOpcode: Opcode | null = null;
  private closed = false;

  constructor(
    /** Who sends: a client masks every frame, a server none (RFC 6455 5.1). */
    private readonly sender: "client" | "server",
    private readonly messageBytesMax: number,
  ) {}

  /**
   * What `bytes` complete, in order. Nothing after a close frame is looked at. `bytes` may be reused when the
   * iteration is over.
   * @throws FrameError; the connection is of no more use then
   */
  *read(bytes: Uint8Array): Generator<Incoming> {
    let rest = bytes;
    while (!this.closed) {
      if (this.frame === null) {
        const used = this.readHead(rest);
        rest = rest.subarray(used);
        if (this.frame === null) return;
      }
      rest = rest.subarray(this.takePayload(rest));
      if (this.received < this.frame!.length) return;
      const incoming = this.endFrame();
      if (incoming !== null) yield incoming;
    }
  }

  /** Reads a head, or keeps what is there of it; returns how many bytes it used. */
  private readHead(bytes: Uint8Array): number {
    const before = this.partialLength;
    const taken = Math.min(HEAD_BYTES_MAX - before, bytes.length);
    this.partial.set(bytes.subarray(0, taken), before);
    const head = readFrameHead(this.partial.subarray(0, before + taken));
    if (head === null) {
      this.partialLength = before + taken;
      return taken;
    }
    this.partialLength = 0;
    this.accept(head);
    return head.headLength - before;
  }

  private accept(head: FrameHead): void {
    if ((head.key !== null) !== (this.sender === "client")) {
      throw new FrameError(
        1002,
        `frame of a ${this.sender} ${head.key === null ? "without" : "with"} a mask`,
      );
    }
    if (head.opcode < Opcode.close) {
      const continues = head.opcode === Opcode.continuation;
      if (continues !== (this.messageOpcode !== null)) {
        throw new FrameError(1002, continues ? "continuation of no message" : "message within a message");
      }
      if (!continues) this.messageOpcode = head.opcode;
      if (this.message.size + head.length > this.messageBytesMax) {
        throw new FrameError(1009, `message larger than ${this.messageBytesMax} bytes`);
      }
    }
    this.frame = head;
    this.received = 0;
  }

  /** Keeps what is here of the frame's payload; returns how many bytes it used. */
  private takePayload(bytes: Uint8Array): number {
    const { opcode, key, length } = this.frame!;
    const left = length - this.received;
    const piece = bytes.subarray(0, left);
    const kept = (opcode >= Opcode.close ? this.control : this.message).add(piece, left);
    if (key !== null) applyMask(kept, key, this.received);
    this.received += piece.length;
    return piece.length;
  }

  private endFrame(): Incoming | null {
    const { opcode, final } = this.frame!;
    this.frame = null;
    if (opcode >= Opcode.close) {
      const data = this.control.take();
      if (opcode !== Opcode.close) return { kind: opcode === Opcode.ping ? "ping" : "pong", data };
      this.closed = true;
      return { kind: "close", words: readClose(data) };
    }
    return final ? this.endMessage() : null;
  }

  private endMessage(): Incoming {
    const data = this.message.take();
    const text = this.messageOpcode === Opcode.text;
    this.messageOpcode = null;
    const bytes = data.length;
    return text ? { kind: "text", text: decodeText(data), bytes } : { kind: "binary", data, bytes };
  }
}

/** Memory that a payload may have before it has come: a length alone must not cost more. */
const AHEAD_BYTES_MAX = 65_536;

/** Bytes gathered in one piece of memory, so that a message of many small fragments costs no more than its size. */
class Payload {
  size = 0;
  private bytes = new Uint8Array(0);

  /** Appends; returns where the bytes now are. @param expected bytes that will come, these included */
  add(piece: Uint8Array, expected: number): Uint8Array {
    const end = this.size + piece.length;
    if (end > this.bytes.length) this.grow(Math.max(end, this.size + Math.min(expected, AHEAD_BYTES_MAX)));
    this.bytes.set(piece, this.size);
    const kept = this.bytes.subarray(this.size, end);
    this.size = end;
    return kept;
  }

  private grow(least: number): void {
    const larger = new Uint8Array(this.size === 0 ? least : Math.max(least, this.size * 2));
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
  }

  /** All of it, in memory that is the caller's; empty again afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const { bytes, size } = this;
    this.bytes = new Uint8Array(0);
    this.size = 0;
    return bytes.length === size ? bytes : bytes.slice(0, size);
  }
}
