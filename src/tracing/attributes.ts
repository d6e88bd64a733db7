// What the spans of a request say, in the names of OpenTelemetry's HTTP semantic conventions.
//
// Pure. What the conventions have no name for is under `weir.`. No header but User-Agent is told, no body,
// and no query where the operator redacts queries.

import { bracketed } from "../config/endpoint_url.ts";
import { headerValue, type RequestHead } from "../exchange.ts";
import { splitTarget } from "../routing/target.ts";
import type { ArrivedRequest, Destination, EndedRequest, TracedAttempt } from "./tracer.ts";

type Value = string | number | boolean | undefined;
/** Undefined is left out. */
export type SpanAttributes = Record<string, Value>;

/** Methods that are told as they are; others could be anything, and many (http.request.method). */
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];

/** `GET /users/{id}`; without a path in the route, the method alone. */
export function spanName(head: RequestHead, { route }: EndedRequest): string {
  const method = methodName(head.method);
  const path = route?.match.path;
  return path === undefined ? method : `${method} ${path}`;
}

/** As it stands in the name of a span; the others could be many, and each would make names of its own. */
export function methodName(method: string): string {
  return METHODS.includes(method) ? method : "HTTP";
}

/** What is known of a request when it arrives. */
export function serverAttributes(request: ArrivedRequest): SpanAttributes {
  const { head, scheme, authority, peer, redactQuery } = request;
  const query = queryOf(head.target, redactQuery);
  const { host, port } = splitAuthority(authority, scheme);
  return defined({
    ...methodAttributes(head.method),
    "url.scheme": scheme,
    "url.path": splitTarget(head.target).path,
    "url.query": query === "" ? undefined : query,
    "server.address": host,
    "server.port": int(port),
    "network.protocol.name": "http",
    "network.protocol.version": head.version,
    "network.peer.address": peer,
    "user_agent.original": headerValue(head.headers, "user-agent"),
  });
}

/** What is known of it when it is over. */
export function finalAttributes(request: EndedRequest): SpanAttributes {
  const { route, upstream, status, delivery } = request;
  return defined({
    "client.address": request.clientAddress,
    "http.route": route?.match.path,
    "http.response.status_code": status === 0 ? undefined : int(status),
    "error.type": failedAs(request) ?? undefined,
    "http.request.body.size": int(request.bytesIn),
    "http.response.body.size": int(request.bytesOut),
    "weir.request_id": request.requestId,
    "weir.route": route?.name,
    "weir.upstream": upstream?.name,
    "weir.end": delivery?.kind ?? "clientGone",
    "weir.cause": request.cause === "" ? undefined : request.cause,
  });
}

/** Why the request counts as failed on the server's side, or null: clients fail by themselves. */
export function failedAs({ status, delivery, cause }: EndedRequest): string | null {
  if (status < 500 && delivery?.kind !== "truncated") return null;
  return cause === "" ? String(status) : cause;
}

/** What is known of an attempt; `request` when its answer lasted until the request's end. */
export function clientAttributes(
  method: string,
  { attempt, to, resends }: { attempt: TracedAttempt; to: Destination; resends: number },
  redactQuery: boolean,
  request: EndedRequest | null,
): SpanAttributes {
  const { path } = splitTarget(to.target);
  const query = queryOf(to.target, redactQuery);
  const answered = attempt.headAt > 0;
  return defined({
    ...methodAttributes(method),
    "url.full": `${to.scheme}://${bracketed(to.host)}:${to.port}${path}${query === "" ? "" : `?${query}`}`,
    "server.address": to.host,
    "server.port": int(to.port),
    "http.request.resend_count": resends === 0 ? undefined : int(resends),
    "http.response.status_code": answered ? int(Number(attempt.outcome)) : undefined,
    "error.type": attemptFailedAs(attempt, request),
    "weir.outcome": attempt.outcome,
    "weir.connection_reused": attempt.reused,
    "weir.retry_verdict": attempt.retryVerdict,
  });
}

/** A client that leaves is nobody's failure; an endpoint that answers 4xx has failed its client. */
function attemptFailedAs(
  { headAt, outcome }: TracedAttempt,
  request: EndedRequest | null,
): string | undefined {
  if (headAt > 0) {
    if (request?.delivery?.kind === "truncated") return "truncated";
    return Number(outcome) >= 400 ? outcome : undefined;
  }
  // What comes after the colon is free text.
  return outcome === "client left" || outcome === "" ? undefined : outcome.replace(/:.*/s, "");
}

function methodAttributes(method: string): SpanAttributes {
  if (METHODS.includes(method)) return { "http.request.method": method };
  return { "http.request.method": "_OTHER", "http.request.method_original": method };
}

/** Without its question mark; empty when there is none. As in the log, `-` stands for one that is redacted. */
function queryOf(target: string, redact: boolean): string {
  const { query } = splitTarget(target);
  return query !== "" && redact ? "-" : query.slice(1);
}

/** An IPv6 address is told without its brackets. What a proxy tells may be no authority: then it is all host. */
function splitAuthority(authority: string, scheme: string): { host: string; port: number } {
  const match = /^\[?(.*?)\]?(?::(\d{0,5}))?$/.exec(authority);
  const port = match?.[2];
  return {
    host: match?.[1] ?? authority,
    port: port === undefined || port === "" ? (scheme === "https" ? 443 : 80) : Number(port),
  };
}

/** Deno exports every number as a double, and a bigint as the integer that the conventions ask for. */
function int(value: number): number {
  return BigInt(value) as unknown as number;
}

function defined(attributes: SpanAttributes): SpanAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
