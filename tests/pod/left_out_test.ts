// What does not fit onto the board is told of once, and joins as soon as there is room.

import { assertEquals } from "@std/assert";
import { EventBook } from "../../src/pod/event_book.ts";
import { LeftOut, LOOK_FOR_ROOM_MS } from "../../src/pod/left_out.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

Deno.test("LeftOut tells of upstreams that are not whole, and publishes again once there is room", async () => {
  const clock = new VirtualClock();
  const events = new EventBook(() => 0, () => {});
  const publisher = { leftOut: new Map([["app", 4]]), hasRoomAgain: false, endpointsMax: 10 };
  let published = 0;
  const leftOut = new LeftOut({ publisher, clock, events, publish: () => published++ });
  leftOut.published();
  await clock.advance(LOOK_FOR_ROOM_MS * 3);
  assertEquals(published, 0, "nothing would come of it");
  publisher.hasRoomAgain = true;
  await clock.advance(LOOK_FOR_ROOM_MS);
  assertEquals(published, 1);

  publisher.leftOut.set("app", 2);
  publisher.leftOut.set("web", 1);
  leftOut.published();
  assertEquals(events.recent().length, 2);
  publisher.leftOut.delete("app");
  leftOut.published();
  publisher.leftOut.clear();
  leftOut.published();
  await clock.advance(LOOK_FOR_ROOM_MS * 3);
  assertEquals(published, 1);
  assertEquals(events.recent().map(({ tone, text }) => [tone, text]), [
    ["bad", "app: 4 endpoints are left out: a pod has room for 10"],
    ["bad", "web: 1 endpoints are left out: a pod has room for 10"],
    ["good", "app: no endpoint is left out any more"],
    ["good", "web: no endpoint is left out any more"],
  ]);
});

Deno.test("LeftOut looks for room no more once it is stopped", () => {
  const clock = new VirtualClock();
  const publisher = { leftOut: new Map([["app", 4]]), hasRoomAgain: false, endpointsMax: 10 };
  const events = new EventBook(() => 0, () => {});
  const leftOut = new LeftOut({ publisher, clock, events, publish: () => {} });
  leftOut.published();
  leftOut.stop();
  assertEquals(clock.waiting, 0);
});
