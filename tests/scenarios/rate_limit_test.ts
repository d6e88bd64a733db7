// A route's rate limit counts each client over all workers.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { countingOrigin } from "../support/counting_origin.ts";
import { load } from "../support/load.ts";
import { ask } from "../support/raw_client.ts";
import { scenario } from "../support/scenario.ts";

scenario("two workers let one burst pass together, and each key has its own", async (props) => {
  await using origin = countingOrigin();
  const weir = await props.weir({
    workers: 2,
    config: {
      upstreams: { u: { endpoints: [origin.url] } },
      routes: [{
        upstream: "u",
        name: "limited",
        rateLimit: { requestsPerSecond: 0.001, burst: 10, key: { header: "X-Api-Key" } },
      }],
    },
  });
  const { answers, errors } = await load(weir.url, { requests: 40, connections: 20 });
  assertEquals([answers.get(200), answers.get(429), errors], [10, 30, []]);
  assertEquals(origin.requests, 10);
  assertEquals(await weir.metric("weir_route_rate_limited_total", { route: "limited" }), 30);

  const refused = await ask(weir.url);
  assertEquals(refused.status, 429);
  assertEquals(refused.header("ratelimit-policy"), '"route";q=10;w=10000');
  assertMatch(refused.header("ratelimit")!, /^"route";r=0;t=\d+$/);
  assert(Number(refused.header("retry-after")) > 900, refused.header("retry-after"));
  assertEquals((await ask(weir.url, { headers: [["X-Api-Key", "another"]] })).status, 200);
});
