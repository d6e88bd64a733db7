// A kept connection that ends, or is spoken to, while a request on it still waits for its body: nothing was sent.

import { assertEquals } from "@std/assert";
import { EndpointField, UpstreamField } from "../../src/board/fields.ts";
import { close, Gate, reply, replyRaw, scene, startOrigin, type Step, wait } from "../support/raw_origin.ts";
import { StillProxy } from "../support/still_proxy.ts";
import { ToldBody } from "../support/told_body.ts";
import { until } from "../support/until.ts";

const endings: Record<string, Step> = {
  "closes": close(),
  "says that it waited too long": scene(
    replyRaw("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    close(),
  ),
};

for (const [what, ending] of Object.entries(endings)) {
  Deno.test(`a POST of which nothing was sent when its kept connection ${what} goes on over a new one`, async () => {
    const gate = new Gate();
    await using origin = await startOrigin([scene(reply(200), wait(gate), ending), reply(200)]);
    const still = new StillProxy([origin], {});
    await still.get();
    const body = new ToldBody(5);
    const answer = still.ask("POST", body);
    assertEquals(still.totals.endpoint(0, EndpointField.connectionsReused), 1);
    gate.open();
    await until("it goes on", () => still.totals.endpoint(0, EndpointField.connectionsOpened) === 2);
    body.tell("whole", null);
    assertEquals(await answer, [200, ""]);
    assertEquals(await (await origin.request(2)).text(), "whole");
    assertEquals(origin.requests.length, 2);
    assertEquals(still.totals.upstream(0, UpstreamField.retryReused), 1);
    const { connectFailures, resets } = EndpointField;
    assertEquals([connectFailures, resets].map((field) => still.totals.endpoint(0, field)), [0, 1]);
    still.proxy.retire();
  });
}
