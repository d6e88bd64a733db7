// Writing a response head (RFC 9112 4) with framing that cannot disagree with what is sent.
//
// Called by the wire listener for every answer. Content-Length, Transfer-Encoding and Connection are decided
// here, whatever the lines say; every other line passes as it is, in order and in its own case.

import { STATUS_TEXT } from "@std/http/status";
import type { ResponseHead } from "../exchange.ts";
import { Known, knownHeader } from "./known.ts";
import { encodeLatin1, endLine, linesBytes, putLine, putLines } from "./latin1.ts";

const ZERO = 48;
const SP = 32;

/** How the end of the answer is told: `asWritten` keeps the Content-Length of an answer without a body. */
export type ResponseFraming = "length" | "chunked" | "untilClose" | "asWritten" | "none";

/** What the head must say beside its lines. */
export interface ResponseShape {
  readonly framing: ResponseFraming;
  /** Bytes, when framing is `length`. */
  readonly length: number;
  /** The connection ends with this answer. */
  readonly close: boolean;
  /** The client spoke HTTP/1.0 and asked to keep the connection. */
  readonly keepAlive: boolean;
}

/** More than anything that is written beside the head's own lines. */
const OWN_BYTES_MAX = 128;

/** How many bytes `writeResponseHead` writes at most. */
export function responseHeadBytesMax(head: ResponseHead): number {
  return OWN_BYTES_MAX + head.reason.length + linesBytes(head.headers);
}

/** Writes the head, ending in the blank line; returns the index after it. */
export function writeResponseHead(
  head: ResponseHead,
  shape: ResponseShape,
  into: Uint8Array,
  at: number,
): number {
  const { headers, status } = head;
  at = writeStatusLine(status, head.reason, into, at);
  let sized = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const known = knownHeader(name);
    if (known === Known.contentLength) {
      if (sized || !keepsLength(shape, headers[i + 1]!)) continue;
      sized = true;
    } else if (known === Known.transferEncoding || known === Known.connection) continue;
    at = putLine(name, headers[i + 1]!, into, at);
  }
  if (shape.framing === "length" && !sized) at = putLine("Content-Length", String(shape.length), into, at);
  else if (shape.framing === "chunked") at = encodeLatin1("Transfer-Encoding: chunked\r\n", into, at);
  if (shape.close) at = encodeLatin1("Connection: close\r\n", into, at);
  else if (shape.keepAlive) at = encodeLatin1("Connection: keep-alive\r\n", into, at);
  return endLine(into, at);
}

function keepsLength(shape: ResponseShape, value: string): boolean {
  return shape.framing === "asWritten" || (shape.framing === "length" && value === String(shape.length));
}

/** An interim answer, or the 101 that ends HTTP on a connection: lines as they are, no framing. */
export function interimHead(head: ResponseHead): Uint8Array {
  const into = new Uint8Array(responseHeadBytesMax(head));
  const at = putLines(head.headers, into, writeStatusLine(head.status, head.reason, into, 0));
  return into.subarray(0, endLine(into, at));
}

function writeStatusLine(status: number, reason: string, into: Uint8Array, at: number): number {
  at = encodeLatin1("HTTP/1.1 ", into, at);
  into[at] = ZERO + Math.floor(status / 100);
  into[at + 1] = ZERO + Math.floor(status / 10) % 10;
  into[at + 2] = ZERO + status % 10;
  into[at + 3] = SP;
  return endLine(into, encodeLatin1(reason === "" ? STATUS_TEXT[status] ?? "" : reason, into, at + 4));
}
