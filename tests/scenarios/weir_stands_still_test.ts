// A process that stood still (a virtual machine that moves, a container without its share of time) looks at what came
// meanwhile before it calls anybody late.

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("an answer that came in time is none too late for a Weir that stood still", async (props) => {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200, { body: "in time" })));
  const timeouts = { responseHeadMs: 2_000 };
  const weir = await props.weir({
    config: { upstreams: { default: { endpoints: [origin.url], timeouts } } },
  });
  const clients = await Promise.all(Array.from({ length: 10 }, () => props.client(weir)));
  for (const client of clients) await client.send(requestText("POST", "/", [], "x"));
  await origin.request(clients.length);
  weir.signal("SIGSTOP");
  const late = performance.now() + 1.2 * timeouts.responseHeadMs;
  gate.open();
  await until("all would be late", () => performance.now() > late);
  weir.signal("SIGCONT");
  for (const client of clients) assertEquals((await client.response()).text, "in time");
});

scenario("a check that was answered in time does not fail for a Weir that stood still", async (props) => {
  const gate = new Gate();
  const origin = await props.origin([reply(200), scene(wait(gate), reply(200)), reply(200)]);
  const health = { path: "/healthz", timeoutMs: 2_000, intervalMs: 3_000 };
  const weir = await props.weir({ config: { upstreams: { default: { endpoints: [origin.url], health } } } });
  await origin.request(2);
  weir.signal("SIGSTOP");
  const late = performance.now() + 1.2 * health.timeoutMs;
  gate.open();
  await until("it would be late", () => performance.now() > late);
  weir.signal("SIGCONT");
  const checks = (result: string) => weir.metric("weir_endpoint_checks_total", { result });
  await until("it is over", async () => await checks("passed") + await checks("failed") > 1);
  assertEquals(await checks("failed"), 0);
}, { listeners: ["wire"] });
