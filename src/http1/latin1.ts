// Strings from bytes and back, one character per byte: header bytes are latin-1 in both directions.
//
// TextDecoder's "latin1" is windows-1252 and TextEncoder is UTF-8, so neither may touch a header. Buffer's
// latin1Slice is the fastest true decoder (0.07 µs for 270 bytes, against 0.9 µs for TextDecoder); for
// encoding a plain loop is (0.15 µs).

import { Buffer } from "node:buffer";
import type { HeaderLines } from "../exchange.ts";

const CR = 13;
const LF = 10;
const COLON = 58;
const SP = 32;

/** The bytes `start` to `end` as a string of the same length. */
export function decodeLatin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}

/**
 * Writes `text` at `at`; returns the index after it. Characters above 0xFF cannot come from the wire; what
 * the operator configures is checked by the schema.
 */
export function encodeLatin1(text: string, into: Uint8Array, at: number): number {
  const length = text.length;
  for (let i = 0; i < length; i++) into[at + i] = text.charCodeAt(i);
  return at + length;
}

/** The bytes of `text`, in `buffer` when they fit, else in memory of their own. */
export function latin1Bytes(text: string, buffer: Uint8Array): Uint8Array {
  const target = text.length <= buffer.length ? buffer : new Uint8Array(text.length);
  encodeLatin1(text, target, 0);
  return target.subarray(0, text.length);
}

/** Writes CRLF; returns the index after it. */
export function endLine(into: Uint8Array, at: number): number {
  into[at] = CR;
  into[at + 1] = LF;
  return at + 2;
}

/** Writes `name: value` with its CRLF; returns the index after it. */
export function putLine(name: string, value: string, into: Uint8Array, at: number): number {
  at = encodeLatin1(name, into, at);
  into[at] = COLON;
  into[at + 1] = SP;
  return endLine(into, encodeLatin1(value, into, at + 2));
}

/** Writes header lines; returns the index after them. */
export function putLines(lines: HeaderLines, into: Uint8Array, at: number): number {
  for (let i = 0; i < lines.length; i += 2) at = putLine(lines[i]!, lines[i + 1]!, into, at);
  return at;
}

/** How many bytes `putLines` writes. */
export function linesBytes(lines: HeaderLines): number {
  let bytes = lines.length * 2;
  for (let i = 0; i < lines.length; i++) bytes += lines[i]!.length;
  return bytes;
}
