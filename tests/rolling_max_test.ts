import { assertEquals } from "@std/assert";
import { RollingMax } from "../src/rolling_max.ts";

Deno.test("RollingMax.push() tells the largest value of the window", () => {
  const max = new RollingMax(60, 6);
  assertEquals(max.push(3, 1_000), 3);
  assertEquals(max.push(1, 1_020), 3);
  assertEquals(max.push(2, 1_059), 3);
});

Deno.test("RollingMax.push() forgets what is older than the window", () => {
  const max = new RollingMax(60, 6);
  max.push(9, 1_000);
  max.push(4, 1_030);
  assertEquals(max.push(0, 1_061), 4);
  assertEquals(max.push(0, 1_100), 0);
});

Deno.test("RollingMax.push() forgets everything after a pause longer than the window", () => {
  const max = new RollingMax(60, 6);
  max.push(9, 1_000);
  assertEquals(max.push(1, 9_999_999), 1);
});
