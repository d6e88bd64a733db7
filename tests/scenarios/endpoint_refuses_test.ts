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

scenario(
  "with every primary dead a request is tried at the backup before anybody is asked twice",
  async (props) => {
    const [one, two, backup] = [await props.origin(), await props.origin(), await props.origin(reply(200))];
    const endpoints = [one.url, two.url, { url: backup.url, backup: true }];
    // Nothing but the attempts themselves finds out.
    const quiet = { health: { kind: "off" }, ejection: { enabled: false } };
    const loop = await props.loop({ config: { upstreams: { default: { endpoints, ...quiet } } } });
    await one.stop();
    await two.stop();
    const { answers } = await load(loop.url, { requests: 20, connections: 2 });
    assertEquals([answers.get(200), backup.requests.length], [20, 20]);
  },
);

scenario("one that drains takes what every other endpoint refuses", async (props) => {
  const [dead, draining] = [await props.origin(), await props.origin(reply(200))];
  const endpoints = [dead.url, { url: draining.url, drain: true }];
  const quiet = { health: { kind: "off" }, ejection: { enabled: false } };
  const weir = await props.weir({ config: { upstreams: { default: { endpoints, ...quiet } } } });
  await dead.stop();
  const { answers } = await load(weir.url, { requests: 4, connections: 1 });
  assertEquals([answers.get(200), draining.requests.length], [4, 4]);
});
