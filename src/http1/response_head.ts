// Reading the head of a response, with what its framing fields say (RFC 9112 4, 6).
//
// Called by the upstream connection for every answer. A head that leaves room for two readings of where the
// message ends is refused, so that nobody behind Weir can be desynchronised by an origin.

import type { HeaderLines, ResponseHead } from "../exchange.ts";
import { Http1Error } from "./error.ts";
import { hasBareLf, takeApart } from "./fields.ts";
import type { Framing } from "./framing.ts";
import { decodeLatin1 } from "./latin1.ts";
import { SectionScan } from "./response_section.ts";

/** A response head, checked whole; its lines are taken apart only when somebody asks for them. */
export class ParsedResponse implements ResponseHead {
  framing: Framing = "none";
  /** Bytes, when framing is `length`; else 0. */
  contentLength = 0;
  /** False when the origin said, or implied, that it closes. */
  persistent = false;
  /** Milliseconds from `Keep-Alive: timeout=`, or 0. */
  keepAliveMs = 0;
  /** Value of the first Content-Type; empty without one. */
  contentType = "";
  /** What Connection says beside `keep-alive` or `close` alone: it may name fields. */
  connection = "";
  text: string | null = null;
  textLength = -1;
  private lines: HeaderLines | null = null;

  constructor(
    readonly status: number,
    readonly reason: string,
    /** All field lines, as they came. */
    private section: string,
    /** Those that the client gets, when no line needs a closer look; else null. */
    private readonly passing: string | null,
    private readonly passingLength: number,
  ) {}

  get headers(): HeaderLines {
    this.text = null;
    return this.lines ??= takeApart(this.section);
  }

  /** Leaves the fields for one hop behind. False, and nothing is done, when the lines must be looked at one by one. */
  pass(): boolean {
    if (this.passing === null || this.lines !== null) return false;
    this.section = this.passing;
    this.text = this.passing;
    this.textLength = this.passingLength;
    return true;
  }
}

/**
 * Parses the head in `bytes` from `start` to `end` (which is just after its blank line).
 * @param method of the request that it answers: HEAD has no body, and a 2xx to CONNECT neither.
 * @throws Http1Error `malformed`, or `tooLarge` for too many lines
 */
export function parseResponseHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  method: string,
): ParsedResponse {
  const text = decodeLatin1(bytes, start, end);
  const lineEnd = text.indexOf("\r\n");
  const minor = httpMinor(text);
  const status = statusCode(text, lineEnd);
  const reason = lineEnd > 13 ? text.substring(13, lineEnd) : "";
  if (!isReason(reason)) throw new Http1Error("malformed", "control character in the reason phrase");
  scan.read(bytes, start + lineEnd + 2, end, text, minor);
  const framing = bodyFraming(method, status, scan.chunked, scan.contentLength);
  const passing = scan.passing(end, status);
  const section = text.substring(lineEnd + 2, text.length - 2);
  const head = new ParsedResponse(status, reason, section, passing, scan.contentLength);
  head.framing = framing;
  head.contentLength = framing === "length" ? scan.contentLength : 0;
  head.persistent = !scan.close && framing !== "untilClose";
  head.keepAliveMs = scan.keepAliveMs;
  head.contentType = scan.contentType;
  head.connection = scan.connection;
  return head;
}

const BEGINNING = [..."HTTP/1."].map((character) => character.charCodeAt(0));

/**
 * Refuses what can never become a head, of which what has come stands in `bytes` from `start` to `end`: another
 * protocol's greeting, or lines without CR. Whoever sent it has nothing more to say, and would be waited for in vain.
 * @param from up to here it was looked at before
 * @throws Http1Error `malformed`
 */
export function requireBeginning(bytes: Uint8Array, start: number, end: number, from = start): void {
  const count = Math.min(end - start, BEGINNING.length);
  for (let i = 0; i < count; i++) {
    if (bytes[start + i] !== BEGINNING[i]) throw new Http1Error("malformed", "not an HTTP/1 status line");
  }
  if (hasBareLf(bytes, start, end, from)) throw new Http1Error("malformed", "line that ends without CR");
}

function httpMinor(text: string): number {
  if (!text.startsWith("HTTP/1.")) throw new Http1Error("malformed", "not an HTTP/1 status line");
  const minor = text.charCodeAt(7) - 48;
  if (minor !== 0 && minor !== 1) throw new Http1Error("malformed", "HTTP version is not 1.0 or 1.1");
  return minor;
}

/** RFC 9112 4: `HTTP-version SP 3DIGIT SP [reason]`; the last SP is often missing when there is no reason. */
function statusCode(text: string, lineEnd: number): number {
  const status = (text.charCodeAt(9) - 48) * 100 + (text.charCodeAt(10) - 48) * 10 + text.charCodeAt(11) - 48;
  const digits = isDigit(text, 9) && isDigit(text, 10) && isDigit(text, 11);
  const bounded = text.charCodeAt(8) === 32 && (lineEnd === 12 || text.charCodeAt(12) === 32);
  if (!digits || !bounded || status < 100) {
    throw new Http1Error("malformed", "status line without a status code");
  }
  return status;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function isReason(reason: string): boolean {
  for (let i = 0; i < reason.length; i++) {
    const code = reason.charCodeAt(i);
    if ((code < 32 && code !== 9) || code === 127) return false;
  }
  return true;
}

const scan = new SectionScan();

function bodyFraming(
  method: string,
  status: number,
  chunked: boolean,
  contentLength: number,
): Framing {
  // RFC 9112 6.3: these have no body whatever the fields say.
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return "none";
  if (method === "CONNECT" && status < 300) return "none";
  if (chunked) return "chunked";
  if (contentLength === 0) return "none";
  return contentLength > 0 ? "length" : "untilClose";
}
