// One request as one line of the access log, by format. Pure.
//
// What clients send can neither end a line nor start one: control characters are written as escapes. What
// carries secrets is never asked for: no cookies, no Authorization. The JSON is put together by hand, because
// it is written for every request: half the time of `JSON.stringify` over an object made for it.

import { headerValue } from "../exchange.ts";
import { traceParentOf } from "../tracing/trace_parent.ts";
import type { AttemptRecord, RequestRecord } from "./record.ts";

/** @param target as it is to be logged @param epochMs wall time of the request's arrival */
export type LineFormat = (record: RequestRecord, target: string, epochMs: number) => string;

/** One object; what is not known is left out. */
export const jsonLine: LineFormat = (record, target, epochMs) => {
  const { head, route, upstream, attempts, close, cause } = record;
  const trace = record.trace?.id ?? traceParentOf(head.headers)?.traceId;
  let line = `{"time":"${isoTime(epochMs)}","client":${quoted(record.clientAddress)},` +
    `"method":${quoted(head.method)},"target":${quoted(target)},"host":${quoted(head.authority)},` +
    `"version":"${head.version}","status":${record.loggedStatus},` +
    `"durationMs":${rounded(record.endedAt - record.startedAt)},` +
    `"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut}`;
  if (route !== null) line += `,"route":${quoted(route.name)}`;
  if (upstream !== null) line += `,"upstream":${quoted(upstream.name)}`;
  if (attempts.length > 0) line += `,"endpoint":${quoted(attempts.at(-1)!.endpoint)}`;
  line += `,"attempts":[${attempts.map(attemptJson).join(",")}],"requestId":${quoted(record.requestId)}`;
  if (trace !== undefined) line += `,"trace":"${trace}"`;
  if (head.scheme === "https") line += ',"tls":true';
  if (close !== null) line += `,"close":{"code":${close.code},"by":"${close.by}"}`;
  line += `,"end":"${record.delivery?.kind ?? "clientGone"}"`;
  if (cause !== "") line += `,"cause":${quoted(cause)}`;
  return line + "}";
};

function attemptJson({ endpoint, outcome, startedAt, headAt, reused, retryVerdict }: AttemptRecord): string {
  let text = `{"endpoint":${quoted(endpoint)},"outcome":${quoted(outcome)}`;
  if (headAt !== 0) text += `,"headMs":${rounded(headAt - startedAt)}`;
  text += `,"reused":${reused}`;
  if (retryVerdict !== undefined) text += `,"verdict":${quoted(retryVerdict)}`;
  return text + "}";
}

/** The combined format of web servers; `-` where nothing is known. */
export const combinedLine: LineFormat = (record, target, epochMs) => {
  const { head } = record;
  return `${record.clientAddress} - - [${commonTime(new Date(epochMs))}] ` +
    `"${escaped(head.method)} ${escaped(target)} HTTP/${head.version}" ${record.loggedStatus} ` +
    `${record.bytesOut} "${escaped(headerValue(head.headers, "referer") ?? "-")}" ` +
    `"${escaped(headerValue(head.headers, "user-agent") ?? "-")}"`;
};

// deno-lint-ignore no-control-regex
const NEEDS_ESCAPE = /["\\\x00-\x1f\x7f-\x9f]/;
const CONTROLS_LEFT = /[\x7f-\x9f]/g;
// deno-lint-ignore no-control-regex
const NOT_PLAIN = /["\\\x00-\x1f\x7f-\xff]/g;

/** As a JSON string. The controls that JSON allows (U+0085 is a line break to some) are escaped as well. */
function quoted(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(CONTROLS_LEFT, (c) => `\\u00${hex(c)}`);
}

/** As servers write the combined format: `\xNN` for what is not a plain character. */
function escaped(text: string): string {
  return text.replace(NOT_PLAIN, (c) => `\\x${hex(c)}`);
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

let isoSecond = NaN;
let isoPrefix = "";

/** `2000-10-10T13:55:36.123Z`; the part up to the second is kept from line to line. */
function isoTime(epochMs: number): string {
  const ms = Math.floor(epochMs);
  const second = Math.floor(ms / 1_000);
  if (second !== isoSecond) {
    isoSecond = second;
    isoPrefix = new Date(second * 1_000).toISOString().substring(0, 20);
  }
  return `${isoPrefix}${String(ms - second * 1_000).padStart(3, "0")}Z`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `10/Oct/2000:13:55:36 +0000` */
function commonTime(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
