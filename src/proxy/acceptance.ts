// Requests that Weir answers before looking for a route: what it must refuse, and what it answers itself.
//
// Pure. Called by `handler.ts` first; null means "go on".

import type { LimitsConfig } from "../config/schema.ts";
import { type Exchange, headerValue, headerValues, type RequestHead } from "../exchange.ts";
import { isLoop } from "./headers.ts";
import type { Refusal } from "./refusal.ts";

/** What `Allow` says where the method is one that no route can take. */
const METHODS_ALLOWED = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The refusal of a request that must not go on, or null. */
export function refusalBeforeRouting(
  exchange: Pick<Exchange, "head" | "unacceptable">,
  limits: LimitsConfig,
  pseudonym: string,
): Refusal | null {
  const { head, unacceptable } = exchange;
  if (unacceptable !== null) return { ...unacceptable, close: true };
  if (head.target.length > limits.targetBytesMax) {
    return refused(414, "http_request_error", `request target longer than ${limits.targetBytesMax} bytes`);
  }
  if (head.method === "CONNECT") return refused(501, "http_request_denied", "CONNECT is not for a gateway");
  if (head.method === "TRACE" || head.method === "TRACK") {
    const message = `${head.method} is not allowed`;
    return { ...refused(405, "http_request_denied", message), allow: METHODS_ALLOWED };
  }
  if (isGrpc(head)) return GRPC;
  if (isLoop(head, pseudonym)) {
    return refused(508, "proxy_loop_detected", "the request came back to this gateway");
  }
  return null;
}

/** `application/grpc` and `application/grpc+proto`; not gRPC-Web, which is plain HTTP. */
function isGrpc(head: RequestHead): boolean {
  const type = headerValue(head.headers, "content-type");
  return type !== undefined && type.length >= 16 && /^application\/grpc(?:[+;\s]|$)/i.test(type);
}

const NO_GRPC = "gRPC needs HTTP/2 and trailers up to the origin; this gateway speaks HTTP/1.1 to it";
/** UNIMPLEMENTED (12) in a form that gRPC clients read: their content type, no body, the reason in a field. */
const GRPC: Refusal = {
  ...refused(501, "http_request_denied", NO_GRPC),
  contentType: "application/grpc",
  headers: ["Grpc-Status", "12", "Grpc-Message", NO_GRPC],
};

/** RFC 9110 7.6.2: OPTIONS that has no forwards left is answered here. */
export function isForThisHop(exchange: Pick<Exchange, "head">): boolean {
  const { head } = exchange;
  return head.method === "OPTIONS" &&
    headerValues(head.headers, "max-forwards").some((value) => /^0+$/.test(value));
}

function refused(status: number, error: string, message: string): Refusal {
  return { status, error, message };
}
