import { assertEquals } from "@std/assert";
import { isCancelled, roundsFor, TURNS } from "../../src/listener/serve_cancel.ts";

for (const { max } of [TURNS, roundsFor(1, true)]) {
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

Deno.test("roundsFor() gives the more rounds the more requests there are to be told of", () => {
  const maxOf = (isBody: boolean) => [1, 128, 129, 3_600].map((requests) => roundsFor(requests, isBody).max);
  // What was needed for as many that were cancelled at once: 3 for 180, 37 for 2,160, 63 for 3,600.
  assertEquals(maxOf(true), [17, 24, 25, 241]);
  assertEquals(maxOf(false), [TURNS.max, TURNS.max, 9, 225]);
  assertEquals(roundsFor(128, false), TURNS);
  assertEquals(roundsFor(129, false).next, roundsFor(1, true).next);
});
