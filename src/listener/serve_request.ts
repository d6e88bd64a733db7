// What Deno.serve hands over, read as the request head that the client sent.
//
// Deno.serve pastes scheme, Host and raw target into one URL string; this file takes them apart again, and refuses
// what it cannot take apart safely. What it cannot tell at all is listed in docs/listeners.md.

import type { RequestHead, Unacceptable } from "../exchange.ts";
import { isToken } from "../http1/fields.ts";
import { Known, knownHeader } from "../http1/known.ts";
import { isAuthority, partsOfUrl } from "./authority.ts";
import { linesOf } from "./serve_lines.ts";
import { badHost, unacceptable } from "./unacceptable.ts";

/** The head, what its framing fields declare, or why it is refused. */
export interface ReadHead {
  readonly head: RequestHead;
  /** Bytes; null when chunked or, over HTTP/2, not declared. */
  readonly contentLength: number | null;
  readonly hasBody: boolean;
  /** Nothing says whether there is a body (HTTP/2 need not): only reading tells. */
  readonly undeclared: boolean;
  /** It asks for another protocol. */
  readonly upgrades: boolean;
  readonly unacceptable: Unacceptable | null;
}

/** What a head does not say of itself: see `ServeShared`. */
export interface HeadPlace {
  readonly scheme: "http" | "https";
  readonly authorityOf: (authority: string) => string;
}

/** Reads the head of a request that arrived on a listener. */
export function readHead(request: Request, { scheme, authorityOf }: HeadPlace): ReadHead {
  const headers = linesOf(request);
  let host: string | null = null;
  let contentLength: string | null = null;
  let coding: string | null = null;
  let upgrades = false;
  let connection = false;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1]!;
    switch (knownHeader(headers[i]!)) {
      case Known.host:
        host = joined(host, value);
        break;
      case Known.contentLength:
        contentLength = joined(contentLength, value);
        break;
      case Known.transferEncoding:
        coding = joined(coding, value);
        break;
      case Known.upgrade:
        upgrades = true;
        break;
      case Known.connection:
        connection = true;
        break;
    }
  }
  const method = request.method;
  const place = splitUrl(request.url, host);
  const length = contentLength === null ? null : declaredLength(contentLength);
  const coded = coding !== null;
  // HTTP/2 says :authority in place of Host; a client that says both passes for one of HTTP/1.1. Over HTTP/2 Deno
  // lets no field through that is about the connection (RFC 9113 8.2.2).
  const http2 = host === null && !connection && !coded && !upgrades;
  const head: RequestHead = {
    method,
    target: method === "OPTIONS" && place.target === "/*" ? "*" : place.target,
    authority: host === null ? authorityOf(place.authority) : place.authority,
    scheme,
    version: http2 ? "2" : "1.1",
    headers,
  };
  const undeclared = !coded && length === null && mayHaveBody(method) && request.body !== null;
  return {
    head,
    contentLength: coded ? null : length,
    hasBody: coded || undeclared || (length !== null && length > 0),
    undeclared,
    upgrades,
    unacceptable: place.problem ?? refuseMethod(method) ?? refuseCoding(coding) ??
      refuseBody(method, length, coded),
  };
}

/** A field over its lines (RFC 9110 5.3), so that whoever reads it sees that it has several. */
function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

/** Deno.serve has no body of GET and HEAD. */
function mayHaveBody(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** It is the first word that goes to the origin. */
function refuseMethod(method: string): Unacceptable | null {
  return isToken(method) ? null : unacceptable(400, "method is not a token");
}

/** RFC 9112 6.1: Deno.serve undoes `chunked` and leaves any coding under it in the body, unnamed. */
function refuseCoding(coding: string | null): Unacceptable | null {
  if (coding === null || coding.toLowerCase() === "chunked") return null;
  return unacceptable(501, "Transfer-Encoding other than chunked is not implemented");
}

/** Deno.serve drops the body of GET and HEAD; going on without it would change what was asked. */
export function refuseBody(method: string, length: number | null, coded: boolean): Unacceptable | null {
  if (length === -1) return unacceptable(400, "Content-Length is not one number");
  const dropped = !mayHaveBody(method) && (coded || (length !== null && length > 0));
  if (!dropped) return null;
  return unacceptable(
    501,
    `a ${method} request with a body cannot pass this listener; the wire listener relays it`,
  );
}

/**
 * RFC 9112 6.3: "4, 4" may be read as one, be it of one line or of several; -1 when it is no number, or several that
 * differ, of which Deno takes the first over HTTP/2.
 */
function declaredLength(value: string): number {
  if (!value.includes(",")) return lengthOf(value);
  const [first, ...others] = value.split(",").map((one) => lengthOf(one.trim()));
  return others.every((one) => one === first) ? first! : -1;
}

function lengthOf(digits: string): number {
  return /^\d{1,15}$/.test(digits) ? Number(digits) : -1;
}

interface Place {
  readonly authority: string;
  readonly target: string;
  readonly problem: Unacceptable | null;
}

/** Deno.serve speaks plain HTTP, whatever clients speak to Weir. */
const SCHEME = "http://";

/** Deno.serve decodes the target as UTF-8; what was not ASCII cannot go on as the bytes that it was. */
const NO_TARGET = /[^\x21-\x7e]/;

function splitUrl(url: string, host: string | null): Place {
  const place = placeOf(url, host);
  if (place.problem !== null || !NO_TARGET.test(place.target)) return place;
  return nowhere("request target holds a space, a control or a non-ASCII byte");
}

function nowhere(message: string): Place {
  return { authority: "", target: "/", problem: unacceptable(400, message) };
}

/** The last one that was looked at and is one: most requests have it. Null before any: an empty Host is none. */
let latestHost: string | null = null;

/** Cuts the URL at the authority: the Host's in origin-form, the target's own in absolute-form. */
function placeOf(url: string, host: string | null): Place {
  const start = SCHEME.length;
  if (host !== null) {
    if (host !== latestHost && !isAuthority(host)) return nowhere(badHost(host));
    latestHost = host;
    const end = start + host.length;
    const originForm = url.startsWith(SCHEME) && url.startsWith(host, start) && url[end] === "/";
    if (originForm) return { authority: host, target: url.substring(end), problem: null };
  }
  return splitAbsolute(url);
}

/** RFC 9112 3.2.2: the absolute-form's authority wins over Host. */
function splitAbsolute(url: string): Place {
  const parts = partsOfUrl(url);
  if (parts === null) return nowhere("request target is not http or https");
  const { authority, rest } = parts;
  if (!isAuthority(authority)) return nowhere("authority of the request target is not a host and port");
  // Deno ends one without a path in a slash, which may have been there.
  if (rest.startsWith("#")) return nowhere("request target has a fragment in place of a path");
  // HTTP/2 only: with `*` for a path, it stands at the end of the authority.
  if (rest === "" && authority.endsWith("*")) {
    return nowhere("request target is * for another method than OPTIONS");
  }
  return { authority, target: rest.startsWith("/") ? rest : "/" + rest, problem: null };
}
