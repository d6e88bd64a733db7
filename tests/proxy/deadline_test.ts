// A request whose time is up when an endpoint could be asked: it is not, and nobody is to blame.

import { assertEquals } from "@std/assert";
import { EndpointField, UpstreamField } from "../../src/board/fields.ts";
import { Deadline } from "../../src/proxy/deadline.ts";
import { Gate, hang, reply, reset, scene, startOrigin, wait } from "../support/raw_origin.ts";
import { StillProxy } from "../support/still_proxy.ts";
import { StillTime } from "../support/still_time.ts";
import { ToldBody } from "../support/told_body.ts";
import { until } from "../support/until.ts";

const timeouts = { requestMs: 1_000 };

Deno.test("a Deadline is over once, so long after the request began, and never when it was disarmed", () => {
  for (const disarmed of [false, true]) {
    const time = new StillTime(300);
    let over = 0;
    const deadline = new Deadline(time.wheel, 100, 1_000, () => over++);
    assertEquals(deadline.at, 1_100);
    if (disarmed) deadline.disarm();
    const seen = [1_090, 1_100, 9_000].map((ms) => {
      time.now = ms;
      time.wheel.advance();
      return over;
    });
    assertEquals(seen, disarmed ? [0, 0, 0] : [0, 1, 1]);
  }
});

Deno.test("a request whose time ends while it waits to be retried asks no other endpoint", async () => {
  await using first = await startOrigin(reset());
  await using second = await startOrigin(reply(200));
  const still = new StillProxy([first, second], { timeouts });
  const answer = still.get();
  await until("it waits", () => still.totals.upstream(0, UpstreamField.retries) === 1);
  still.pass(1_000);
  still.notice();
  assertEquals(await answer, [504, "weir; error=http_response_timeout"]);
  assertEquals(second.requests.length, 0);
  const [attempt] = still.proxy.stories.find("id")!.attempts;
  assertEquals(attempt!.retryVerdict, "no: the request's deadline passed before it");
  still.proxy.retire();
});

Deno.test("a request whose time ends while it waits for room leaves the room to others", async () => {
  const gate = new Gate();
  await using origin = await startOrigin([scene(wait(gate), reply(200)), reply(200)]);
  const still = new StillProxy([origin], { timeouts, limits: { inFlightPerEndpointMax: 1, queueMax: 1 } });
  const served = still.get();
  await origin.request(1);
  const late = still.get();
  await until("it waits", () => still.board.upstreamWaiting(0) === 1);
  still.pass(1_000);
  gate.open();
  assertEquals(await served, [200, ""]);
  assertEquals(await late, [504, "weir; error=http_response_timeout"]);
  assertEquals([origin.requests.length, still.board.endpointInFlight(0)], [1, 0]);
  still.proxy.retire();
});

Deno.test("a request whose time ends before there is room is out of time, and waited no longer", async () => {
  await using origin = await startOrigin(reply(200));
  const still = new StillProxy([origin], { timeouts, limits: { inFlightPerEndpointMax: 1 } });
  const { int32, layout } = still.board;
  Atomics.add(int32, layout.endpointInFlightCell(0, 1), 1);
  const late = still.get();
  await until("it waits", () => still.board.upstreamWaiting(0) === 1);
  still.pass(1_000);
  still.notice();
  assertEquals(await late, [504, "weir; error=http_response_timeout"]);
  assertEquals([origin.requests.length, still.board.upstreamWaiting(0)], [0, 0]);
  still.proxy.retire();
});

const outOfTime: Record<string, readonly [withheld: boolean, answer: [number, string]]> = {
  "is sending its body": [false, [408, "weir; error=http_request_error"]],
  "waits for 100": [true, [504, "weir; error=http_response_timeout"]],
};

for (const [what, [withheld, expected]] of Object.entries(outOfTime)) {
  for (const limit of ["attemptMs", "requestMs"]) {
    Deno.test(`${limit} that is over while the client ${what} counts against no endpoint`, async () => {
      await using origin = await startOrigin(hang());
      const still = new StillProxy([origin], { timeouts: { [limit]: 1_000 }, retry: { attemptsMax: 1 } });
      const body = new ToldBody(10);
      body.withheld = withheld;
      if (!withheld) body.tell("some");
      const answer = still.ask("PUT", body);
      await until("the rest is waited for", () => body.awaited);
      still.pass(10);
      still.notice();
      await origin.request(1);
      still.pass(1_000);
      still.notice();
      assertEquals(await answer, expected);
      assertEquals(still.totals.endpoint(0, EndpointField.gatewayFailures), 0);
      still.proxy.retire();
    });
  }
}

/** Milliseconds until the whole body has come, of a time of 1000 -> whether the endpoint is to blame for the rest. */
for (const [bodyMs, blamed] of [[400, 1], [600, 0]] as const) {
  for (const limit of ["attemptMs", "requestMs"]) {
    const who = blamed ? "the endpoint" : "no endpoint";
    Deno.test(`${limit}: 1000 that is over after a body that took ${bodyMs} counts against ${who}`, async () => {
      await using origin = await startOrigin(hang());
      const still = new StillProxy([origin], { timeouts: { [limit]: 1_000 }, retry: { attemptsMax: 1 } });
      const body = new ToldBody(5);
      const answer = still.ask("PUT", body);
      await until("it is waited for", () => body.awaited);
      still.pass(bodyMs);
      body.tell("whole", null);
      await (await origin.request(1)).arrived;
      still.pass(1_000 - bodyMs);
      still.notice();
      assertEquals(await answer, [504, "weir; error=http_response_timeout"]);
      const { gatewayFailures, timeouts } = EndpointField;
      assertEquals([gatewayFailures, timeouts].map((field) => still.totals.endpoint(0, field)), [blamed, 1]);
      still.proxy.retire();
    });
  }
}
