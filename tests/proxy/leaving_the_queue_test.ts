// A client that leaves when there is room for its request at last, and the request is not on its way yet.

import { assertEquals } from "@std/assert";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { waitingGet } from "../support/still_proxy.ts";

Deno.test("a request whose client leaves as it is given room asks no endpoint, and leaves the room", async () => {
  await using origin = await startOrigin(reply(200));
  const { still, queue, held, answer } = await waitingGet(origin);
  // Asked right after the request before it has been given room.
  const next = {
    particular: false,
    waitsFor: null,
    claim() {
      still.leave();
      return "noEndpoint" as const;
    },
  };
  const behind = queue.wait(next, { queueMax: 2, timeoutMs: 1_000 });
  held.release(false);
  assertEquals([await behind, (await answer)[0]], ["noEndpoint", 0]);
  assertEquals([origin.requests.length, still.board.endpointInFlight(0)], [0, 0]);
  still.proxy.retire();
});
