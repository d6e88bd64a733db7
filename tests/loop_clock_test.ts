// The loop's clock: one reading for what happens together, a new one for what comes after.

import { assertEquals } from "@std/assert";
import { loopClock } from "../src/loop_clock.ts";

Deno.test("loopClock() reads the time once for all operations that are finished together", async () => {
  let readings = 0;
  const clock = loopClock(() => ++readings);
  const finished = Promise.resolve();
  const steps = [1, 2, 3].map(async () => {
    await finished;
    const first = [clock(), clock()];
    await null;
    return [...first, clock()];
  });
  assertEquals(await Promise.all(steps), [[1, 1, 2], [1, 1, 2], [1, 1, 2]]);
});

Deno.test("loopClock() reads it anew for each task of the loop", async () => {
  let time = 0;
  const clock = loopClock(() => time);
  for (time = 10; time < 13; time++) {
    assertEquals(clock(), time);
    const { port1, port2 } = new MessageChannel();
    port2.postMessage(null);
    await new Promise((resolve) => port1.onmessage = resolve);
    port1.close();
  }
});
