// What a listener would refuse of a head that nobody has sent: for explain.
//
// Pure. Made of what the listeners go by themselves, so that both say the same.

import { type HeaderLines, headerValue, isNamed, type RequestHead, type Unacceptable } from "../exchange.ts";
import { frameRequest, type RequestFraming } from "../http1/request_framing.ts";
import { Http1Error } from "../http1/error.ts";
import { refuseBody } from "./serve_request.ts";
import { badHost, refusalOf } from "./wire_request.ts";
import { isAuthority } from "./authority.ts";

/** Why the listener refuses a head of HTTP/1.1 before any route is looked for, or null. `Host` is its authority. */
export type JudgeHead = (head: RequestHead) => Unacceptable | null;

export function judgeOf(listener: "serve" | "wire"): JudgeHead {
  return listener === "wire" ? judgeOnWire : judgeOnServe;
}

function judgeOnWire({ authority, headers }: RequestHead): Unacceptable | null {
  const framing = framingOf(authority, headers);
  return "status" in framing ? framing : null;
}

/** Deno.serve frames as the wire listener does what it looks at, and has no body of GET and HEAD. */
function judgeOnServe({ method, authority, headers }: RequestHead): Unacceptable | null {
  const framing = framingOf(authority, linesOnServe(headers));
  if ("status" in framing) return framing;
  return refuseBody(method, framing.contentLength, framing.contentLength === null);
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
    if (!isAuthority(authority)) throw badHost(authority);
    return frameRequest([...headers], 1);
  } catch (error) {
    if (!(error instanceof Http1Error)) throw error;
    return refusalOf(error);
  }
}
