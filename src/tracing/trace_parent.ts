// Where a request's trace comes from: the `traceparent` field, read strictly (W3C Trace Context 3.2).
//
// Pure. A field that breaks the format anywhere, or comes more than once, counts as none: half a trace joined
// to the wrong one is worse than a new one.

import { type HeaderLines, onlyHeaderValue } from "../exchange.ts";
import { withoutFields } from "../http1/fields.ts";

/** The span of a caller, or the one to tell the next hop. */
export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: the caller's span. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const FORMAT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

/** What the request's `traceparent` says, or null. */
export function traceParentOf(headers: HeaderLines): TraceParent | null {
  const value = onlyHeaderValue(headers, "traceparent");
  return value === undefined ? null : parseTraceParent(value);
}

/** One value, or null when it is not as the standard says. */
export function parseTraceParent(value: string): TraceParent | null {
  const match = FORMAT.exec(value);
  if (match === null) return null;
  const [, version, traceId, spanId, flags, more] = match;
  // 3.2.2.1: ff is no version; version 00 has exactly these four parts, a later one may have more.
  if (version === "ff" || (version === "00" && more !== undefined)) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId: traceId!, spanId: spanId!, sampled: (parseInt(flags!, 16) & 1) === 1 };
}

/** The field's value for the next hop. */
export function formatTraceParent({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

const PARENT = new Set(["traceparent"]);
const PARENT_AND_STATE = new Set(["traceparent", "tracestate"]);

/** The lines with this `traceparent` in place of any other; `tracestate` stays only with the trace it is of. */
export function continueTrace(
  lines: HeaderLines,
  traceParent: string,
  keepState: boolean,
): HeaderLines {
  return [...withoutFields(lines, keepState ? PARENT : PARENT_AND_STATE), "traceparent", traceParent];
}
