// The answers that Weir makes itself: what went wrong, for the client, without anything about upstreams.
//
// Plain text or JSON by Accept; the cause also stands in Proxy-Status (RFC 9209) with Weir's pseudonym, so
// that an operator can tell Weir's 503 from an origin's. Addresses and details go to the log only.

import { STATUS_TEXT } from "@std/http/status";
import type { HeadersConfig } from "../config/schema.ts";
import { type Body, type HeaderLines, listOf, type RequestHead, type ResponseHead } from "../exchange.ts";
import { wholeText } from "./whole_body.ts";

/** Why Weir answers by itself. */
export interface Refusal {
  readonly status: number;
  /** Error type of Proxy-Status (RFC 9209 2.3), e.g. `connection_refused`. */
  readonly error: string;
  /** One sentence for the client. */
  readonly message: string;
  /** Seconds until it is worth asking again. */
  readonly retryAfterS?: number;
  /** Methods for a 405. */
  readonly allow?: readonly string[];
  /** Further lines, e.g. RateLimit. */
  readonly headers?: HeaderLines;
  /** Of an answer without a body, for clients that would not read one. */
  readonly contentType?: string;
  /** The client should not use this connection again. */
  readonly close?: boolean;
}

/** Head and body of the answer to a refused request. */
export function refusalResponse(
  refusal: Refusal,
  request: RequestHead,
  requestId: string,
  { via, requestId: requestIdName }: HeadersConfig,
  date: Date,
): { head: ResponseHead; body: Body } {
  const { type, text } = contentOf(refusal, request, requestId);
  const body = wholeText(text);
  const headers: HeaderLines = [
    "Content-Type",
    type,
    "Content-Length",
    String(body.length),
    "Cache-Control",
    "no-store",
    "Date",
    date.toUTCString(),
    "Proxy-Status",
    `${via}; error=${refusal.error}`,
  ];
  if (requestId !== "") headers.push(requestIdName, requestId);
  if (refusal.retryAfterS !== undefined) headers.push("Retry-After", String(refusal.retryAfterS));
  if (refusal.allow !== undefined) headers.push("Allow", refusal.allow.join(", "));
  if (refusal.close === true) headers.push("Connection", "close");
  if (refusal.headers !== undefined) headers.push(...refusal.headers);
  return {
    head: { status: refusal.status, reason: reason(refusal.status), headers },
    body,
  };
}

function contentOf(
  refusal: Refusal,
  request: RequestHead,
  requestId: string,
): { readonly type: string; readonly text: string } {
  const { status, message, contentType } = refusal;
  if (contentType !== undefined) return { type: contentType, text: "" };
  if (prefersJson(listOf(request.headers, "accept"))) {
    return { type: "application/json", text: jsonText(refusal, requestId) };
  }
  return { type: "text/plain; charset=utf-8", text: `${status} ${reason(status)}: ${message}\n` };
}

function reason(status: number): string {
  return STATUS_TEXT[status] ?? "Error";
}

function jsonText(refusal: Refusal, requestId: string): string {
  const { status, error, message } = refusal;
  return JSON.stringify({ status, error, message, requestId }) + "\n";
}

/** Whether JSON is named, with a quality above 0, before text or anything. */
function prefersJson(ranges: readonly string[]): boolean {
  for (const range of ranges) {
    const type = range.toLowerCase();
    if (type.startsWith("text/") || type.startsWith("*/*")) return false;
    if (/^application\/([a-z.+-]+\+)?json\b/.test(type) && !/;\s*q=0(\.0*)?$/.test(type)) return true;
  }
  return false;
}
