import { assertEquals } from "@std/assert";
import { ask } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { startBlackHole } from "../support/black_hole.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("a request of any method leaves an endpoint that does not even accept", async (props) => {
  await using hole = await startBlackHole();
  const good = await props.origin(reply(200, { body: "good" }));
  const endpoints = [hole.url, good.url];
  const weir = await props.loop({
    config: { upstreams: { default: { endpoints, timeouts: { connectMs: 100 } } } },
  });
  for (const method of ["POST", "PATCH", "PUT", "POST"]) {
    assertEquals((await ask(weir.url, { method, body: "x" })).text, "good");
  }
  assertEquals([good.requests.length, weir.endpointTotal(hole.url, "connectFailures") > 0], [4, true]);
});

scenario("a route's time for connecting stands above its upstream's", async (props) => {
  await using hole = await startBlackHole();
  const good = await props.origin(reply(200, { body: "good" }));
  const timeouts = { connectMs: 60_000, requestMs: 10_000 };
  const weir = await props.loop({
    config: {
      upstreams: { default: { endpoints: [hole.url, good.url], timeouts } },
      routes: [{ match: {}, upstream: "default", timeouts: { connectMs: 100 } }],
    },
  });
  for (let i = 0; i < 2; i++) assertEquals((await ask(weir.url)).text, "good");
  const told = (["attempts", "connectFailures", "timeouts"] as const)
    .map((field) => weir.endpointTotal(hole.url, field));
  assertEquals([good.requests.length, ...told], [2, 1, 1, 0]);
});

for (
  const [limit, words] of [["attemptMs", "timed out (attempt)"], [
    "requestMs",
    "timed out (request)",
  ]] as const
) {
  scenario(`${limit} is over while an endpoint does not even accept`, async (props) => {
    await using hole = await startBlackHole();
    const timeouts = { connectMs: 60_000, [limit]: 100 };
    const weir = await props.loop({
      config: { upstreams: { default: { endpoints: [hole.url], timeouts, retry: { attemptsMax: 1 } } } },
    });
    assertEquals((await ask(weir.url)).header("proxy-status"), "weir; error=connection_timeout");
    assertEquals(weir.endpointTotal(hole.url, "connectFailures"), 1);
    await until("it is logged", () => weir.log.length === 1);
    assertEquals(JSON.parse(weir.log[0]!).attempts[0].outcome, words);
  });
}
