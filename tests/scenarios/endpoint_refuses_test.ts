import { assert, assertEquals } from "@std/assert";
import { reply } from "../support/raw_origin.ts";
import { load } from "../support/load.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("clients do not notice an endpoint that refuses connections", async (props) => {
  const good = await props.origin(reply(200, { body: "good" }));
  const dead = await props.origin();
  const weir = await props.weir({ upstreams: [good.url, dead.url] });
  await dead.stop();
  const gets = await load(weir.url, { requests: 20, connections: 2 });
  const posts = await load(weir.url, { requests: 20, connections: 2, method: "POST", body: "x" });
  assertEquals([gets.answers.get(200), posts.answers.get(200)], [20, 20]);
  assertEquals([good.requests.length, dead.requests.length], [40, 0]);
  const endpoint = { endpoint: dead.url };
  assert(await weir.metric("weir_endpoint_failures_total", { ...endpoint, reason: "connect" }) > 0);
  await until(
    "it takes no more traffic",
    async () => await weir.metric("weir_endpoint_state", { ...endpoint, state: "serving" }) === 0,
  );
});
