// One request as one line of the access log, by format. Pure but for the buffer that it writes to.
//
// What clients send can neither end a line nor start one: control characters are written as escapes. What
// carries secrets is never asked for: no cookies, no Authorization. The JSON is put together by hand, because
// it is written for every request.

import { headerValue } from "../exchange.ts";
import { traceParentOf } from "../tracing/trace_parent.ts";
import type { LineBuffer } from "./line_buffer.ts";
import type { AttemptRecord, RequestRecord } from "./record.ts";

/** @param target as it is to be logged @param epochMs wall time of the request's arrival */
export type LineFormat = (to: LineBuffer, record: RequestRecord, target: string, epochMs: number) => void;

/** One object; what is not known is left out. */
export const jsonLine: LineFormat = (to, record, target, epochMs) => {
  const { head, attempts } = record;
  to.text('{"time":"');
  isoTime(to, epochMs);
  member(to, '","client":', record.clientAddress);
  member(to, ',"method":', head.method);
  member(to, ',"target":', target);
  member(to, ',"host":', head.authority);
  to.text(`,"version":"`);
  to.text(head.version);
  number(to, '","status":', record.loggedStatus);
  to.text(',"durationMs":');
  to.milliseconds(record.endedAt - record.startedAt);
  number(to, ',"bytesIn":', record.bytesIn);
  number(to, ',"bytesOut":', record.bytesOut);
  if (record.route !== null) member(to, ',"route":', record.route.name);
  if (record.upstream !== null) member(to, ',"upstream":', record.upstream.name);
  if (attempts.length > 0) member(to, ',"endpoint":', attempts[attempts.length - 1]!.endpoint);
  to.text(',"attempts":[');
  for (let i = 0; i < attempts.length; i++) attempt(to, attempts[i]!, i);
  member(to, '],"requestId":', record.requestId);
  ending(to, record);
  to.text("}\n");
};

function attempt(to: LineBuffer, entry: AttemptRecord, index: number): void {
  member(to, index === 0 ? '{"endpoint":' : ',{"endpoint":', entry.endpoint);
  member(to, ',"outcome":', entry.outcome);
  if (entry.headAt !== 0) {
    to.text(',"headMs":');
    to.milliseconds(entry.headAt - entry.startedAt);
  }
  to.text(entry.reused ? ',"reused":true' : ',"reused":false');
  if (entry.retryVerdict !== undefined) member(to, ',"verdict":', entry.retryVerdict);
  to.text("}");
}

/** What most requests have nothing or little to say of. */
function ending(to: LineBuffer, { head, trace, close, delivery, cause }: RequestRecord): void {
  const traceId = trace !== null ? trace.id : traceParentOf(head.headers)?.traceId;
  if (traceId !== undefined) member(to, ',"trace":', traceId);
  if (head.scheme === "https") to.text(',"tls":true');
  if (close !== null) {
    to.text(`,"close":{"code":${close.code}`);
    member(to, ',"by":', close.by);
    to.text("}");
  }
  member(to, ',"end":', delivery === null ? "clientGone" : delivery.kind);
  if (cause !== "") member(to, ',"cause":', cause);
}

function member(to: LineBuffer, name: string, value: string): void {
  to.text(name);
  to.quoted(value);
}

function number(to: LineBuffer, name: string, value: number): void {
  to.text(name);
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
let isoPrefix = "";

/** `2000-10-10T13:55:36.123Z`; the part up to the second is kept from line to line. */
function isoTime(to: LineBuffer, epochMs: number): void {
  const ms = Math.floor(epochMs);
  const second = Math.floor(ms / 1_000);
  if (second !== isoSecond) {
    isoSecond = second;
    isoPrefix = new Date(second * 1_000).toISOString().substring(0, 20);
  }
  to.text(isoPrefix);
  to.threeDigits(ms - second * 1_000);
  to.text("Z");
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `10/Oct/2000:13:55:36 +0000` */
function commonTime(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
