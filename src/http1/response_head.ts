// Reading the head of a response, with what its framing fields say (RFC 9112 4, 6).
//
// Called by the upstream connection for every answer. A head that leaves room for two readings of where the
// message ends is refused, so that nobody behind Weir can be desynchronised by an origin.

import type { HeaderLines, ResponseHead } from "../exchange.ts";
import { Http1Error } from "./error.ts";
import { parseFieldLines } from "./fields.ts";
import type { Framing } from "./framing.ts";
import { Known, knownHeader } from "./known.ts";
import { decodeLatin1 } from "./latin1.ts";

export interface ParsedResponse extends ResponseHead {
  readonly framing: Framing;
  /** Bytes, when framing is `length`; else 0. */
  readonly contentLength: number;
  /** False when the origin said, or implied, that it closes. */
  readonly persistent: boolean;
  /** Milliseconds from `Keep-Alive: timeout=`, or 0. */
  readonly keepAliveMs: number;
}

const SAFE_DIGITS = 15;

/**
 * Parses the head in `bytes` from `start` to `end` (which is just after its blank line).
 * @param method of the request that it answers: HEAD has no body, and a 2xx to CONNECT neither.
 * @throws Http1Error `malformed`
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
  const headers = parseFieldLines(text, lineEnd + 2);
  return frame(method, status, reason, headers, minor);
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

function frame(
  method: string,
  status: number,
  reason: string,
  headers: HeaderLines,
  minor: number,
): ParsedResponse {
  let contentLength = -1;
  let chunked = false;
  let close = minor === 0;
  let keepAliveMs = 0;
  for (let i = 0; i < headers.length; i += 2) {
    switch (knownHeader(headers[i]!)) {
      case Known.contentLength:
        contentLength = sameLength(contentLength, headers[i + 1]!);
        break;
      case Known.transferEncoding:
        if (chunked) throw new Http1Error("malformed", "several Transfer-Encoding fields");
        requireChunked(headers[i + 1]!);
        chunked = true;
        break;
      case Known.connection:
        close = closes(headers[i + 1]!, close);
        break;
      case Known.keepAlive:
        keepAliveMs = keepAliveTimeoutMs(headers[i + 1]!);
        break;
    }
  }
  // RFC 9112 6.1: both fields at once may be an attempt at smuggling; 1.0 has no transfer codings.
  if (chunked && contentLength >= 0) {
    throw new Http1Error("malformed", "both Transfer-Encoding and Content-Length");
  }
  if (chunked && minor === 0) throw new Http1Error("malformed", "Transfer-Encoding in HTTP/1.0");
  const framing = bodyFraming(method, status, chunked, contentLength);
  return {
    status,
    reason,
    headers,
    framing,
    contentLength: framing === "length" ? contentLength : 0,
    persistent: !close && framing !== "untilClose",
    keepAliveMs,
  };
}

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

/** RFC 9112 6.3: one valid length; equal repeats and a list of equal values are one, too. */
function sameLength(seen: number, value: string): number {
  let length = seen;
  for (const part of value.includes(",") ? value.split(",") : [value]) {
    const parsed = contentLengthOf(part.trim());
    if (length >= 0 && parsed !== length) {
      throw new Http1Error("malformed", "differing Content-Length values");
    }
    length = parsed;
  }
  return length;
}

/**
 * The number in a Content-Length value.
 * @throws Http1Error `malformed` for anything but digits, or more than can be counted exactly
 */
export function contentLengthOf(value: string): number {
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) throw new Http1Error("malformed", "Content-Length is not a number");
    length = length * 10 + digit;
  }
  if (value.length === 0) throw new Http1Error("malformed", "Content-Length is empty");
  if (value.length > SAFE_DIGITS) throw new Http1Error("malformed", "Content-Length is too large");
  return length;
}

/**
 * The only transfer coding that passes is `chunked`: any other would have to be undone, since the field
 * itself is for one hop (RFC 9112 6.1).
 * @throws Http1Error `malformed`
 */
export function requireChunked(value: string): void {
  if (value !== "chunked" && value.toLowerCase() !== "chunked") {
    throw new Http1Error("malformed", "transfer coding other than chunked");
  }
}

function closes(value: string, before: boolean): boolean {
  const lower = value.length === 10 && value === "keep-alive" ? value : value.toLowerCase();
  if (lower === "keep-alive") return false;
  if (lower === "close") return true;
  const options = lower.split(",").map((option) => option.trim());
  if (options.includes("close")) return true;
  return options.includes("keep-alive") ? false : before;
}

function keepAliveTimeoutMs(value: string): number {
  for (const part of value.split(",")) {
    const [name, seconds] = part.trim().split("=");
    if (name?.toLowerCase() === "timeout" && seconds !== undefined && /^\d{1,6}$/.test(seconds)) {
      return Number(seconds) * 1000;
    }
  }
  return 0;
}
