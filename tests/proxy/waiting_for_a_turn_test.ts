// A request that waits until the loop has turned: how long it waits is of its own time, and nothing that its endpoint
// answers for.

import { assertEquals } from "@std/assert";
import { EndpointField, HEAD_LATENCY, LATENCY_BUCKETS } from "../../src/board/fields.ts";
import { afterHead, Gate, hang, reply, startOrigin, wait } from "../support/raw_origin.ts";
import { StillProxy } from "../support/still_proxy.ts";

const PER_TURN = 24;

Deno.test("an endpoint's time begins once the request may begin, not while it waits for the loop's turn", async () => {
  const asked = new Gate();
  await using origin = await startOrigin([reply(200), afterHead(wait(asked), reply(200))]);
  const turned = Promise.withResolvers<void>();
  const still = new StillProxy(
    [origin],
    { timeouts: { responseHeadMs: 100 }, retry: { attemptsMax: 1 } },
    () => turned.promise,
  );
  // With it there is a kept connection, whose head is waited for from the time that the attempt began.
  await still.get();
  for (let passed = 0; passed < PER_TURN; passed++) still.proxy.inputs.turnstile.pass();
  const answer = still.get();
  still.pass(500);
  turned.resolve();
  await origin.request(2);
  still.notice();
  still.pass(20);
  asked.open();
  assertEquals(await answer, [200, ""]);
  assertEquals(still.totals.endpoint(0, EndpointField.connectionsReused), 1);
  assertEquals(still.totals.endpoint(0, HEAD_LATENCY + LATENCY_BUCKETS), 20);
  still.proxy.retire();
});

for (const [waitedMs, asked] of [[900, 2], [1_000, 1]] as const) {
  Deno.test(`of requestMs: 1000 a request that waited ${waitedMs} for the loop's turn has the rest`, async () => {
    await using origin = await startOrigin([reply(200), hang()]);
    const turned = Promise.withResolvers<void>();
    const still = new StillProxy([origin], { timeouts: { requestMs: 1_000 } }, () => turned.promise);
    await still.get();
    for (let passed = 0; passed < PER_TURN; passed++) still.proxy.inputs.turnstile.pass();
    const answer = still.get();
    still.pass(waitedMs);
    turned.resolve();
    await origin.request(asked);
    still.pass(1_000 - waitedMs);
    still.notice();
    assertEquals(await answer, [504, "weir; error=http_response_timeout"]);
    const { attempts, gatewayFailures } = EndpointField;
    assertEquals([attempts, gatewayFailures].map((field) => still.totals.endpoint(0, field)), [asked, 0]);
    still.proxy.retire();
  });
}

Deno.test("requests that come one after the other ask for no turn of the loop: each answer tells of one", async () => {
  await using origin = await startOrigin(reply(200));
  let turns = 0;
  const still = new StillProxy([origin], {}, () => {
    turns++;
    return Promise.resolve();
  });
  for (let count = 0; count < 2 * PER_TURN; count++) assertEquals(await still.get(), [200, ""]);
  assertEquals(turns, 0);
  still.proxy.retire();
});

Deno.test("what would be refused is no failure once its client has left, who is told nothing", async () => {
  await using origin = await startOrigin(reply(200));
  const turned = Promise.withResolvers<void>();
  const still = new StillProxy([origin], {}, () => turned.promise);
  for (let passed = 0; passed < PER_TURN; passed++) still.proxy.inputs.turnstile.pass();
  const answer = still.ask("TRACE", null);
  still.leave();
  turned.resolve();
  assertEquals(await answer, [0, ""]);
  assertEquals(still.proxy.stories.find("id")!.endedBy, "client left");
  still.proxy.retire();
});
