// Sending an answer: the head and whatever of the body is here in one write, the rest in large pieces.
//
// One buffer carries an answer from socket to socket. A piece that comes straight from the origin is read
// into it beside the head or its chunk line, so that nothing is copied twice and nothing is written in bits.

import type { Body, Delivery, ResponseHead } from "../exchange.ts";
import { bufferFor, giveBack, LARGE_PIECES, PIECES, SMALL_PIECES } from "../http1/buffers.ts";
import { encodeHead, encodeLatin1, latin1Bytes } from "../http1/latin1.ts";
import { responseHeadText, type ResponseShape } from "../http1/response_writer.ts";
import { lastChunk } from "../http1/trailers.ts";
import { Beginning } from "./beginning.ts";
import { isPending, READ_TURNS } from "./pending.ts";
import type { WireSocket } from "./wire_socket.ts";

/** Room for a chunk line of a piece: up to five hex digits and CRLF. */
const CHUNK_LINE_BYTES = 7;
const CHUNK_END_BYTES = 2;
/** Less room than this is not worth a read: what is there is written first. */
const PIECE_BYTES_MIN = 4_096;

/** Whose answer it is. */
export interface AnswerOwner {
  readonly socket: WireSocket;
  /** Told once, when the last byte is out or none will be any more; what it returns, `sendAnswer` settles with. */
  answered(delivery: Delivery): Delivery;
}

/** Sends all of it. Never rejects. */
export function sendAnswer(
  owner: AnswerOwner,
  head: ResponseHead,
  body: Body | null,
  shape: ResponseShape,
): Promise<Delivery> {
  const text = responseHeadText(head, shape);
  if (text.length > PIECES.bytes / 2) return sendLargeHead(owner, text, body, shape);
  const buffer = roomFor(text.length, body);
  const at = encodeHead(text, buffer);
  if (body === null) return sendWhole(owner, buffer, at, 0);
  const bytes = shape.framing === "length" ? body.copyWhole(buffer, at) : -1;
  if (bytes >= 0) return sendWhole(owner, buffer, at + bytes, bytes);
  const small = body.length === null || body.length <= PIECES.bytes;
  return small && owner.socket.holdsBack
    ? pumpInOne(owner, body, buffer, shape, at)
    : pump(owner, body, buffer, shape, at);
}

/** Room for a head and, if that is known, for all of its body; else for as much at once as is worth it. */
function roomFor(headBytes: number, body: Body | null): Uint8Array<ArrayBuffer> {
  if (body === null) return bufferFor(headBytes);
  if (body.length === null) return PIECES.take();
  const bytes = headBytes + body.length;
  return (bytes > PIECES.bytes ? LARGE_PIECES.takeIfAny() : null) ?? bufferFor(bytes);
}

/** Sends the first `end` bytes of `buffer`; `bytes` of them are the body's. */
function sendWhole(
  owner: AnswerOwner,
  buffer: Uint8Array<ArrayBuffer>,
  end: number,
  bytes: number,
): Promise<Delivery> {
  return owner.socket.write(buffer.subarray(0, end)).then((sent) => {
    giveBack(buffer);
    return owner.answered(sent ? { kind: "complete", bytes } : CLIENT_GONE);
  });
}

/** The head by itself, in memory of its own. */
async function sendLargeHead(
  owner: AnswerOwner,
  text: string,
  body: Body | null,
  shape: ResponseShape,
): Promise<Delivery> {
  if (!await owner.socket.write(latin1Bytes(text))) {
    body?.cancel();
    return owner.answered(CLIENT_GONE);
  }
  if (body === null) return owner.answered({ kind: "complete", bytes: 0 });
  return await pump(owner, body, roomFor(0, body), shape, 0);
}

const CLIENT_GONE: Delivery = { kind: "clientGone", bytes: 0 };

async function pump(
  owner: AnswerOwner,
  body: Body,
  buffer: Uint8Array<ArrayBuffer>,
  { framing }: ResponseShape,
  at: number,
): Promise<Delivery> {
  return owner.answered(await new Pump(owner.socket, body, buffer, framing === "chunked").run(at));
}

/** With the head goes what of the body comes in a moment. */
async function pumpInOne(
  owner: AnswerOwner,
  body: Body,
  buffer: Uint8Array<ArrayBuffer>,
  shape: ResponseShape,
  at: number,
): Promise<Delivery> {
  const beginning = new Beginning(body, owner.socket.wheel);
  await beginning.waited();
  return await pump(owner, beginning, buffer, shape, at);
}

function gone(body: Body, bytes: number): Delivery {
  body.cancel();
  return { kind: "clientGone", bytes };
}

/** Moves one body through one buffer. */
class Pump {
  private bytes = 0;
  private ended = false;
  /** Something could not be sent: the client is gone. */
  private failed = false;
  /** What waits in the buffer is `buffer[from..at)`. */
  private from = 0;
  private at = 0;

  constructor(
    private readonly socket: WireSocket,
    private readonly body: Body,
    private buffer: Uint8Array<ArrayBuffer>,
    private readonly chunked: boolean,
  ) {}

  /** @param at where the head ends that waits in the buffer */
  async run(at: number): Promise<Delivery> {
    try {
      return await this.move(at);
    } finally {
      giveBack(this.buffer);
    }
  }

  private async move(at: number): Promise<Delivery> {
    const { body } = this;
    this.at = at;
    // A head does not wait for a body that is still to come.
    if (this.chunked && body.ready !== true) await this.send();
    let filled = this.buffer.length;
    while (!this.ended && !this.failed) {
      if (this.at === 0) this.resize(filled);
      const before = this.bytes;
      try {
        await this.fill();
      } catch (error) {
        if (this.failed) break;
        await this.send();
        return { kind: "truncated", bytes: this.bytes, error };
      }
      filled = this.bytes - before;
      await this.send();
    }
    return this.failed ? gone(body, this.bytes) : { kind: "complete", bytes: this.bytes };
  }

  /** What waits in the buffer. */
  private async send(): Promise<void> {
    const { from, at } = this;
    if (at > from && !await this.socket.write(this.buffer.subarray(from, at))) this.failed = true;
    this.from = this.at = 0;
  }

  /** Streams of small pieces wait with a small buffer, and get a large one back when they fill it. */
  private resize(filled: number): void {
    const { buffer } = this;
    const small = buffer.length === SMALL_PIECES.bytes;
    if (small ? filled < buffer.length / 2 : filled >= SMALL_PIECES.bytes / 2) return;
    giveBack(buffer);
    this.buffer = (small ? PIECES : SMALL_PIECES).take();
  }

  /**
   * At least one piece behind what is in the buffer, and all that follows without waiting. Chunks are read as they come;
   * of other bodies more is looked for behind what came with the head, since most of it is on its way.
   */
  private async fill(): Promise<void> {
    const { body, buffer, chunked } = this;
    let more: boolean;
    do {
      const here = body.ready === true;
      const adding = chunked ? this.addChunk(this.at) : this.addPiece(this.at);
      if (!chunked && !here && this.at > 0 && await isPending(adding, READ_TURNS)) {
        await this.sendBeside();
      }
      this.at = await adding;
      more = body.ready === true || (here && !chunked);
    } while (more && !this.ended && buffer.length - this.at >= PIECE_BYTES_MIN);
  }

  /** What waits in the buffer goes out while a piece behind it is awaited; until that is settled the buffer is in use. */
  private async sendBeside(): Promise<void> {
    const { from, at } = this;
    this.from = at;
    if (await this.socket.write(this.buffer.subarray(from, at))) return;
    this.failed = true;
    this.body.cancel();
  }

  private async addPiece(at: number): Promise<number> {
    const { body, buffer } = this;
    const room = at === 0 ? buffer : buffer.subarray(at);
    const piece = await body.read(room);
    if (piece === null) {
      this.ended = true;
      return at;
    }
    if (piece.buffer !== room.buffer) room.set(piece);
    this.bytes += piece.length;
    this.ended = this.bytes === body.length;
    return at + piece.length;
  }

  private async addChunk(at: number): Promise<number> {
    const { body, buffer } = this;
    const from = at + CHUNK_LINE_BYTES;
    const room = buffer.subarray(from, buffer.length - CHUNK_END_BYTES);
    const piece = await body.read(room);
    if (piece === null) return this.addLastChunk(at);
    if (piece.length === 0) return at;
    if (piece.buffer !== room.buffer) room.set(piece);
    this.bytes += piece.length;
    // Leading zeros make the line as long as its room (RFC 9112 7.1 allows them).
    encodeLatin1(piece.length.toString(16).padStart(CHUNK_LINE_BYTES - 2, "0") + "\r\n", buffer, at);
    return encodeLatin1("\r\n", buffer, from + piece.length);
  }

  private async addLastChunk(at: number): Promise<number> {
    const { buffer, socket } = this;
    this.ended = true;
    const last = lastChunk(this.body.trailers);
    if (at + last.length > buffer.length) {
      await this.send();
      this.failed ||= !await socket.write(last);
      return 0;
    }
    buffer.set(last, at);
    return at + last.length;
  }
}
