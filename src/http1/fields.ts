// Field lines of a head or a trailer section: parsing them strictly (RFC 9112 5, RFC 9110 5.5).
//
// Works on the bytes of a whole section, which costs half of what its text does. What a lenient parser lets pass
// here is what smuggling is made of: space before a colon, folded lines, bare CR or LF, NUL, empty names are all
// refused.

import type { HeaderLines } from "../exchange.ts";
import { Http1Error, quoted } from "./error.ts";
import { decodeLatin1 } from "./latin1.ts";

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

/**
 * Whether a line ended without CR: a head with such a line would never be complete, so it is refused at once.
 * @param from up to here the head, which begins at `start`, was looked at before
 */
export function hasBareLf(bytes: Uint8Array, start: number, end: number, from = start): boolean {
  for (let at = from; at < end; at++) {
    if (bytes[at] === LF && (at === start || bytes[at - 1] !== CR)) return true;
  }
  return false;
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

  /** Whether it stands in `bytes` as Weir would write it: one space after the colon, none behind the value. */
  isPlainIn(bytes: Uint8Array): boolean {
    return this.from === this.nameEnd + 2 && bytes[this.from - 1] === SP && this.to === this.next - 2 &&
      this.to > this.from;
  }
}

/**
 * Reads the field line that begins at `at`, in a section that ends in a blank line.
 * @throws Http1Error `malformed`
 */
export function scanFieldLine(bytes: Uint8Array, at: number, line: FieldLine): void {
  let i = at;
  while (TOKEN[bytes[i]!] === 1) i++;
  if (bytes[i] !== COLON || i === at) throw badName(bytes, at, i);
  line.nameEnd = i;
  let from = i + 1;
  while (isBlank(bytes[from])) from++;
  i = from;
  while (VALUE[bytes[i]!] === 1) i++;
  if (bytes[i] !== CR || bytes[i + 1] !== LF) {
    const name = decodeLatin1(bytes, at, line.nameEnd);
    throw new Http1Error(
      "malformed",
      `control character in the value of ${quoted(name)}: 0x${hex(bytes[i])}`,
    );
  }
  line.next = i + 2;
  while (i > from && isBlank(bytes[i - 1])) i--;
  line.from = from;
  line.to = i;
}

const current = new FieldLine();

/**
 * The field lines of the section from `at` to `end` (just after its blank line), as a flat list in arrival order.
 * @param text of the bytes up to `end`, which may begin before `at`
 * @throws Http1Error `malformed`
 */
export function parseFieldLines(
  bytes: Uint8Array,
  at: number,
  end: number,
  text: string = decodeLatin1(bytes, at, end),
): HeaderLines {
  const lines: HeaderLines = [];
  const textAt = end - text.length;
  const last = end - 2;
  while (at < last) {
    scanFieldLine(bytes, at, current);
    const { nameEnd, from, to, next } = current;
    lines.push(text.substring(at - textAt, nameEnd - textAt), text.substring(from - textAt, to - textAt));
    at = next;
  }
  return lines;
}

/** The lines of a text that was checked before, each with its CRLF, as a flat list. */
export function takeApart(text: string): HeaderLines {
  const lines: HeaderLines = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\r\n", at);
    const colon = text.indexOf(":", at);
    lines.push(text.substring(at, colon), bareValue(text, colon + 1, end));
    at = end + 2;
  }
  return lines;
}

/** All lines but those of some names, which are given in lower case. */
export function withoutFields(lines: HeaderLines, names: ReadonlySet<string>): HeaderLines {
  const kept: HeaderLines = [];
  for (let i = 0; i < lines.length; i += 2) {
    if (!names.has(lines[i]!.toLowerCase())) kept.push(lines[i]!, lines[i + 1]!);
  }
  return kept;
}

/** The value in a part of a text: the blanks around it are none of it (RFC 9110 5.5). */
export function bareValue(text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.substring(from, to);
}

function isBlank(code: number | undefined): boolean {
  return code === SP || code === TAB;
}

function hex(code: number | undefined): string {
  return code === undefined ? "end" : code.toString(16).padStart(2, "0");
}

function badName(bytes: Uint8Array, at: number, i: number): Http1Error {
  const code = bytes[i];
  if (i === at && isBlank(code)) return new Http1Error("malformed", "folded field line (obs-fold)");
  if (i === at && code === COLON) return new Http1Error("malformed", "field line without a name");
  if (isBlank(code)) return new Http1Error("malformed", "space between field name and colon");
  return new Http1Error("malformed", `byte 0x${hex(code)} in a field name`);
}
