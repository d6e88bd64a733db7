// How fast an endpoint is, where its client takes three seconds to send a body.

import { assertEquals } from "@std/assert";
import { HEAD_LATENCY, LATENCY_BUCKETS } from "../../src/board/fields.ts";
import {
  afterHead,
  Gate,
  readBody,
  reply,
  reset,
  startOrigin,
  type Step,
  wait,
} from "../support/raw_origin.ts";
import { StillProxy } from "../support/still_proxy.ts";
import { ToldBody } from "../support/told_body.ts";
import { until } from "../support/until.ts";

const stories: Record<
  string,
  (gate: Gate) => { step: Step; sendsAll: boolean; headMs: number; costMs: number }
> = {
  "an answer to the whole of it took no longer than its endpoint": (gate) => ({
    step: afterHead(readBody(), wait(gate), reply(200)),
    sendsAll: true,
    headMs: 20,
    costMs: 20,
  }),
  "an answer that comes before the rest of it tells nothing": (gate) => ({
    step: afterHead(wait(gate), reply(200)),
    sendsAll: false,
    headMs: 0,
    costMs: 0,
  }),
  "a failure after the whole of it took no longer than its endpoint": (gate) => ({
    step: afterHead(readBody(), wait(gate), reset()),
    sendsAll: true,
    headMs: 0,
    costMs: 1_000,
  }),
  "a failure before the rest of it is a failure as fast as any": (gate) => ({
    step: afterHead(wait(gate), reset()),
    sendsAll: false,
    headMs: 0,
    costMs: 1_000,
  }),
};

for (const [what, story] of Object.entries(stories)) {
  Deno.test(`of a slow upload, ${what}`, async () => {
    const gate = new Gate();
    const { step, sendsAll, headMs, costMs } = story(gate);
    await using origin = await startOrigin(step);
    const still = new StillProxy([origin], {});
    const body = new ToldBody(10);
    body.tell("some ");
    const answer = still.ask("POST", body);
    await until("the rest is waited for", () => body.awaited);
    still.pass(3_000);
    const request = await origin.request(1);
    if (sendsAll) {
      body.tell("more.", null);
      await request.arrived;
      still.pass(20);
    }
    gate.open();
    await answer;
    const { float64, layout } = still.board;
    assertEquals(float64[layout.ewmaCell(1, 0)], costMs);
    assertEquals(still.totals.endpoint(0, HEAD_LATENCY + LATENCY_BUCKETS), headMs);
    still.proxy.retire();
  });
}
