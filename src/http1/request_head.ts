// Reading the head of a request strictly (RFC 9112 2.2, 3, 5).
//
// Called by the wire listener for every request. It shares the field parser with the upstream side; what a
// lenient parser would let pass (two spaces, a tab, a bare LF, another version) is refused here, before any
// byte of the head can reach an origin.

import type { HeaderLines } from "../exchange.ts";
import { Http1Error } from "./error.ts";
import { FieldLine, hasBareLf, isToken, parseFieldLines, scanFieldLine } from "./fields.ts";
import { decodeLatin1 } from "./latin1.ts";

/** A request line in its three parts. */
export interface RequestLine {
  readonly method: string;
  /** The client's bytes: visible ASCII, at least one. */
  readonly target: string;
  /** 0 or 1, of HTTP/1.x. */
  readonly minor: number;
}

const CR = 13;
const LF = 10;
const SP = 32;

/**
 * The request line that `text` begins with; `lineEnd` is the index of its CRLF.
 * @throws Http1Error `malformed`, or `version` for an HTTP version other than 1.0 and 1.1
 */
export function parseRequestLine(text: string, lineEnd: number): RequestLine {
  const methodEnd = text.indexOf(" ");
  if (methodEnd <= 0 || methodEnd > lineEnd) {
    throw new Http1Error("malformed", "request line is not `method target version`");
  }
  const versionAt = lineEnd - 8;
  const targetEnd = versionAt - 1;
  if (targetEnd <= methodEnd + 1 || text.charCodeAt(targetEnd) !== SP) throw badLine(text, lineEnd);
  const minor = minorVersion(text, versionAt);
  const method = text.substring(0, methodEnd);
  if (!isToken(method)) throw new Http1Error("malformed", "method is not a token");
  for (let i = methodEnd + 1; i < targetEnd; i++) {
    const code = text.charCodeAt(i);
    if (code <= SP || code >= 0x7f) {
      throw new Http1Error("malformed", "request target holds a space, a control or a non-ASCII byte");
    }
  }
  return { method, target: text.substring(methodEnd + 1, targetEnd), minor };
}

function minorVersion(text: string, at: number): number {
  if (!text.startsWith("HTTP/", at) || text.charCodeAt(at + 6) !== 46) throw badLine(text, at + 8);
  const major = text.charCodeAt(at + 5) - 48;
  const minor = text.charCodeAt(at + 7) - 48;
  if (major === 1 && (minor === 0 || minor === 1)) return minor;
  if (major < 0 || major > 9 || minor < 0 || minor > 9) throw badLine(text, at + 8);
  throw new Http1Error("version", `HTTP/${major}.${minor} is not served here`);
}

function badLine(text: string, lineEnd: number): Http1Error {
  const hasVersion = /HTTP\/\d\.\d$/.test(text.substring(0, lineEnd));
  return new Http1Error(
    "malformed",
    hasVersion ? "request line is not `method target version`" : "request line without an HTTP version",
  );
}

/**
 * The field lines of a request head, in `bytes` from `at` to `end`.
 * @param text of the whole head
 * @throws Http1Error `malformed`, or `tooLarge` beyond `linesMax`
 */
export function parseRequestFields(
  bytes: Uint8Array,
  at: number,
  end: number,
  text: string,
  linesMax: number,
): HeaderLines {
  const headers = parseFieldLines(bytes, at, end, text);
  if (headers.length > linesMax * 2) {
    throw new Http1Error("tooLarge", `more than ${linesMax} header lines`);
  }
  return headers;
}

/** How many bytes of empty lines stand before a request line: they are skipped (RFC 9112 2.2). */
export function emptyLinesBefore(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) at += 2;
  return at - start;
}

/**
 * The request line of a head that begins at `start`; null while it is not whole.
 * @throws Http1Error as `parseRequestLine` does
 */
export function requestLineIn(bytes: Uint8Array, start: number, end: number): RequestLine | null {
  const lf = bytes.indexOf(LF, start);
  if (lf < 0 || lf >= end) return null;
  return parseRequestLine(decodeLatin1(bytes, start, lf), lf - 1 - start);
}

const current = new FieldLine();

/**
 * Judges a head that is not complete, so that what will be refused is not waited for: each line that is whole, and the
 * first byte, since another protocol's greeting begins with other bytes, that of TLS for one.
 * @param from up to here the head, which begins at `start`, was looked at before
 * @throws Http1Error `malformed` or `version`
 */
export function judgeBeginning(bytes: Uint8Array, start: number, end: number, from: number): void {
  if (hasBareLf(bytes, start, end, from)) throw new Http1Error("malformed", "line that ends without CR");
  const first = bytes[start]!;
  if (first !== CR && !isToken(String.fromCharCode(first))) {
    throw new Http1Error("malformed", "method is not a token");
  }
  for (let lf = from; lf < end; lf++) {
    if (bytes[lf] !== LF) continue;
    // Not looked for before: each byte of a long line that drips in would cost all of those before it.
    const at = Math.max(start, bytes.lastIndexOf(LF, lf - 1) + 1);
    if (at === start) requestLineIn(bytes, start, end);
    else scanFieldLine(bytes, at, current);
  }
}
