// What the fields of a request say about where it ends and what happens to its connection (RFC 9112 6, 9).
//
// Called by the wire listener once per request. Two readings of one message are what smuggling is made of:
// every head that allows them is refused, and the connection ends with it.

import type { HeaderLines } from "../exchange.ts";
import { Http1Error } from "./error.ts";
import { contentLengthOf, requireChunkedAlone } from "./framing.ts";
import { Known, knownHeader } from "./known.ts";

/** What a request's fields say of its end and of its connection. */
export interface RequestFraming {
  /** Bytes; 0 for no body; null when chunked. */
  readonly contentLength: number | null;
  /** The one Host value; null when there is none. */
  readonly host: string | null;
  /** False when this is the connection's last request. */
  readonly persistent: boolean;
  /** What the client would rather speak, when it asked properly: the Upgrade value; else null. */
  readonly upgrade: string | null;
  /** The client waits for 100 before it sends a body. */
  readonly expectsContinue: boolean;
}

/**
 * @param minor of HTTP/1.x
 * @throws Http1Error `malformed`; `coding` for transfer codings under chunked; `expectation`
 */
export function frameRequest(headers: HeaderLines, minor: number): RequestFraming {
  let contentLength = -1;
  let chunked = false;
  let host: string | null = null;
  let upgrade: string | null = null;
  let connection: string | null = null;
  let expectsContinue = false;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1]!;
    switch (knownHeader(headers[i]!)) {
      case Known.contentLength:
        // RFC 9112 6.3 lets equal repeats pass as one; no client sends them, and parsers differ over them.
        if (contentLength >= 0) throw new Http1Error("malformed", "more than one Content-Length");
        contentLength = contentLengthOf(value);
        break;
      case Known.transferEncoding:
        if (chunked) throw new Http1Error("malformed", "more than one Transfer-Encoding");
        requireOnlyChunked(value);
        chunked = true;
        break;
      case Known.host:
        if (host !== null) throw new Http1Error("malformed", "more than one Host");
        host = value;
        break;
      case Known.connection:
        connection = connection === null ? value : `${connection},${value}`;
        break;
      case Known.expect:
        // RFC 9110 10.1.1: it means nothing in HTTP/1.0.
        if (minor === 1 && asksForContinue(value)) expectsContinue = true;
        break;
      case Known.upgrade:
        upgrade = upgrade === null ? value : `${upgrade}, ${value}`;
        break;
    }
  }
  if (chunked) requireChunkedAlone(contentLength >= 0, minor);
  const options = connection === null ? NO_OPTIONS : connectionOptions(connection);
  return {
    contentLength: chunked ? null : Math.max(contentLength, 0),
    host,
    persistent: minor === 1 ? !options.close : options.keepAlive && !options.close,
    // RFC 9110 7.8: ignored in HTTP/1.0, and without `Connection: upgrade` it is for somebody else.
    upgrade: minor === 1 && options.upgrade ? upgrade : null,
    expectsContinue,
  };
}

function requireOnlyChunked(value: string): void {
  const lower = value === "chunked" ? value : value.toLowerCase();
  if (lower === "chunked") return;
  const codings = lower.split(",").map((coding) => coding.trim());
  const under = codings.slice(0, -1);
  if (
    codings.at(-1) === "chunked" && under.every((coding) => /^[a-z-]+$/.test(coding) && coding !== "chunked")
  ) {
    throw new Http1Error("coding", "Transfer-Encoding other than chunked is not implemented");
  }
  // RFC 9112 6.3: without chunked at the end nobody knows where the request ends.
  throw new Http1Error("malformed", "Transfer-Encoding does not end in chunked");
}

/** RFC 9110 10.1.1: a list; 5.6.1: an empty element of it asks for nothing. */
function asksForContinue(value: string): boolean {
  let asks = false;
  for (const expectation of value.split(",")) {
    const word = expectation.trim().toLowerCase();
    if (word !== "" && word !== "100-continue") {
      throw new Http1Error("expectation", "Expect is not 100-continue");
    }
    asks ||= word !== "";
  }
  return asks;
}

interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
}

const NO_OPTIONS: ConnectionOptions = { close: false, keepAlive: false, upgrade: false };
const ONLY_KEEP_ALIVE: ConnectionOptions = { close: false, keepAlive: true, upgrade: false };

function connectionOptions(value: string): ConnectionOptions {
  const lower = value.toLowerCase();
  if (lower === "keep-alive") return ONLY_KEEP_ALIVE;
  const options = lower.split(",").map((option) => option.trim());
  return {
    close: options.includes("close"),
    keepAlive: options.includes("keep-alive"),
    upgrade: options.includes("upgrade"),
  };
}
