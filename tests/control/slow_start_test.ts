import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ServiceTimes, startsSlowly, weightPermille } from "../../src/control/slow_start.ts";

const CONFIG = { windowMs: 10_000, startPercent: 10 };

for (
  const [name, firstSinceMs, config, expected] of [
    ["beside one that has served for a window", 90_000, CONFIG, true],
    ["beside one that has served for almost a window", 90_001, CONFIG, false],
    ["when nobody else serves", null, CONFIG, false],
    ["right after the first of a group that was down", 99_900, CONFIG, false],
    ["when slow start is off", 0, { ...CONFIG, windowMs: 0 }, false],
  ] as const
) {
  Deno.test(`startsSlowly() is ${expected} ${name}`, () => {
    assertEquals(startsSlowly(firstSinceMs, 100_000, config), expected);
  });
}

Deno.test("ServiceTimes.firstMs is the least of the times since when those of a group serve that do", () => {
  const step = fc.record({ laterMs: fc.nat(2), endpoint: fc.nat(5) });
  fc.assert(fc.property(fc.array(step), (steps) => {
    const times = new ServiceTimes();
    const since = new Map<number, number>();
    let now = 0;
    for (const { laterMs, endpoint } of steps) {
      now += laterMs;
      const entered = since.get(endpoint);
      if (entered === undefined) {
        since.set(endpoint, now);
        times.enter(now);
      } else {
        since.delete(endpoint);
        times.leave(entered);
      }
      assertEquals(times.firstMs, since.size === 0 ? null : Math.min(...since.values()));
    }
  }));
});

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
