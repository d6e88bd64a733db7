// What a listener would refuse of a head that nobody has sent: for explain.
//
// Pure. Made of what the listeners go by themselves, so that both say the same.

import type { RequestHead, Unacceptable } from "../exchange.ts";
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

/** Deno.serve frames as the wire listener does, but takes any Expect, and has no body of GET and HEAD. */
function judgeOnServe({ method, authority, headers }: RequestHead): Unacceptable | null {
  const others = headers.filter((_, i) => headers[i - i % 2]!.toLowerCase() !== "expect");
  const framing = framingOf(authority, others);
  if ("status" in framing) return framing;
  return refuseBody(method, framing.contentLength, framing.contentLength === null);
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
