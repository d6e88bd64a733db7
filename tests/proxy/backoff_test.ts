import { assert, assertEquals, assertLess } from "@std/assert";
import { backoffMs } from "../../src/proxy/backoff.ts";

Deno.test("backoffMs() is uniform below a doubling bound", () => {
  for (const [attempt, bound] of [[1, 25], [2, 50], [3, 100], [4, 200], [5, 250], [60, 250]] as const) {
    assertEquals(backoffMs(attempt, 25, 250, () => 0), 0);
    assertEquals(backoffMs(attempt, 25, 250, () => 0.5), bound / 2);
    assertLess(backoffMs(attempt, 25, 250, () => 1 - Number.EPSILON), bound);
  }
  assert(backoffMs(1, 0, 0, () => 0.5) === 0);
});
