// What people are told of verdicts on endpoints, and whether that is good.

import { assertEquals } from "@std/assert";
import { EventBook } from "../../src/pod/event_book.ts";
import { judgeInputs } from "../../src/pod/judge_inputs.ts";
import { smallBoard } from "../support/small_board.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

Deno.test("each verdict on an endpoint is an event in words, with its reason and its tone", () => {
  const board = smallBoard();
  const book = new EventBook(() => 0, () => {});
  const { events } = judgeInputs(board, new VirtualClock(), book);
  const of = { upstream: "api", endpoint: "http://a:80", reason: "answered 500" };
  events.onHealthChange({ ...of, from: "unchecked", to: "healthy" });
  events.onHealthChange({ ...of, from: "healthy", to: "unhealthy" });
  events.onHealthChange({ ...of, from: "unhealthy", to: "healthy" });
  events.onEjected({ ...of, kind: "consecutive_failures", forMs: 30_000, times: 2 });
  events.onReturned(of);
  assertEquals(book.recent().map(({ kind, tone, text }) => `${kind} ${tone}: ${text}`), [
    "health neutral: api: http://a:80 is healthy, was unchecked: answered 500",
    "health bad: api: http://a:80 is unhealthy, was healthy: answered 500",
    "health good: api: http://a:80 is healthy, was unhealthy: answered 500",
    "ejection bad: api: http://a:80 ejected for 30000 ms (2 in a row): answered 500",
    "ejection good: api: http://a:80 is ejected no more: answered 500",
  ]);
});
