// What a listener would refuse of a head that nobody has sent: for explain.
//
// Pure. Made of what the listeners go by themselves, so that explain and they say the same.

import type { ListenConfig } from "../config/schema.ts";
import {
  type HeaderLines,
  headerValue,
  isNamed,
  listHas,
  type RequestHead,
  type Unacceptable,
} from "../exchange.ts";
import { Http1Error } from "../http1/error.ts";
import { frameRequest, type RequestFraming } from "../http1/request_framing.ts";
import { requestHead } from "../http1/request_writer.ts";
import { isAuthority } from "./authority.ts";
import { refuseBody } from "./serve_request.ts";
import { badHost, unacceptable } from "./unacceptable.ts";
import { readRequest, refusalOf, tooLarge } from "./wire_request.ts";

/** Header lines that Deno takes, Host among them. */
const DENO_LINES_MAX = 128;

/** Why the listener refuses a head of HTTP/1.1 before any route is looked for, or null. `Host` is its authority. */
export type HeadRefusal = (head: RequestHead) => Unacceptable | null;

/** The refusals of the listener that is configured. */
export function headRefusalOf(config: ListenConfig): HeadRefusal {
  return config.listener === "wire" ? (head) => refusalOnWire(head, config) : refusalOnServe;
}

/** Read as if it had come. */
function refusalOnWire(
  head: RequestHead,
  { headBytesMax, headerLinesMax }: ListenConfig,
): Unacceptable | null {
  const { scheme } = head;
  const request = { ...head, contentLength: null, chunked: false };
  const bytes = requestHead(request, head.authority);
  if (bytes.length > headBytesMax) return tooLarge(bytes, 0, bytes.length, headBytesMax);
  return readRequest({ bytes, start: 0 }, bytes.length, { scheme, headerLinesMax }, head).unacceptable;
}

/** Deno.serve frames as the wire listener does what it looks at, and has no body of GET and HEAD. */
function refusalOnServe(head: RequestHead): Unacceptable | null {
  const { method, authority, headers } = head;
  const byDeno = refusalByDeno(head);
  if (byDeno !== null) return unacceptable(400, byDeno);
  const framing = framingOf(authority, linesOnServe(headers));
  if ("status" in framing) return framing;
  return refuseBody(method, framing.contentLength, framing.contentLength === null);
}

/** Why Deno answers 400 without asking Weir, where Weir itself would not; or null. */
function refusalByDeno({ method, headers }: RequestHead): string | null {
  if (1 + headers.length / 2 > DENO_LINES_MAX) {
    return `Deno takes no more than ${DENO_LINES_MAX} header lines`;
  }
  if (method === "CONNECT") return "Deno takes CONNECT for a host and port only, not for a path";
  const has = (name: string) => headerValue(headers, name) !== undefined;
  const upgrades = has("upgrade") && listHas(headers, "connection", "upgrade");
  const framed = has("content-length") || has("transfer-encoding");
  return upgrades && framed ? "Deno takes no Upgrade on a request with a body" : null;
}

/** Deno.serve takes any Expect, and a Content-Length that is repeated for one (RFC 9112 6.3). */
function linesOnServe(headers: HeaderLines): HeaderLines {
  const declared = headerValue(headers, "content-length");
  const lines: HeaderLines = [];
  let repeats = false;
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i]!, headers[i + 1]!];
    const isLength = isNamed(name, "content-length");
    if (isNamed(name, "expect") || isLength && repeats && value === declared) continue;
    repeats ||= isLength;
    lines.push(name, value);
  }
  return lines;
}

function framingOf(authority: string, headers: readonly string[]): RequestFraming | Unacceptable {
  try {
    if (!isAuthority(authority)) throw new Http1Error("malformed", badHost(authority));
    return frameRequest([...headers], 1);
  } catch (error) {
    return refusalOf(error);
  }
}
