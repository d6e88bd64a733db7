// Writing a request head: one buffer, one write (RFC 9112 3).
//
// Called by the upstream connection with header lines that the proxy has already decided on; the framing
// fields and Host are written here, so that they cannot disagree with what is sent.

import type { HeaderLines } from "../exchange.ts";
import { encodeLatin1, latin1Bytes } from "./latin1.ts";

/** A request as it is sent on. `contentLength` null with `chunked` false: no body. */
export interface OutgoingRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderLines;
  /** In place of `headers`: the same lines as one text, each with its CRLF. */
  readonly text?: string | null;
  readonly contentLength: number | null;
  readonly chunked: boolean;
}

/**
 * The head, ending in the blank line: in `buffer` when it fits, else in memory of its own.
 * @param latest the last one in `buffer`
 */
export function requestHead(
  request: OutgoingRequest,
  host: string,
  buffer?: Uint8Array,
  latest?: Uint8Array,
): Uint8Array {
  const { headers, text: lines = null } = request;
  let text = request.method + " " + request.target + " HTTP/1.1\r\nHost: " + host + "\r\n";
  if (lines !== null) text += lines;
  else for (let i = 0; i < headers.length; i += 2) text += headers[i] + ": " + headers[i + 1] + "\r\n";
  if (request.chunked) text += "Transfer-Encoding: chunked\r\n";
  else if (request.contentLength !== null) text += "Content-Length: " + request.contentLength + "\r\n";
  return latin1Bytes(text + "\r\n", buffer, latest);
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
