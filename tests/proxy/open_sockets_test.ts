import { assertEquals } from "@std/assert";
import { OpenSockets } from "../../src/proxy/open_sockets.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

Deno.test("OpenSockets.closeAll() asks those that are open evenly over the window, and waits for them", async () => {
  const time = new StillTime();
  const sockets = new OpenSockets(time.wheel);
  const asked: number[] = [];
  const leave = [0, 1, 2, 3].map((n) => sockets.enter({ goAway: () => asked.push(n) }));
  let gone = false;
  const closing = sockets.closeAll(400).then(() => gone = true);
  const late = sockets.enter({ goAway: () => asked.push(4) });
  for (const count of [1, 2, 3, 4]) {
    assertEquals(asked.length, count);
    await time.run(100);
  }
  assertEquals(asked, [0, 1, 2, 3]);
  for (const each of leave.slice(1)) each();
  await settled();
  assertEquals([gone, sockets.size], [false, 2]);
  leave[0]!();
  await closing;
  late();
  assertEquals(sockets.size, 0);
  await sockets.closeAll(1_000_000);
});

Deno.test("OpenSockets asks a newcomer to leave at once while it refuses", () => {
  const sockets = new OpenSockets(new StillTime().wheel);
  let asked = 0;
  sockets.refusing = true;
  sockets.enter({ goAway: () => asked++ });
  assertEquals(asked, 1);
});
