// The strict reading of traceparent (W3C Trace Context, Level 1, 3.2).

import { assertEquals } from "@std/assert";
import { continueTrace, formatTraceParent, parseTraceParent } from "../../src/tracing/trace_parent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("parseTraceParent() reads the ids and whether the caller is sampled", () => {
  for (const [flags, sampled] of [["00", false], ["01", true], ["02", false], ["ff", true]] as const) {
    const parent = parseTraceParent(`00-${TRACE}-${SPAN}-${flags}`);
    assertEquals(parent, { traceId: TRACE, spanId: SPAN, sampled });
  }
});

Deno.test("parseTraceParent() reads what it knows of a later version", () => {
  for (const value of [`01-${TRACE}-${SPAN}-01`, `cc-${TRACE}-${SPAN}-01-what-the-future-holds`]) {
    assertEquals(parseTraceParent(value)?.traceId, TRACE);
  }
});

Deno.test("parseTraceParent() takes nothing that breaks the format", () => {
  const broken = [
    "",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-x`,
    `00-${TRACE}-${SPAN}-01-`,
    `01-${TRACE}-${SPAN}-01x`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ];
  assertEquals(broken.filter((value) => parseTraceParent(value) !== null), []);
});

Deno.test("continueTrace() puts one traceparent in the place of all others", () => {
  const value = formatTraceParent({ traceId: TRACE, spanId: SPAN, sampled: false });
  assertEquals(value, `00-${TRACE}-${SPAN}-00`);
  const lines = ["Traceparent", "x", "A", "1", "tracestate", "a=1", "traceparent", "y"];
  assertEquals(continueTrace(lines, value, true), ["A", "1", "tracestate", "a=1", "traceparent", value]);
  assertEquals(continueTrace(lines, value, false), ["A", "1", "traceparent", value]);
});
