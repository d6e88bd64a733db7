import { assertEquals, assertStrictEquals } from "@std/assert";
import type { HeaderEdits } from "../../src/config/route_schema.ts";
import { editHeaders } from "../../src/routing/header_edits.ts";

const lines = ["Host", "h", "X-A", "1", "x-b", "2", "x-a", "3"];

const CASES: readonly [does: string, edits: HeaderEdits, result: string[]][] = [
  ["takes every line of a removed name out", { remove: ["X-a"] }, ["Host", "h", "x-b", "2"]],
  ["sets one line where the first stood", { set: { "X-a": "9" } }, ["Host", "h", "X-a", "9", "x-b", "2"]],
  ["sets a new line at the end", { set: { c: "9" } }, [...lines, "c", "9"]],
  ["adds beside what is there", { add: { "x-a": "9" } }, [...lines, "x-a", "9"]],
  ["removes before it sets and adds", { remove: ["x-b", "x-a"], set: { "x-b": "8" }, add: { "x-a": "9" } }, [
    "Host",
    "h",
    "x-b",
    "8",
    "x-a",
    "9",
  ]],
  ["does nothing for empty edits", {}, lines],
];

for (const [does, edits, result] of CASES) {
  Deno.test(`editHeaders() ${does}`, () => {
    const before = [...lines];
    assertEquals(editHeaders(lines, edits), result);
    assertEquals(lines, before, "the given list stays as it is");
  });
}

Deno.test("editHeaders() gives back the very list when a route edits nothing", () => {
  assertStrictEquals(editHeaders(lines, undefined), lines);
});
