import { assertEquals } from "@std/assert";
import { OpenSockets } from "../../src/proxy/open_sockets.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";

Deno.test("OpenSockets.closeAll() asks those that are open evenly over the window, and waits for them", async () => {
  let now = 0;
  const wheel = new TimerWheel({ now: () => now, every: () => () => {} }, 10);
  const sockets = new OpenSockets(wheel);
  const asked: number[] = [];
  const leave = [0, 1, 2, 3].map((n) => sockets.enter({ goAway: () => asked.push(n) }));
  let gone = false;
  const closing = sockets.closeAll(400).then(() => gone = true);
  const late = sockets.enter({ goAway: () => asked.push(4) });
  for (const count of [1, 2, 3, 4]) {
    assertEquals(asked.length, count);
    for (let i = 0; i < 10; i++) {
      now += 10;
      wheel.advance();
    }
  }
  assertEquals(asked, [0, 1, 2, 3]);
  for (const each of leave.slice(1)) each();
  await Promise.resolve();
  assertEquals([gone, sockets.size], [false, 2]);
  leave[0]!();
  await closing;
  late();
  assertEquals(sockets.size, 0);
  await sockets.closeAll(1_000_000);
});

Deno.test("OpenSockets asks a newcomer to leave at once while it refuses", () => {
  const wheel = new TimerWheel({ now: () => 0, every: () => () => {} });
  const sockets = new OpenSockets(wheel);
  let asked = 0;
  sockets.refusing = true;
  sockets.enter({ goAway: () => asked++ });
  assertEquals(asked, 1);
});
