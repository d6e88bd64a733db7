// A thread finds the pod's time, whatever becomes of the wall clock.

import { assertEquals } from "@std/assert";
import { podTimeOffsetMs } from "../src/pod_time.ts";

const HOUR_MS = 3_600_000;

Deno.test("podTimeOffsetMs() believes the wall clock within what is possible", () => {
  // The thread said `loaded` 40 ms after it began, and got `start` 20 ms later; the pod is 5 s old.
  const sent = { now: 5_000, date: HOUR_MS };
  const table: [what: string, date: number, podTime: number][] = [
    ["the message was on its way for 15 ms", HOUR_MS + 15, 5_015],
    ["the message was there at once", HOUR_MS, 5_000],
    ["the wall clock was set back meanwhile", 0, 5_000],
    ["the wall clock was set ahead meanwhile", 2 * HOUR_MS, 5_020],
  ];
  for (const [what, date, podTime] of table) {
    assertEquals(60 + podTimeOffsetMs(sent, { now: 60, date, loadedAt: 40 }), podTime, what);
  }
});
