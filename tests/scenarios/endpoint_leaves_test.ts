// Discovery takes an endpoint away while it answers: what it has begun it may finish.

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario(
  "an endpoint that leaves while it answers a sticky client finishes, and nobody is sent back to it",
  async (props) => {
    const gate = new Gate();
    const leaver = await props.origin(scene(wait(gate), reply(200, { body: "whole" })));
    const stayer = await props.origin(reply(200, { body: "other" }));
    const loop = await props.loop({
      config: { upstreams: { default: { endpoints: [leaver.url, stayer.url], sticky: {} } } },
    });
    const client = await props.client(loop);
    await client.send(requestText("GET", "/"));
    await leaver.request(1);
    loop.send({
      kind: "endpoints",
      version: 2,
      change: { upstream: "default", left: [`http://127.0.0.1:${leaver.port}`], joined: [] },
    });
    gate.open();
    const answer = await client.response();
    assertEquals([answer.status, answer.text, answer.header("set-cookie")], [200, "whole", undefined]);
    await client.send(requestText("GET", "/"));
    const next = await client.response();
    assertEquals([next.status, next.text, loop.bugs], [200, "other", []]);
    await until("its connection is closed", () => leaver.open === 0);
  },
);
