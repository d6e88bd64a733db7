// The frames of one direction of a WebSocket, followed while its bytes pass untouched: where one ends, so that
// another may be put behind it, and what a close frame says.
//
// It judges nothing: reserved bits and opcodes belong to what the two sides have agreed on (RFC 6455 5.8, 9).

import { applyMask, HEAD_BYTES_MAX, Opcode } from "./frames.ts";

export class FrameFollower {
  /** Code of the close frame that has passed; null for one without, undefined while none has. */
  closeCode: number | null | undefined = undefined;
  private readonly head = new Uint8Array(HEAD_BYTES_MAX);
  private headLength = 0;
  /** Payload bytes still to come of the frame under way. */
  private left = 0;
  /** What is here of a close frame's first two bytes of payload. */
  private code: number[] = [];

  /** Whether the next byte begins a frame. */
  get between(): boolean {
    return this.headLength === 0;
  }

  follow(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.followFrame(bytes.subarray(at));
  }

  /** Follows up to the end of the frame under way, or of the first one; returns how many bytes that is. */
  followFrame(bytes: Uint8Array): number {
    let at = 0;
    while (this.left === 0) {
      if (at === bytes.length) return at;
      this.head[this.headLength++] = bytes[at++]!;
      if (this.headLength < this.headEnd) continue;
      this.left = this.payloadLength();
      if (this.left === 0) return this.end(at);
    }
    const piece = bytes.subarray(at, at + this.left);
    if (this.isClose) this.keepCode(piece);
    this.left -= piece.length;
    at += piece.length;
    return this.left === 0 ? this.end(at) : at;
  }

  /** Length of the head under way, as far as its first two bytes tell. */
  private get headEnd(): number {
    if (this.headLength < 2) return 2;
    const second = this.head[1]!;
    const short = second & 0x7f;
    return 2 + (short < 126 ? 0 : short === 126 ? 2 : 8) + (second >= 0x80 ? 4 : 0);
  }

  private payloadLength(): number {
    const short = this.head[1]! & 0x7f;
    if (short < 126) return short;
    let length = 0;
    for (let i = 2; i < (short === 126 ? 4 : 10); i++) length = length * 256 + this.head[i]!;
    return length;
  }

  private get isClose(): boolean {
    return (this.head[0]! & 0x0f) === Opcode.close;
  }

  private keepCode(piece: Uint8Array): void {
    for (const byte of piece.subarray(0, 2 - this.code.length)) this.code.push(byte);
  }

  private end(at: number): number {
    if (this.isClose && this.closeCode === undefined) {
      const code = new Uint8Array(this.code);
      if (this.head[1]! >= 0x80) applyMask(code, this.head.slice(this.headLength - 4, this.headLength), 0);
      this.closeCode = code.length < 2 ? null : code[0]! * 256 + code[1]!;
    }
    this.headLength = 0;
    this.code.length = 0;
    return at;
  }
}
