// Field lines of a head or a trailer section: parsing them strictly (RFC 9112 5, RFC 9110 5.5).
//
// Works on the latin-1 text of a whole section. What a lenient parser lets pass here is what smuggling is
// made of: space before a colon, folded lines, bare CR or LF, NUL, empty names are all refused.

import type { HeaderLines } from "../exchange.ts";
import { Http1Error } from "./error.ts";

const TOKEN = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[c.charCodeAt(0)] = 1;
}
/** Bytes that a field value may hold: tab, visible, space, obs-text. */
const VALUE = new Uint8Array(256);
VALUE[9] = 1;
for (let c = 0x20; c < 256; c++) if (c !== 0x7f) VALUE[c] = 1;

const CR = 13;
const LF = 10;
const SP = 32;
const TAB = 9;
const COLON = 58;

/** Whether `text` is a token (RFC 9110 5.6.2). */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || TOKEN[code] === 0) return false;
  }
  return text.length > 0;
}

/**
 * The index just after the blank line that ends a section starting at `start`, or -1 when it is not there
 * yet. A section is ended by CRLF CRLF; lines are checked by `parseFieldLines`.
 */
export function findSectionEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start + 3; i < end; i++) {
    const byte = bytes[i]!;
    if (byte > CR) i += 3;
    else if (byte === LF && bytes[i - 2] === LF && bytes[i - 1] === CR && bytes[i - 3] === CR) return i + 1;
    // Any other small byte: a CR or an LF further left in the mark. Step by one until it is decided.
  }
  return -1;
}

/** Where the parts of one field line are; made once and filled again for each line. */
export class FieldLine {
  /** Just after the name. */
  nameEnd = 0;
  /** The value without the blanks around it: `from` to `to`. */
  from = 0;
  to = 0;
  /** Just after the line's CRLF. */
  next = 0;

  /** Whether `text` has it as Weir would write it: one space after the colon, none behind the value. */
  isPlainIn(text: string): boolean {
    return this.from === this.nameEnd + 2 && text.charCodeAt(this.from - 1) === SP &&
      this.to === this.next - 2 && this.to > this.from;
  }
}

/**
 * Reads the field line that begins at `at`.
 * @throws Http1Error `malformed`
 */
export function scanFieldLine(text: string, at: number, line: FieldLine): void {
  let i = at;
  let code = text.charCodeAt(i);
  while (TOKEN[code] === 1) code = text.charCodeAt(++i);
  if (code !== COLON || i === at) throw badName(text, at, i);
  line.nameEnd = i;
  let from = i + 1;
  code = text.charCodeAt(from);
  while (code === SP || code === TAB) code = text.charCodeAt(++from);
  i = from;
  while (VALUE[code] === 1) code = text.charCodeAt(++i);
  if (code !== CR || text.charCodeAt(i + 1) !== LF) {
    const name = text.substring(at, line.nameEnd);
    throw new Http1Error("malformed", `control character in the value of ${name}: 0x${hex(code)}`);
  }
  line.next = i + 2;
  while (i > from && isBlank(text.charCodeAt(i - 1))) i--;
  line.from = from;
  line.to = i;
}

const current = new FieldLine();

/**
 * Field lines from `at` to the blank line that ends the section, as a flat list in arrival order.
 * @throws Http1Error `malformed`
 */
export function parseFieldLines(text: string, at: number): HeaderLines {
  const lines: HeaderLines = [];
  const last = text.length - 2;
  while (at < last) {
    scanFieldLine(text, at, current);
    lines.push(text.substring(at, current.nameEnd), text.substring(current.from, current.to));
    at = current.next;
  }
  return lines;
}

function isBlank(code: number): boolean {
  return code === SP || code === TAB;
}

function hex(code: number): string {
  return Number.isNaN(code) ? "end" : code.toString(16).padStart(2, "0");
}

function badName(text: string, at: number, i: number): Http1Error {
  const code = text.charCodeAt(i);
  if (i === at && isBlank(code)) return new Http1Error("malformed", "folded field line (obs-fold)");
  if (i === at && code === COLON) return new Http1Error("malformed", "field line without a name");
  if (isBlank(code)) return new Http1Error("malformed", "space between field name and colon");
  return new Http1Error("malformed", `byte 0x${hex(code)} in a field name`);
}
