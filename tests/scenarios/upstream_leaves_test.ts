// A reload renames an upstream while requests wait for room at its endpoint: they wait on, and go where they were to go.

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { rewrite } from "../support/reload.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("requests that wait at an upstream which is renamed get their turns", async (props) => {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200)));
  const config = (name: string) => ({
    upstreams: {
      [name]: {
        endpoints: [origin.url],
        limits: { inFlightPerEndpointMax: 1, queueTimeoutMs: 60_000 },
        health: { kind: "off" },
      },
    },
  });
  const weir = await props.weir({ config: config("old") });
  const send = async (target: string) => {
    const client = await props.client(weir);
    await client.send(requestText("GET", target));
    return client;
  };
  const clients = [await send("/1")];
  await origin.request(1);
  for (const target of ["/2", "/3"]) clients.push(await send(target));
  await until("two wait", async () => await weir.metric("weir_upstream_queue_waiting") === 2);
  await rewrite(weir, config("new"));
  await until("the worker knows the new name", async () => {
    return (await weir.admin("/explain?path=/")).includes("upstream new");
  });
  gate.open();
  for (const client of clients) assertEquals((await client.response()).status, 200);
  assertEquals(origin.requests.length, 3);
});
