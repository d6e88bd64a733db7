import { assertEquals } from "@std/assert";
import { EndpointCell } from "../../src/board/layout.ts";
import { IdleLimit } from "../../src/upstream/idle_limit.ts";
import { smallBoard } from "../support/small_board.ts";

const CONFIGURED_MS = 4_000;

function stage() {
  const board = smallBoard();
  const limit = new IdleLimit(board, 0);
  return { board, limit, now: () => limit.ms(CONFIGURED_MS) };
}

Deno.test("IdleLimit.learnFromHeader() stays a second, or half, below what the endpoint says", () => {
  const { board, limit, now } = stage();
  assertEquals(now(), CONFIGURED_MS);
  for (const [said, learned] of [[5_000, 4_000], [1_000, 500], [75_000, 74_000], [1, 100]] as const) {
    limit.learnFromHeader(said);
    const seen = Atomics.load(board.int32, board.layout.endpointCell(0, EndpointCell.idleLimitSeenMs));
    assertEquals([now(), seen], [learned, learned]);
  }
});

Deno.test("IdleLimit.learnFromReset() goes below where the connection was dead", () => {
  const { limit, now } = stage();
  limit.learnFromReset(2_000, CONFIGURED_MS);
  assertEquals(now(), 1_600);
  limit.learnFromReset(3_000, CONFIGURED_MS);
  assertEquals(now(), 1_280);
  limit.learnFromReset(500, CONFIGURED_MS);
  assertEquals(now(), 400);
  for (let resets = 0; resets < 20; resets++) limit.learnFromReset(500, CONFIGURED_MS);
  assertEquals(now(), 100, "and no lower");
});

Deno.test("IdleLimit.learnFromReset() learns nothing from a connection that hardly idled: that was a crash", () => {
  const { limit, now } = stage();
  for (const idleMs of [20, 499]) limit.learnFromReset(idleMs, CONFIGURED_MS);
  assertEquals(now(), CONFIGURED_MS);
});

Deno.test("IdleLimit.learnFromReuse() forgets bit by bit what one reset taught", () => {
  const { limit, now } = stage();
  limit.learnFromReuse(3_000, CONFIGURED_MS);
  assertEquals(now(), CONFIGURED_MS);
  limit.learnFromReset(1_000, CONFIGURED_MS);
  limit.learnFromReuse(399, CONFIGURED_MS);
  assertEquals(now(), 800);
  limit.learnFromReuse(400, CONFIGURED_MS);
  assertEquals(now(), 840);
  for (let uses = 0; uses < 100; uses++) limit.learnFromReuse(now(), CONFIGURED_MS);
  assertEquals(now(), CONFIGURED_MS);
});

Deno.test("IdleLimit.learnFromReuse() leaves a limit that the endpoint has said, above the configured one", () => {
  const { limit, now } = stage();
  limit.learnFromHeader(75_000);
  limit.learnFromReuse(60_000, CONFIGURED_MS);
  assertEquals(now(), 74_000);
});
