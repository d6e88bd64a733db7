// Clients that keep their connections are asked, now and then, to come back by another.

import { assert, assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

scenario("a client is asked to leave after so many requests, and is served on if it stays", async (props) => {
  const origin = await props.origin(reply(200));
  const loop = await props.loop({ upstreams: origin.url, config: { listen: { connectionRequestsMax: 10 } } });
  const client = await props.client(loop);
  const asked: boolean[] = [];
  while (asked.length < 10 && !asked.includes(true)) {
    await client.send(requestText("GET", "/"));
    const answer = await client.response();
    assertEquals(answer.status, 200);
    asked.push(/close/i.test(answer.header("connection") ?? ""));
  }
  assert(asked.length >= 8 && asked.at(-1) === true, `asked at ${asked.indexOf(true) + 1} of 10 requests`);
});
