// A chunked body that is all in one buffer, in the form that everybody writes: sizes in hexadecimal digits alone, no
// trailers. It costs no step for each chunk. Whatever else comes is for `chunked_body.ts`, which judges it.

/** More than a buffer holds. */
const DIGITS_MAX = 6;
const CR = 13;
const LF = 10;

/** What the chunk line says that was read last. */
class ChunkLine {
  size = 0;
  /** Where the chunk's content begins. */
  contentAt = 0;
}

const line = new ChunkLine();

/** Where the chunks end that begin at `at`; -1 when not all of them are before `end`, or one is no plain one. */
export function endOfChunks(bytes: Uint8Array, at: number, end: number): number {
  do {
    if (!readLine(bytes, at, end)) return -1;
    at = line.contentAt + line.size + 2;
    if (at > end || !isCrlf(bytes, at - 2)) return -1;
  } while (line.size > 0);
  return at;
}

/** Moves their contents together, to `start`, where the chunks begin. @returns how many bytes they are */
export function joinChunks(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  for (let at = start; at < end; at = line.contentAt + line.size + 2) {
    readLine(bytes, at, end);
    bytes.copyWithin(to, line.contentAt, line.contentAt + line.size);
    to += line.size;
  }
  return to - start;
}

/** Whether there is a plain one, which is in `line` then. */
function readLine(bytes: Uint8Array, at: number, end: number): boolean {
  const last = Math.min(at + DIGITS_MAX, end);
  let size = 0;
  let i = at;
  for (let digit; i < last && (digit = hexDigit(bytes[i]!)) >= 0; i++) size = size * 16 + digit;
  line.size = size;
  line.contentAt = i + 2;
  return i > at && isCrlf(bytes, i);
}

function isCrlf(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}

/** The value of a hexadecimal digit; -1 for what is none. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
