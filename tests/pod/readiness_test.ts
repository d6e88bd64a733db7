import { assertEquals } from "@std/assert";
import { Readiness } from "../../src/pod/readiness.ts";

Deno.test("Readiness.state() is live until nobody has served for 30 s, however seldom it is asked", () => {
  let now = 0;
  const readiness = new Readiness(() => now);
  const table: [at: number, serving: number, live: boolean][] = [
    [0, 0, true],
    [29_999, 0, true],
    [30_000, 0, false],
    [40_000, 1, true],
    // Served all the time, and nobody asked.
    [100_000, 0, true],
    [129_999, 0, true],
    [130_000, 0, false],
  ];
  for (const [at, serving, live] of table) {
    now = at;
    assertEquals([at, readiness.state({ serving, all: 1, reasons: [] }, true).live], [at, live]);
  }
});
