// What a client wrote, read as the request that the proxy gets, or as the reason why it gets none.
//
// Called by the wire listener for every head. The syntax is `http1/`'s business; here it is decided who the
// request is for (RFC 9112 3.2, 3.3), and which status a broken head is answered with.

import type { HeaderLines, RequestHead, Unacceptable } from "../exchange.ts";
import { Http1Error } from "../http1/error.ts";
import { decodeLatin1 } from "../http1/latin1.ts";
import { frameRequest, type RequestFraming } from "../http1/request_framing.ts";
import {
  parseRequestFields,
  parseRequestLine,
  type RequestLine,
  requestLineIn,
} from "../http1/request_head.ts";
import { isAuthority, partsOfUrl } from "./authority.ts";
import { badHost, unacceptable } from "./unacceptable.ts";

/** A request as it was read, or as far as it could be. */
export interface WireRequest {
  readonly head: RequestHead;
  readonly framing: RequestFraming;
  /** Not null: answered with this, and the connection ends. */
  readonly unacceptable: Unacceptable | null;
}

type Scheme = RequestHead["scheme"];

/** What a listener goes by. */
export interface HeadRules {
  readonly scheme: Scheme;
  readonly headerLinesMax: number;
}

/** Where a request came in. */
export interface LocalAddress {
  /** Weir's own address there, as a client would write it. */
  readonly authority: string;
}

/** Reads the head that the unused bytes begin with, up to `end` (just after its blank line). Never throws. */
export function readRequest(
  { bytes, start }: { readonly bytes: Uint8Array; readonly start: number },
  end: number,
  { scheme, headerLinesMax }: HeadRules,
  local: LocalAddress,
): WireRequest {
  const text = decodeLatin1(bytes, start, end);
  const lineEnd = text.indexOf("\r\n");
  let line: RequestLine | null = null;
  let headers: HeaderLines = [];
  try {
    line = parseRequestLine(text, lineEnd);
    headers = parseRequestFields(bytes, start + lineEnd + 2, end, text, headerLinesMax);
    const framing = frameRequest(headers, line.minor);
    const { method, target, minor } = line;
    const version = minor === 1 ? "1.1" : "1.0";
    if (minor === 1 && framing.host === null) throw new Http1Error("malformed", "no Host");
    // RFC 9112 3.2: an empty Host is for targets without an authority, which a gateway does not serve.
    if (framing.host !== null && !isAuthority(framing.host)) {
      throw new Http1Error("malformed", badHost(framing.host));
    }
    // RFC 9112 3.3: HTTP/1.0 may name nobody. Then it is for whoever was reached: http has no empty authority.
    const authority = framing.host ?? local.authority;
    if (target.charCodeAt(0) === SLASH || method === "CONNECT") {
      return { head: { method, target, authority, scheme, version, headers }, framing, unacceptable: null };
    }
    const place = otherForm(method, target, authority);
    return { head: { method, ...place, scheme, version, headers }, framing, unacceptable: null };
  } catch (error) {
    return refused(line, headers, scheme, refusalOf(error));
  }
}

const SLASH = 47;
const LF = 10;

/** Asterisk-form and absolute-form (RFC 9112 3.2.2, 3.2.4): in the latter the target's authority wins. */
function otherForm(method: string, target: string, host: string): { target: string; authority: string } {
  if (target === "*" && method === "OPTIONS") return { target, authority: host };
  const url = partsOfUrl(target);
  if (url === null) throw new Http1Error("malformed", "request target is no path and no http or https URL");
  const { authority, rest } = url;
  if (!isAuthority(authority)) {
    throw new Http1Error("malformed", "authority of the request target is not a host and port");
  }
  // RFC 9112 3.2.4: OPTIONS for a URL without path and query is OPTIONS *.
  if (rest === "") return { target: method === "OPTIONS" ? "*" : "/", authority };
  return { target: rest.charCodeAt(0) === SLASH ? rest : "/" + rest, authority };
}

/** What the framing of a head that was not read is taken for: nothing more is read on its connection. */
const NO_FRAMING: RequestFraming = {
  contentLength: 0,
  host: null,
  persistent: false,
  upgrade: null,
  expectsContinue: false,
};

/** A request whose head is not read to its end. Of what has come of it, a whole request line is told. */
export function refusedUnread(
  { bytes, start, end }: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
  scheme: Scheme,
  why: Unacceptable,
): WireRequest {
  let line: RequestLine | null = null;
  try {
    line = requestLineIn(bytes, start, end);
  } catch {
    // It is unsound itself.
  }
  return refused(line, [], scheme, why);
}

/** A request that goes no further. `line` and `headers` are what could be read of it. */
function refused(
  line: RequestLine | null,
  headers: HeaderLines,
  scheme: Scheme,
  unacceptable: Unacceptable,
): WireRequest {
  const head: RequestHead = {
    method: line?.method ?? "-",
    target: line?.target ?? "-",
    authority: "",
    scheme,
    version: line?.minor === 0 ? "1.0" : "1.1",
    headers,
  };
  return { head, framing: NO_FRAMING, unacceptable };
}

/**
 * Why a head that the codec threw at is refused, with the status for it.
 * @throws `error` when it is no Http1Error
 */
export function refusalOf(error: unknown): Unacceptable {
  if (!(error instanceof Http1Error)) throw error;
  return unacceptable(STATUS[error.kind], error.message);
}

const STATUS: Readonly<Record<Http1Error["kind"], number>> = {
  malformed: 400,
  tooLarge: 431,
  version: 505,
  coding: 501,
  expectation: 417,
};

/**
 * Why a head larger than `max` bytes is refused, of which what has come stands in `bytes` from `start` to `end`:
 * 414 when not even the request line fits, 431 else (RFC 9110 15.5.15, RFC 6585 5).
 */
export function tooLarge(bytes: Uint8Array, start: number, end: number, max: number): Unacceptable {
  const lineEnd = bytes.indexOf(LF, start);
  if (lineEnd < 0 || lineEnd >= Math.min(end, start + max)) {
    return unacceptable(414, `request line longer than ${max} bytes`);
  }
  return unacceptable(431, `request head larger than ${max} bytes`);
}
