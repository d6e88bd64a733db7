// Methods that a gateway answers itself (RFC 9110 7.6.2, 9.3.6 to 9.3.8), and those it must not touch.

import { assert, assertEquals } from "@std/assert";
import { ask, requestText } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("CONNECT and TRACE are refused", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  for (const [method, target] of [["CONNECT", "a.test:443"], ["TRACE", "/"], ["TRACK", "/"]] as const) {
    const client = await props.client(weir);
    await client.send(requestText(method, target, [["Host", "a.test:443"]]));
    const { status } = await client.response();
    assert(status === 405 || status === 501, `${method}: ${status}`);
  }
  assertEquals(origin.requests.length, 0);
});

scenario("`OPTIONS *` keeps its asterisk", async (props) => {
  const origin = await props.origin(reply(204));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("OPTIONS", "*"));
  assertEquals((await client.response()).status, 204);
  assertEquals((await origin.request(1)).target, "*");
});

scenario("Max-Forwards counts down on OPTIONS and means nothing elsewhere", async (props) => {
  const origin = await props.origin(reply(204));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const [method, hops] of [["OPTIONS", "0"], ["OPTIONS", "3"], ["GET", "0"]] as const) {
    await client.send(requestText(method, "/", [["Max-Forwards", hops]]));
    const { status } = await client.response();
    assert(status === 200 || status === 204, `${method}: ${status}`);
  }
  assertEquals(origin.requests.map((request) => [request.method, request.header("max-forwards")]), [
    ["OPTIONS", "2"],
    ["GET", "0"],
  ]);
});

scenario("HEAD that Weir answers itself counts no bytes", async (props) => {
  const own = { match: { path: "/own" }, respond: { status: 200, body: "hello" } };
  const loop = await props.loop({ config: { routes: [own] } });
  for (const [target, status] of [["/own", 200], ["/none", 404]] as const) {
    const [got, head] = [await ask(loop.url, { target }), await ask(loop.url, { method: "HEAD", target })];
    assertEquals([head.status, head.text], [status, ""]);
    assertEquals(head.header("content-length"), String(got.body.length));
  }
  await until("both are logged", () => loop.log.length === 4);
  const lines = loop.log.map((line) => JSON.parse(line)).filter(({ method }) => method === "HEAD");
  assertEquals(lines.map(({ bytesOut }) => bytesOut), [0, 0]);
});

scenario("a GET with a body reaches the origin whole or not at all", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", [], "hello"));
  const { status } = await client.response();
  if (status === 200) assertEquals(await (await origin.request(1)).text(), "hello");
  else assertEquals([status, origin.requests.length], [501, 0]);
});
