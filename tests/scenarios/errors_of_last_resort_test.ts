// Two answers that no route and no endpoint brings about: a head beyond every limit, and a bug in Weir.

import { assertEquals, assertMatch } from "@std/assert";
import { startLoop } from "../support/loop.ts";
import { ask, RawClient, requestText } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const tooMuch: Record<string, readonly [string, string][]> = {
  "a head of too many bytes": [["X-Long", "x".repeat(4_096)]],
  "a head of too many lines": Array.from({ length: 20 }, (_, i): [string, string] => [`X-${i}`, "1"]),
};
for (const [what, headers] of Object.entries(tooMuch)) {
  scenario(`${what} is answered 431, and the connection is closed`, async (props) => {
    const origin = await props.origin();
    const listen = { listener: "wire", headBytesMax: 2_048, headerLinesMax: 16 };
    const loop = await props.loop({ upstreams: origin.url, config: { listen } });
    const client = await props.client(loop);
    await client.send(requestText("GET", "/", headers));
    const answer = await client.response();
    assertEquals([answer.status, answer.header("proxy-status")], [431, "weir; error=http_request_error"]);
    assertEquals([await client.untilClosed(), origin.requests.length], ["", 0]);
    await until("it is logged", () => loop.log.some((line) => JSON.parse(line).status === 431));
  }, { listeners: ["wire"] });
}

scenario(
  "on Deno.serve a head beyond its own limits is answered 400, and nothing reaches an origin",
  async (props) => {
    const origin = await props.origin();
    const loop = await props.loop({ upstreams: origin.url });
    const answer = await ask(loop.url, { headers: [["X-Long", "x".repeat(70_000)]] });
    assertEquals([answer.status, origin.requests.length], [400, 0]);
  },
  { listeners: ["serve"] },
);

scenario("a bug in Weir is answered 500, is told to the log, and holds no slot", async (props) => {
  const origin = await props.origin(reply(200));
  // Not from the props, whose loops must end without a bug.
  await using loop = await startLoop({ upstreams: origin.url, listener: props.listener });
  const [upstream] = loop.snapshot.upstreams;
  // What no schema lets through.
  const broken = { ...upstream!, timeouts: null as never };
  loop.send({ kind: "snapshot", snapshot: { ...loop.snapshot, version: 2, upstreams: [broken] } });
  await using client = await RawClient.connect(loop.url);
  await client.send(requestText("GET", "/", [["Accept", "application/json"]]));
  const answer = await client.response();
  assertEquals([answer.status, answer.header("proxy-status")], [500, "weir; error=proxy_internal_error"]);
  assertEquals(JSON.parse(answer.text).requestId, answer.header("x-request-id"));
  assertEquals(loop.bugs.length, 1);
  assertMatch(loop.bugs[0]!, /TypeError/);
  await until("it is logged", () => loop.log.some((line) => JSON.parse(line).status === 500));

  loop.send({ kind: "snapshot", snapshot: { ...loop.snapshot, version: 3 } });
  assertEquals([(await ask(loop.url)).status, loop.board.podInFlight()], [200, 0]);
});
