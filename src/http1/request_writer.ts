// Writing a request head: one buffer, one write (RFC 9112 3).
//
// Called by the upstream connection with header lines that the proxy has already decided on; the framing
// fields and Host are written here, so that they cannot disagree with what is sent.

import type { HeaderLines } from "../exchange.ts";
import { encodeLatin1, endLine, linesBytes, putLines } from "./latin1.ts";

const SP = 32;

/** What a request head says. `contentLength` null with `chunked` false: no body. */
export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderLines;
  readonly contentLength: number | null;
  readonly chunked: boolean;
}

const LINE_END = " HTTP/1.1\r\nHost: ";
const CHUNKED_LINE = "Transfer-Encoding: chunked\r\n";
const LENGTH_NAME = "Content-Length: ";

/**
 * The head, ending in the blank line: in `buffer` when it fits, else in memory of its own. Written byte by
 * byte: putting a text together first would cost as much again, and garbage.
 */
export function requestHead(request: RequestLine, host: string, buffer: Uint8Array): Uint8Array {
  const { method, target, headers, contentLength, chunked } = request;
  const length = contentLength === null ? "" : String(contentLength);
  const bytes = method.length + 1 + target.length + LINE_END.length + host.length + 2 + linesBytes(headers) +
    framingBytes(chunked, length) + 2;
  const into = bytes <= buffer.length ? buffer : new Uint8Array(bytes);
  let at = encodeLatin1(method, into, 0);
  into[at++] = SP;
  at = encodeLatin1(LINE_END, into, encodeLatin1(target, into, at));
  at = endLine(into, encodeLatin1(host, into, at));
  at = putLines(headers, into, at);
  if (chunked) at = encodeLatin1(CHUNKED_LINE, into, at);
  else if (length !== "") {
    at = endLine(into, encodeLatin1(length, into, encodeLatin1(LENGTH_NAME, into, at)));
  }
  at = endLine(into, at);
  return into.subarray(0, at);
}

function framingBytes(chunked: boolean, length: string): number {
  if (chunked) return CHUNKED_LINE.length;
  return length === "" ? 0 : LENGTH_NAME.length + length.length + 2;
}

const CRLF = new Uint8Array([13, 10]);

/** `data` as one chunk in one piece, ready for one write. `data` must not be empty: that would end the body. */
export function chunkOf(data: Uint8Array): Uint8Array {
  const head = data.length.toString(16) + "\r\n";
  const chunk = new Uint8Array(head.length + data.length + 2);
  const at = encodeLatin1(head, chunk, 0);
  chunk.set(data, at);
  chunk.set(CRLF, at + data.length);
  return chunk;
}
