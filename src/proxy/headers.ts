// What happens to header fields on their way through, in both directions (RFC 9110 7.6, RFC 7239).
//
// A head is written anew from a list of lines: fields for one hop stay behind, what Weir vouches for is set by
// Weir, everything else passes untouched and in order. Called by `upstream_request.ts` and `forwarding.ts`, once per
// direction, for heads that do not go on as they stand.

import {
  type HeaderLines,
  isNamed,
  onlyHeaderValue,
  type RequestHead,
  type ResponseHead,
} from "../exchange.ts";
import { isForOneHop, Known, type KnownHeader, knownHeader } from "../http1/known.ts";
import type { ParsedResponse } from "../http1/response_head.ts";
import { UPGRADE_REQUIRED } from "../http1/response_section.ts";
import { forwardedElement, type Told } from "./forwarded_fields.ts";
import type { Identity } from "./identity.ts";

/** Who is asking, as far as Weir can vouch for it. */
export interface Asker {
  /** Address of the peer on the connection; IPv4-mapped as IPv4. */
  readonly peer: string;
  /** What the peer says of whom it stands before; null when the operator does not trust it. */
  readonly told: Told | null;
  readonly requestId: string;
  /** Whether an endpoint's 100 can reach the client: then it is the endpoint that its Expect asks. */
  readonly informs: boolean;
  /** Whether an answer's trailers can. */
  readonly relaysTrailers: boolean;
}

/** The request's header lines for the next hop, without Host and framing: the writer adds those. */
export function toUpstream(head: RequestHead, asker: Asker, identity: Identity): HeaderLines {
  const lines: HeaderLines = [];
  const named = connectionOptions(head.headers);
  let takesTrailers = false;
  const { requestIdKey } = identity;
  const { told } = asker;
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i]!;
    const known = knownHeader(name);
    if (known === Known.te) takesTrailers ||= asker.relaysTrailers && asksForTrailers(head.headers[i + 1]!);
    // Expect goes on all the same: what the client waits for comes of it.
    if (named !== null && known !== Known.expect && named.has(name.toLowerCase())) continue;
    if (known !== Known.other) {
      const value = head.headers[i + 1]!;
      if (known === Known.maxForwards) lines.push(name, forwardsLeft(head.method, value));
      else if (passesUpstream(known, told !== null)) lines.push(name, value);
      // RFC 9110 10.1.1: relayed, not answered for the origin; it means nothing from an HTTP/1.0 client.
      else if (known === Known.expect && asker.informs && head.version !== "1.0") lines.push(name, value);
      continue;
    }
    if (isNamed(name, requestIdKey)) continue;
    if (name.includes("_") && isDisguised(name, requestIdKey)) continue;
    lines.push(name, head.headers[i + 1]!);
  }
  // RFC 9110 10.1.4: of what TE asks only this is for the endpoint, too.
  if (takesTrailers) lines.push("TE", "trailers", "Connection", "TE");
  lines.push(
    "Via",
    `${head.version} ${identity.pseudonym}`,
    "X-Forwarded-For",
    told === null || told.addresses === "" ? asker.peer : `${told.addresses}, ${asker.peer}`,
    "X-Forwarded-Host",
    told === null || told.host === "" ? head.authority : told.host,
    "X-Forwarded-Proto",
    told === null || told.proto === "" ? head.scheme : told.proto,
    identity.config.requestId,
    asker.requestId,
  );
  const forwarded = forwardedList(head, asker, identity.config.forwarded);
  if (forwarded !== "") lines.push("Forwarded", forwarded);
  return lines;
}

/** Whether a known field goes on to the next hop as it came. */
function passesUpstream(known: KnownHeader, trusted: boolean): boolean {
  switch (known) {
    case Known.via:
    case Known.date:
    case Known.trailer:
      return true;
    case Known.proxyAuthorization: // Weir asks for none, so it is meant for somebody behind (RFC 9110 11.7.2).
      return true;
    case Known.xForwardedOther:
    case Known.xRealIp:
      return trusted; // RFC 7239 8.1: whoever is not trusted can write anything here.
    default:
      // For one hop (RFC 9110 7.6.1), or written by Weir itself.
      return false;
  }
}

/** Whether a TE value has `trailers` in its list (RFC 9110 10.1.4). */
function asksForTrailers(value: string): boolean {
  return value.split(",").some((coding) => coding.trim().toLowerCase() === "trailers");
}

/** RFC 9110 7.6.2: one less for each hop of OPTIONS and TRACE; elsewhere the field means nothing. */
function forwardsLeft(method: string, value: string): string {
  const counts = (method === "OPTIONS" || method === "TRACE") && /^(?!0+$)\d{1,9}$/.test(value);
  return counts ? String(Number(value) - 1) : value;
}

/**
 * The fields that Connection names, in lower case; null when it names none beyond the usual.
 * RFC 9110 7.6.1: they are for this hop only.
 */
function connectionOptions(headers: HeaderLines): ReadonlySet<string> | null {
  let options: Set<string> | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (knownHeader(headers[i]!) !== Known.connection) continue;
    const value = headers[i + 1]!;
    if (value === "keep-alive" || value === "close") continue;
    for (const option of value.split(",")) (options ??= new Set()).add(option.trim().toLowerCase());
  }
  return options;
}

/**
 * Whether a name would pass for a field of Weir's, or for a known one, at an origin that maps `-` to `_` (CGI):
 * `X_Forwarded_For` must not get past what replaces `X-Forwarded-For`.
 */
function isDisguised(name: string, requestIdKey: string): boolean {
  const plain = name.replaceAll("_", "-").toLowerCase();
  return knownHeader(plain) !== Known.other || plain === requestIdKey;
}

/** The request's trailers for the next hop: none is named as what Weir vouches for in the head. */
export function trailersToUpstream(
  trailers: HeaderLines,
  { requestIdKey }: Pick<Identity, "requestIdKey">,
): HeaderLines {
  const lines: HeaderLines = [];
  for (let i = 0; i < trailers.length; i += 2) {
    if (!isDisguised(trailers[i]!, requestIdKey)) lines.push(trailers[i]!, trailers[i + 1]!);
  }
  return lines;
}

/** What a trusted peer told, and the element for this hop when Weir is to add one (RFC 7239 4). */
function forwardedList(head: RequestHead, { peer, told }: Asker, adds: boolean): string {
  const before = told === null ? "" : told.elements;
  if (!adds) return before;
  if (before !== "") return `${before}, ${forwardedElement(peer, head.authority, head.scheme)}`;
  // Told without an address: it is what this peer was asked for.
  return forwardedElement(peer, told?.host || head.authority, told?.proto || head.scheme);
}

/**
 * The request id: the one that came, when the peer's word counts and it is one plain word, else a new one.
 * A stranger who chooses ids makes two requests look like one, in the log and to `explain`.
 */
export function requestIdOf(
  { headers }: RequestHead,
  { requestIdKey, config: { requestIdFrom } }: Identity,
  trusted: boolean,
  make: () => string,
): string {
  if (!trusted && requestIdFrom === "trusted") return make();
  const id = onlyHeaderValue(headers, requestIdKey);
  return id !== undefined && isPlainWord(id) ? id : make();
}

/** Longest request id that is taken over. */
export const REQUEST_ID_LENGTH_MAX = 128;

function isPlainWord(value: string): boolean {
  if (value.length === 0 || value.length > REQUEST_ID_LENGTH_MAX) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    // Visible ASCII without quotes, backslash and separators that logs and lists give a meaning.
    if (code <= 0x20 || code >= 0x7f || code === 0x22 || code === 0x27 || code === 0x5c || code === 0x2c) {
      return false;
    }
  }
  return true;
}

/** Whether the request went through this very instance before (RFC 9110 7.6.3). */
export function isLoop(head: RequestHead, pseudonym: string): boolean {
  for (let i = 0; i < head.headers.length; i += 2) {
    if (knownHeader(head.headers[i]!) === Known.via && viaNames(head.headers[i + 1]!, pseudonym)) return true;
  }
  return false;
}

function viaNames(value: string, pseudonym: string): boolean {
  return value.split(",").some((element) => element.trim().split(/[ \t]+/)[1] === pseudonym);
}

/**
 * The answer's header lines for the client: fields for one hop stay behind, a missing Date is added. They stand
 * in the list that was parsed, which is nobody else's.
 */
export function toClient(head: ParsedResponse, epochMs: () => number): HeaderLines {
  const lines = head.headers;
  const named = connectionOptions(lines);
  let dated = false;
  let sized = false;
  let kept = 0;
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i]!;
    let value = lines[i + 1]!;
    const known = knownHeader(name);
    if (known === Known.contentLength) {
      // RFC 9112 6.3: equal repeats become one; RFC 9110 8.6: none on 1xx and 204.
      if (sized || head.status === 204) continue;
      sized = true;
      value = singleLength(value);
    } else if (known !== Known.upgrade || head.status !== UPGRADE_REQUIRED) {
      if (isForOneHop(known) || (named !== null && named.has(name.toLowerCase()))) continue;
      if (known === Known.date) dated = true;
    }
    lines[kept] = name;
    lines[kept + 1] = value;
    kept += 2;
  }
  // Cheaper than setting the length.
  while (lines.length > kept) lines.pop();
  // RFC 9110 6.6.1: a recipient with a clock adds Date when it forwards an answer without one.
  if (!dated) lines.push("Date", new Date(epochMs()).toUTCString());
  return lines;
}

/** An interim answer's head for the client: without the fields for one hop, and without framing. */
export function interimToClient(head: ResponseHead): ResponseHead {
  const named = connectionOptions(head.headers);
  const lines: HeaderLines = [];
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i]!;
    const known = knownHeader(name);
    if (known === Known.contentLength || isForOneHop(known)) continue;
    if (named === null || !named.has(name.toLowerCase())) lines.push(name, head.headers[i + 1]!);
  }
  return { status: head.status, reason: head.reason, headers: lines };
}

function singleLength(value: string): string {
  const comma = value.indexOf(",");
  return comma < 0 ? value : value.substring(0, comma).trim();
}
