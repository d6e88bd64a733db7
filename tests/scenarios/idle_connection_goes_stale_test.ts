// A kept connection that its origin closed or wrote to while idle is not used for the next request.

import { assertEquals } from "@std/assert";
import type { RunningLoop } from "../support/loop.ts";
import { requestText } from "../support/raw_client.ts";
import { close, Gate, idleClose, reply, replyRaw, scene, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("one connection serves one request after the other", async (props) => {
  const origin = await props.origin(reply(200, { body: "kept" }));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const [method, body] of [["GET"], ["POST", "x"], ["HEAD"], ["PUT", "x"], ["GET"]] as const) {
    await client.send(requestText(method, "/", [], body));
    assertEquals((await client.response(method)).status, 200);
  }
  assertEquals(origin.requests.map(({ connection }) => connection.number), [1, 1, 1, 1, 1]);
});

scenario("a POST after the origin closed the idle connection takes a new one", async (props) => {
  const gate = new Gate();
  const origin = await props.origin([scene(reply(200), idleClose(gate)), reply(200, { body: "fresh" })]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await client.response();
  gate.open();
  await untilClosed(weir, origin.url);
  await client.send(requestText("POST", "/", [], "x"));
  assertEquals((await client.response()).text, "fresh");
  assertEquals(origin.connections.length, 2);
});

scenario("bytes on an idle connection are no answer to the next request", async (props) => {
  const gate = new Gate();
  const stray = scene(reply(200), wait(gate), replyRaw("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"));
  const origin = await props.origin([stray, reply(200, { body: "mine" })]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await client.response();
  gate.open();
  await untilClosed(weir, origin.url);
  await client.send(requestText("POST", "/", [], "x"));
  assertEquals((await client.response()).text, "mine");
});

scenario("an answer with more bytes than it declared poisons nobody", async (props) => {
  const long = replyRaw(
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
  );
  const origin = await props.origin([long, reply(200, { body: "mine" })]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  assertEquals((await client.response()).text, "ok");
  await client.send(requestText("POST", "/", [], "x"));
  assertEquals((await client.response()).text, "mine");
});

scenario("`Connection: close` from an origin is honoured", async (props) => {
  const last = scene(reply(200, { headers: [["Connection", "close"]] }), close());
  const origin = await props.origin([last, last, last]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (let n = 1; n <= 3; n++) {
    await client.send(requestText("POST", "/", [], "x"));
    assertEquals((await client.response()).status, 200);
    assertEquals(origin.connections.length, n);
  }
});

/** A request that comes in the moment between the origin's FIN and Weir's notice would still be lost. */
function untilClosed(weir: RunningLoop, url: string): Promise<void> {
  return until("Weir let go of it", () => weir.endpointTotal(url, "connectionsClosed") === 1);
}
