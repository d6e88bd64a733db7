// Writing a response head (RFC 9112 4) with framing that cannot disagree with what is sent.
//
// Called by the wire listener for every answer. Content-Length, Transfer-Encoding and Connection are decided
// here, whatever the lines say; every other line passes as it is, in order and in its own case.

import { STATUS_TEXT } from "@std/http/status";
import type { ResponseHead } from "../exchange.ts";
import { Known, knownHeader } from "./known.ts";

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

/** The head as text, ending in the blank line. */
export function responseHeadText(head: ResponseHead, shape: ResponseShape): string {
  const whole = wholeLines(head, shape);
  if (whole !== null) return ended(statusLine(head) + whole, shape, head.textLength! >= 0);
  const { headers } = head;
  let text = statusLine(head);
  let sized = false;
  let upgrades = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const known = knownHeader(name);
    if (known === Known.contentLength) {
      if (sized || !keepsLength(shape, headers[i + 1]!)) continue;
      sized = true;
    } else if (known === Known.transferEncoding || known === Known.connection) continue;
    text += name + ": " + headers[i + 1] + "\r\n";
    if (known === Known.upgrade) upgrades = true;
  }
  // RFC 9110 7.8: who sends Upgrade names it in Connection.
  if (upgrades) text += "Connection: Upgrade\r\n";
  return ended(text, shape, sized);
}

/** All lines in one piece, if they say the same of the framing as `shape`. */
function wholeLines({ text = null, textLength = -1 }: ResponseHead, shape: ResponseShape): string | null {
  const agrees = textLength < 0 || shape.framing === "asWritten" ||
    (shape.framing === "length" && textLength === shape.length);
  return agrees ? text : null;
}

/** The framing that the lines do not say yet, and the blank line. */
function ended(text: string, shape: ResponseShape, sized: boolean): string {
  if (shape.framing === "length" && !sized) text += "Content-Length: " + shape.length + "\r\n";
  else if (shape.framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
  if (shape.close) text += "Connection: close\r\n";
  else if (shape.keepAlive) text += "Connection: keep-alive\r\n";
  return text + "\r\n";
}

function keepsLength(shape: ResponseShape, value: string): boolean {
  return shape.framing === "asWritten" || (shape.framing === "length" && value === String(shape.length));
}

/** An interim answer, or the 101 that ends HTTP on a connection: lines as they are, no framing. */
export function interimHeadText(head: ResponseHead): string {
  let text = statusLine(head);
  for (let i = 0; i < head.headers.length; i += 2) {
    text += head.headers[i] + ": " + head.headers[i + 1] + "\r\n";
  }
  return text + "\r\n";
}

function statusLine({ status, reason }: ResponseHead): string {
  return "HTTP/1.1 " + status + " " + (reason === "" ? STATUS_TEXT[status] ?? "" : reason) + "\r\n";
}
