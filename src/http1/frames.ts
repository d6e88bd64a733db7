// WebSocket frames as bytes (RFC 6455 5): reading and writing a frame's head, masking, and close codes.
//
// Pure; `frame_reader.ts` puts messages together from what is read here, `upstream/endpoint_socket.ts` sends
// what is written here. What the RFC forbids is refused, with the close code that says so: reserved bits,
// unknown opcodes, lengths that are not the shortest, control frames that are long or fragmented.

/** RFC 6455 5.2. */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type Opcode = typeof Opcode[keyof typeof Opcode];

const KNOWN: readonly number[] = Object.values(Opcode);
/** RFC 6455 5.5: the longest payload of a control frame. */
const CONTROL_BYTES_MAX = 125;
/** The longest head: two bytes, eight of length, four of masking key. */
export const HEAD_BYTES_MAX = 14;

/** Bytes that break RFC 6455 or a limit of ours; `code` is the close code that tells the sender. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  constructor(readonly code: 1002 | 1007 | 1009, message: string) {
    super(message);
  }
}

/** The head of a WebSocket frame. */
export interface FrameHead {
  readonly opcode: Opcode;
  /** Whether the message ends with this frame. */
  readonly final: boolean;
  /** Four bytes, or null when the payload is not masked. */
  readonly key: Uint8Array | null;
  /** Bytes of payload. */
  readonly length: number;
  /** Bytes of the head itself, its key included. */
  readonly headLength: number;
}

/**
 * The frame head at the start of `bytes`, or null while more bytes are needed to tell.
 * @throws FrameError 1002, as soon as the bytes that are there cannot begin a frame
 */
export function readFrameHead(bytes: Uint8Array): FrameHead | null {
  if (bytes.length < 2) return null;
  const [first, second] = bytes as unknown as [number, number];
  const opcode = opcodeOf(first);
  const final = first >= 0x80;
  const short = second & 0x7f;
  if (opcode >= Opcode.close && (!final || short > CONTROL_BYTES_MAX)) {
    throw new FrameError(1002, "control frame that is fragmented or longer than 125 bytes");
  }
  const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
  const keyAt = 2 + lengthBytes;
  const headLength = keyAt + (second >= 0x80 ? 4 : 0);
  if (bytes.length < headLength) return null;
  const length = lengthBytes === 0 ? short : longLength(bytes, lengthBytes);
  return { opcode, final, key: second >= 0x80 ? bytes.slice(keyAt, headLength) : null, length, headLength };
}

function opcodeOf(first: number): Opcode {
  // RFC 6455 5.2: reserved bits belong to extensions, and none is negotiated.
  if ((first & 0x70) !== 0) throw new FrameError(1002, "reserved bit set");
  const opcode = first & 0x0f;
  if (!KNOWN.includes(opcode)) throw new FrameError(1002, `unknown opcode ${opcode}`);
  return opcode as Opcode;
}

function longLength(bytes: Uint8Array, lengthBytes: number): number {
  let length = 0;
  for (let i = 2; i < 2 + lengthBytes; i++) length = length * 256 + bytes[i]!;
  // RFC 6455 5.2: the shortest form is a must, and the highest bit of 64 is 0.
  if (length < (lengthBytes === 2 ? 126 : 65_536)) {
    throw new FrameError(1002, "length not in its shortest form");
  }
  if (bytes[2]! >= 0x80 && lengthBytes === 8) throw new FrameError(1002, "length with its highest bit set");
  return length;
}

/** Bytes before the payload, so that it starts at a whole word and is masked word by word. */
const PAYLOAD_AT = 16;

/** A whole frame, ready for one write. @param key four unpredictable bytes from a client, null from a server */
export function writeFrame(
  opcode: Opcode,
  payload: Uint8Array,
  key: Uint8Array | null,
  final = true,
): Uint8Array {
  const length = payload.length;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const start = PAYLOAD_AT - 2 - lengthBytes - (key === null ? 0 : 4);
  const bytes = new Uint8Array(PAYLOAD_AT + Math.ceil(length / 4) * 4);
  bytes[start] = (final ? 0x80 : 0) | opcode;
  bytes[start + 1] = (key === null ? 0 : 0x80) |
    (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  let rest = length;
  for (let i = start + 1 + lengthBytes; i > start + 1; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(payload, PAYLOAD_AT);
  if (key !== null) {
    bytes.set(key, PAYLOAD_AT - 4);
    maskWords(bytes, key);
  }
  return bytes.subarray(start, PAYLOAD_AT + length);
}

function maskWords(bytes: Uint8Array<ArrayBuffer>, key: Uint8Array): void {
  const word = new Uint32Array(key.slice().buffer)[0]!;
  const words = new Uint32Array(bytes.buffer, PAYLOAD_AT);
  for (let i = 0; i < words.length; i++) words[i]! ^= word;
}

/** Masks or unmasks in place; `at` is how far into the payload `bytes` begin (RFC 6455 5.3). */
export function applyMask(bytes: Uint8Array, key: Uint8Array, at: number): void {
  for (let i = 0; i < bytes.length; i++) bytes[i]! ^= key[(at + i) & 3]!;
}

/** Why a WebSocket is closed; `code` null: no status was given. */
export interface CloseWords {
  readonly code: number | null;
  readonly reason: string;
}

/** RFC 6455 7.4: 1004, 1005, 1006 and 1015 never stand on the wire, nor what nobody has registered. */
export function isCloseCode(code: number): boolean {
  if (code >= 3_000) return code <= 4_999;
  return (code >= 1_000 && code <= 1_003) || (code >= 1_007 && code <= 1_014);
}

/** What a close frame says. @throws FrameError 1002 for its code, 1007 for its reason */
export function readClose(payload: Uint8Array): CloseWords {
  if (payload.length === 0) return { code: null, reason: "" };
  if (payload.length === 1) throw new FrameError(1002, "close frame with half a code");
  const code = payload[0]! * 256 + payload[1]!;
  if (!isCloseCode(code)) throw new FrameError(1002, `close code ${code}`);
  return { code, reason: decodeText(payload.subarray(2)) };
}

/** Payload of a close frame. A code that may not be sent is left out; a long reason is cut at a character. */
export function closePayload({ code, reason }: CloseWords): Uint8Array {
  if (code === null || !isCloseCode(code)) return new Uint8Array();
  const payload = new Uint8Array(CONTROL_BYTES_MAX);
  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  const { written } = new TextEncoder().encodeInto(reason, payload.subarray(2));
  return payload.subarray(0, 2 + written);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 as text, a byte order mark included. @throws FrameError 1007 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FrameError(1007, "text that is not UTF-8");
  }
}
