// Whatever happens, and however much of it at once, the queue comes to what a plain list comes to that asks everybody.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { PendingQueue } from "../../src/proxy/pending_queue.ts";
import { PlainQueue } from "../support/plain_queue.ts";
import { type Step, World } from "../support/queue_world.ts";
import { settled } from "../support/settled.ts";

/** How often each happens beside the others. */
const weights: Record<Step["what"], number> = {
  comes: 12,
  triesAgain: 3,
  ends: 6,
  leaves: 2,
  isJudged: 3,
  isLimited: 1,
  isReplaced: 2,
  isTaken: 2,
  isGivenBack: 2,
  waitsToo: 1,
  timePasses: 2,
};

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    ...Object.entries(weights).map(([what, weight]) => ({
      weight,
      arbitrary: fc.constant(what as Step["what"]),
    })),
  ),
  which: fc.nat(7),
  how: fc.nat(7),
});

/** The queue has heard of what rang for it, or of nothing for many turns of the loop. */
async function heard(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20 && !isDone(); turn++) await new Promise((resolve) => setTimeout(resolve));
}

Deno.test("PendingQueue comes to what a list comes to from which everybody is asked, whatever happens", async () => {
  const bursts = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
    minLength: 10,
    maxLength: 40,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(
      bursts,
      fc.constantFrom("panic" as const, "fail" as const),
      async (bursts, unhealthy) => {
        const worlds = [PendingQueue, PlainQueue].map((Queue) =>
          new World((...inputs) => new Queue(...inputs), unhealthy)
        );
        const [grouped, plain] = worlds as [World, World];
        try {
          for (const burst of bursts) {
            for (const world of worlds) {
              for (const { what, which, how } of burst) world.steps[what](which, how);
            }
            await settled();
            plain.queue.letsPass();
            await settled();
            const expected = JSON.stringify(plain.state);
            await heard(() => JSON.stringify(grouped.state) === expected);
            assertEquals(grouped.state, plain.state);
          }
        } finally {
          for (const world of worlds) world.end();
          await settled();
        }
      },
    ),
    { seed: 1, numRuns: 150 },
  );
});
