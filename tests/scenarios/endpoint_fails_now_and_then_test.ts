// Endpoints that fail some of the time: a GET is tried elsewhere, a POST that was sent is never sent again.

import { assertEquals, assertGreater } from "@std/assert";
import { load } from "../support/load.ts";
import { close, type RawOrigin, reply, reset, scene, type Step } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

/** Plays these steps in turn, for ever. */
function inTurn(...steps: readonly Step[]): Step {
  let turn = 0;
  return { play: (stage) => steps[turn++ % steps.length]!.play(stage) };
}

const ids = (origins: readonly RawOrigin[]) =>
  origins.flatMap(({ requests }) => requests).map((request) => request.header("x-request-id"));

scenario("GETs do not notice an endpoint that resets one request in three", async (props) => {
  const flaky = await props.origin(inTurn(reply(200), reply(200), reset()));
  const good = await props.origin(reply(200));
  const loop = await props.loop({ upstreams: [flaky.url, good.url] });
  const { answers, errors } = await load(loop.url, { requests: 60, connections: 2 });
  assertEquals([answers.get(200), errors], [60, []]);
  const again = loop.upstreamTotal("retries");
  assertEquals(flaky.requests.length + good.requests.length, 60 + again);
  assertGreater(again, 0);
});

scenario(
  "POSTs to an endpoint that resets one in three fail once each, and reach nobody twice",
  async (props) => {
    const origins = await Promise.all([
      props.origin(inTurn(reply(200), reply(200), reset())),
      props.origin(reply(200)),
    ]);
    const loop = await props.loop({ upstreams: origins.map(({ url }) => url) });
    const { answers, errors } = await load(loop.url, {
      requests: 60,
      connections: 2,
      method: "POST",
      body: "order",
    });
    const resets = loop.endpointTotal(origins[0]!.url, "resets");
    assertEquals([(answers.get(200) ?? 0) + (answers.get(502) ?? 0), errors], [60, []]);
    assertEquals(answers.get(502), resets);
    assertEquals([ids(origins).length, new Set(ids(origins)).size], [60, 60]);
  },
);

scenario("GETs do not notice an endpoint that closes kept connections when it likes", async (props) => {
  const origin = await props.origin(inTurn(reply(200), scene(reply(200), close()), reply(200), reply(200)));
  const loop = await props.loop({ upstreams: origin.url });
  const { answers, errors } = await load(loop.url, { requests: 200, connections: 4 });
  assertEquals([answers.get(200), errors], [200, []]);
  assertGreater(loop.endpointTotal(origin.url, "connectionsOpened"), 40);
});
