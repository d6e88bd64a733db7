import { assertEquals } from "@std/assert";
import { isCancelled, passesFor, TURNS } from "../../src/listener/serve_cancel.ts";

for (const { max } of [TURNS, passesFor(1)]) {
  Deno.test(`isCancelled() asks before each of ${max} rounds and after the last, and no longer`, async () => {
    for (const cancelledIn of [0, 1, max, max + 1]) {
      const client = new AbortController();
      let rounds = 0;
      if (cancelledIn === 0) client.abort();
      const next = (then: () => void) => {
        if (++rounds === cancelledIn) client.abort();
        then();
      };
      assertEquals(await isCancelled(client.signal, { max, next }, { ended: false }), cancelledIn <= max);
      assertEquals(rounds, Math.min(cancelledIn, max));
    }
  });
}

Deno.test("isCancelled() waits no longer once nobody reads the body", async () => {
  const body = { ended: false };
  let rounds = 0;
  const next = (then: () => void) => {
    body.ended = ++rounds === 3;
    then();
  };
  assertEquals(await isCancelled(new AbortController().signal, { max: 16, next }, body), false);
  assertEquals(rounds, 3);
});

Deno.test("passesFor() gives the more passes the more requests there are to be told of", () => {
  // What was needed for as many that were cancelled at once: 3, 37 and 63.
  assertEquals([1, 180, 2_160, 3_600].map((requests) => passesFor(requests).max), [17, 28, 151, 241]);
});
