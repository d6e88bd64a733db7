import { assert, assertEquals, assertLess } from "@std/assert";
import { UpstreamField } from "../../src/board/fields.ts";
import { backoffMs } from "../../src/proxy/backoff.ts";
import { reply, reset, startOrigin } from "../support/raw_origin.ts";
import { StillProxy } from "../support/still_proxy.ts";
import { until } from "../support/until.ts";

Deno.test("backoffMs() is uniform below a doubling bound", () => {
  for (const [attempt, bound] of [[1, 25], [2, 50], [3, 100], [4, 200], [5, 250], [60, 250]] as const) {
    assertEquals(backoffMs(attempt, 25, 250, () => 0), 0);
    assertEquals(backoffMs(attempt, 25, 250, () => 0.5), bound / 2);
    assertLess(backoffMs(attempt, 25, 250, () => 1 - Number.EPSILON), bound);
  }
  assert(backoffMs(1, 0, 0, () => 0.5) === 0);
});

Deno.test("a client that leaves while its retry waits gives its place back at once", async () => {
  await using first = await startOrigin(reset());
  await using second = await startOrigin(reply(200));
  const still = new StillProxy([first, second], {});
  const answer = still.get();
  await until("it waits", () => still.totals.upstream(0, UpstreamField.retries) === 1);
  assertEquals(still.board.podInFlight(), 1);
  still.leave();
  await until("its place is free", () => still.board.podInFlight() === 0);
  await answer;
  assertEquals(second.requests.length, 0);
  still.proxy.retire();
});
