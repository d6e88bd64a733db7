// One request as one line of the access log, by format. Pure but for the buffer that it writes to, and for the parts
// that it remembers from line to line.
//
// What clients send can neither end a line nor start one: control characters are written as escapes. What
// carries secrets is never asked for: no cookies, no Authorization. The JSON is put together by hand, because
// it is written for every request.

import { headerValue } from "../exchange.ts";
import { traceParentOf } from "../tracing/trace_parent.ts";
import type { LineBuffer } from "./access_line_buffer.ts";
import { KnownPlaces } from "./access_line_places.ts";
import type { AttemptRecord, RequestRecord } from "./record.ts";

/** @param target as it is to be logged @param epochMs wall time of the request's arrival */
export type LineFormat = (to: LineBuffer, record: RequestRecord, target: string, epochMs: number) => void;

/** What stands between the values of a line, as bytes: to copy them costs a quarter of writing them as text. */
const Piece = {
  client: ascii('Z","client":'),
  method: ascii(',"method":'),
  target: ascii(',"target":'),
  host: ascii(',"host":'),
  version: {
    "1.0": ascii(',"version":"1.0","status":'),
    "1.1": ascii(',"version":"1.1","status":'),
    "2": ascii(',"version":"2","status":'),
  },
  durationMs: ascii(',"durationMs":'),
  bytesIn: ascii(',"bytesIn":'),
  bytesOut: ascii(',"bytesOut":'),
  route: ascii(',"route":'),
  upstream: ascii(',"upstream":'),
  endpoint: ascii(',"endpoint":'),
  attempts: ascii(',"attempts":['),
  attempt: ascii('{"endpoint":'),
  nextAttempt: ascii(',{"endpoint":'),
  outcome: ascii(',"outcome":'),
  headMs: ascii(',"headMs":'),
  reused: ascii(',"reused":true'),
  fresh: ascii(',"reused":false'),
  verdict: ascii(',"verdict":'),
  attemptEnd: ascii("}"),
  requestId: ascii('],"requestId":'),
  trace: ascii(',"trace":'),
  tls: ascii(',"tls":true'),
  by: ascii(',"by":'),
  closeEnd: ascii("}"),
  end: {
    complete: ascii(',"end":"complete"'),
    clientGone: ascii(',"end":"clientGone"'),
    truncated: ascii(',"end":"truncated"'),
  },
  cause: ascii(',"cause":'),
  message: ascii(',"message":'),
  lineEnd: ascii("}\n"),
};

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** One object; what is not known is left out. */
export const jsonLine: LineFormat = (to, record, target, epochMs) => {
  const { head, attempts } = record;
  isoTime(to, epochMs);
  member(to, Piece.client, record.clientAddress);
  member(to, Piece.method, head.method);
  member(to, Piece.target, target);
  member(to, Piece.host, head.authority);
  to.put(Piece.version[head.version]);
  to.text(String(record.loggedStatus));
  to.put(Piece.durationMs);
  to.milliseconds(record.endedAt - record.startedAt);
  number(to, Piece.bytesIn, record.bytesIn);
  number(to, Piece.bytesOut, record.bytesOut);
  if (record.route !== null && attempts.length === 1) to.put(knownPlaces.of(record, record.route));
  else place(to, record);
  for (let i = 0; i < attempts.length; i++) {
    if (i > 0) member(to, Piece.nextAttempt, attempts[i]!.endpoint);
    attempt(to, attempts[i]!);
  }
  member(to, Piece.requestId, record.requestId);
  ending(to, record);
  to.put(Piece.lineEnd);
};

/** Where the request went, up to the endpoint of its first attempt. */
function place(to: LineBuffer, { route, upstream, attempts }: RequestRecord): void {
  if (route !== null) member(to, Piece.route, route.name);
  if (upstream !== null) member(to, Piece.upstream, upstream.name);
  if (attempts.length > 0) member(to, Piece.endpoint, attempts[attempts.length - 1]!.endpoint);
  to.put(Piece.attempts);
  if (attempts.length > 0) member(to, Piece.attempt, attempts[0]!.endpoint);
}

const knownPlaces = new KnownPlaces(place);

function attempt(to: LineBuffer, entry: AttemptRecord): void {
  member(to, Piece.outcome, entry.outcome);
  if (entry.headAt !== 0) {
    to.put(Piece.headMs);
    to.milliseconds(entry.headAt - entry.startedAt);
  }
  to.put(entry.reused ? Piece.reused : Piece.fresh);
  if (entry.retryVerdict !== undefined) member(to, Piece.verdict, entry.retryVerdict);
  to.put(Piece.attemptEnd);
}

/** What most requests have nothing or little to say of. */
function ending(to: LineBuffer, { head, trace, close, delivery, cause, message }: RequestRecord): void {
  const traceId = trace !== null ? trace.id : traceParentOf(head.headers)?.traceId;
  if (traceId !== undefined) member(to, Piece.trace, traceId);
  if (head.scheme === "https") to.put(Piece.tls);
  if (close !== null) {
    to.text(`,"close":{"code":${close.code}`);
    member(to, Piece.by, close.by);
    to.put(Piece.closeEnd);
  }
  to.put(Piece.end[delivery === null ? "clientGone" : delivery.kind]);
  if (cause !== "") member(to, Piece.cause, cause);
  if (message !== "") member(to, Piece.message, message);
}

function member(to: LineBuffer, name: Uint8Array, value: string): void {
  to.put(name);
  to.quoted(value);
}

function number(to: LineBuffer, name: Uint8Array, value: number): void {
  to.put(name);
  to.text(String(value));
}

/** The combined format of web servers; `-` where nothing is known. */
export const combinedLine: LineFormat = (to, record, target, epochMs) => {
  const { head } = record;
  to.text(`${record.clientAddress} - - [${commonTime(new Date(epochMs))}] "`);
  to.plain(head.method);
  to.text(" ");
  to.plain(target);
  to.text(` HTTP/${head.version}" ${record.loggedStatus} ${record.bytesOut} "`);
  to.plain(headerValue(head.headers, "referer") ?? "-");
  to.text('" "');
  to.plain(headerValue(head.headers, "user-agent") ?? "-");
  to.text('"\n');
};

let isoSecond = NaN;
let isoPrefix = ascii("");

/** The beginning and `2000-10-10T13:55:36.123`; the part up to the second is kept from line to line. */
function isoTime(to: LineBuffer, epochMs: number): void {
  const ms = Math.floor(epochMs);
  const second = Math.floor(ms / 1_000);
  if (second !== isoSecond) {
    isoSecond = second;
    isoPrefix = ascii('{"time":"' + new Date(second * 1_000).toISOString().substring(0, 20));
  }
  to.put(isoPrefix);
  to.threeDigits(ms - second * 1_000);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `10/Oct/2000:13:55:36 +0000` */
function commonTime(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
