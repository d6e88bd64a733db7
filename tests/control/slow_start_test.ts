import { assertEquals } from "@std/assert";
import { startsSlowly, weightPermille } from "../../src/control/slow_start.ts";

const CONFIG = { windowMs: 10_000, startPercent: 10 };

for (
  const [name, othersSinceMs, config, expected] of [
    ["beside one that has served for a window", [90_000], CONFIG, true],
    ["beside an old one and a young one", [99_999, 0], CONFIG, true],
    ["when nobody else serves", [], CONFIG, false],
    ["right after the first of a group that was down", [99_900, 95_000], CONFIG, false],
    ["when slow start is off", [0], { ...CONFIG, windowMs: 0 }, false],
  ] as const
) {
  Deno.test(`startsSlowly() is ${expected} ${name}`, () => {
    assertEquals(startsSlowly(othersSinceMs, 100_000, config), expected);
  });
}

for (
  const [elapsedMs, expected] of [
    [-1, 100],
    [0, 100],
    [1_000, 190],
    [5_000, 550],
    [9_999, 1_000],
    [10_000, 1_000],
    [1e9, 1_000],
  ] as const
) {
  Deno.test(`weightPermille() is ${expected} after ${elapsedMs} of 10000 ms from 10 %`, () => {
    assertEquals(weightPermille(CONFIG, elapsedMs), expected);
  });
}

Deno.test("weightPermille() is full without a window and never 0", () => {
  assertEquals(weightPermille({ windowMs: 0, startPercent: 10 }, 0), 1_000);
  assertEquals(weightPermille({ windowMs: 10_000, startPercent: 0 }, 0), 1);
});
