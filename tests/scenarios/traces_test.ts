// Traces by OpenTelemetry: one span for the request, one for its attempt, joined to the caller's trace and
// continued at the endpoint.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { OtlpCollector } from "../support/otlp_collector.ts";
import { ask } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import type { RunningWeir } from "../support/running_weir.ts";
import { type Props, scenario } from "../support/scenario.ts";
import type { Header } from "../support/raw_http.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const traced: Header[] = [["traceparent", `00-${TRACE}-${CALLER}-01`], ["tracestate", "a=1,b=2"]];
const BOTH = { listeners: ["serve", "wire"] } as const;

scenario("a request is a server span under its caller, and its attempt a client span", async (props) => {
  await using collector = new OtlpCollector();
  const origin = await props.origin(reply(200, { body: "hello" }));
  const launched = BigInt(Date.now()) * 1_000_000n;
  const weir = await props.weir({
    env: collector.env,
    config: {
      upstreams: { users: { endpoints: [origin.url], health: { kind: "off" } } },
      routes: [{ name: "user", match: { path: "/users/{id}" }, upstream: "users" }],
    },
  });
  await ask(weir.url, { target: "/users/7?a=1", headers: [...traced, ["User-Agent", "me/1"]] });
  const [server, client, ...others] = await collector.trace(TRACE, 2);
  assertEquals(others, []);
  assertEquals([server!.scope, server!.name, server!.kind], ["weir", "GET /users/{id}", "server"]);
  assertEquals([server!.parentSpanId, server!.failed], [CALLER, false]);
  const { "weir.request_id": id, "server.port": _, "url.full": __, ...told } = server!.attributes;
  assertEquals(told, {
    "http.request.method": "GET",
    "url.scheme": "http",
    "url.path": "/users/7",
    "url.query": "a=1",
    "server.address": "weir.test",
    "network.protocol.name": "http",
    "network.protocol.version": "1.1",
    "network.peer.address": "127.0.0.1",
    "user_agent.original": "me/1",
    "client.address": "127.0.0.1",
    "http.route": "/users/{id}",
    "http.response.status_code": 200,
    "http.request.body.size": 0,
    "http.response.body.size": 5,
    "weir.route": "user",
    "weir.upstream": "users",
    "weir.end": "complete",
  });
  assertEquals([client!.name, client!.kind, client!.parentSpanId], ["GET", "client", server!.spanId]);
  assertEquals(client!.attributes, {
    "http.request.method": "GET",
    "url.full": `${origin.url}/users/7?a=1`,
    "server.address": "127.0.0.1",
    "server.port": Number(new URL(origin.url).port),
    "http.response.status_code": 200,
    "weir.outcome": "200",
    "weir.connection_reused": false,
  });
  assertEquals(client!.events, ["response head"]);
  assert(launched < server!.start);
  assert(server!.start <= client!.start && client!.end <= server!.end && client!.start < client!.end);
  const seen = await origin.request(1);
  assertEquals(seen.headerAll("traceparent"), [`00-${TRACE}-${client!.spanId}-01`]);
  assertEquals(seen.headerAll("tracestate"), ["a=1,b=2"]);
  const { trace, requestId } = JSON.parse(await weir.line(/"target":"\/users\/7/));
  assertEquals([trace, requestId], [TRACE, id]);
  assertEquals([...collector.services], ["weir"]);
}, BOTH);

scenario(
  "by a sampler that follows its parent a caller says whether a trace is sampled; a tracestate goes on with its trace only",
  async (props) => {
    await using collector = new OtlpCollector();
    const origin = await props.origin(reply(200));
    const env = { ...collector.env, OTEL_TRACES_SAMPLER: "parentbased_always_on" };
    const weir = await props.weir({ env, upstreams: origin.url });
    const state: Header = ["tracestate", "a=1"];
    await ask(weir.url, { headers: [["traceparent", `00-${TRACE}-${CALLER}-00`], state] });
    await ask(weir.url, { headers: [state] });
    const seen = [await origin.request(1), await origin.request(2)];
    assertMatch(seen[0]!.header("traceparent")!, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
    assertMatch(seen[1]!.header("traceparent")!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assertEquals(seen.map((request) => request.headerAll("tracestate")), [["a=1"], []]);
  },
  BOTH,
);

scenario(
  "a method that nobody knows makes no names of spans, and an IPv6 host is told as its address",
  async (props) => {
    await using collector = new OtlpCollector();
    const origin = await props.origin(reply(200));
    const weir = await props.weir({ env: collector.env, upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(
      `BREW /tea HTTP/1.1\r\nHost: [::1]:8080\r\ntraceparent: 00-${TRACE}-${CALLER}-01\r\n\r\n`,
    );
    assertEquals((await client.response()).status, 200);
    await client.close();
    const spans = await collector.trace(TRACE, 2);
    assertEquals(spans.map(({ kind, name }) => [kind, name]), [["server", "HTTP"], ["client", "HTTP"]]);
    for (const { attributes } of spans) {
      assertEquals(attributes["http.request.method"], "_OTHER");
      assertEquals(attributes["http.request.method_original"], "BREW");
    }
    assertEquals([spans[0]!.attributes["server.address"], spans[0]!.attributes["server.port"]], [
      "::1",
      8080,
    ]);
  },
  BOTH,
);

/** A Weir that believes what its clients tell of theirs. */
async function behindTrustedProxy(props: Props, collector: OtlpCollector): Promise<RunningWeir> {
  const origin = await props.origin();
  return await props.weir({
    env: collector.env,
    config: {
      trustedProxies: ["127.0.0.0/8"],
      upstreams: { default: { endpoints: [origin.url], health: { kind: "off" } } },
    },
  });
}

scenario("behind a trusted proxy a span tells what the client asked for", async (props) => {
  await using collector = new OtlpCollector();
  const weir = await behindTrustedProxy(props, collector);
  const told: Record<string, Header[]> = {
    "1": [["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", "shop.test"]],
    "2": [["Forwarded", "for=192.0.2.9;proto=https;host=shop.test"]],
  };
  for (const [digit, headers] of Object.entries(told)) {
    const id = digit.repeat(32);
    await ask(weir.url, { headers: [["traceparent", `00-${id}-${CALLER}-01`], ...headers] });
    const { attributes } = (await collector.trace(id, 2))[0]!;
    const asked = ["url.scheme", "server.address", "server.port"].map((name) => attributes[name]);
    assertEquals(asked, ["https", "shop.test", 443], digit);
  }
}, BOTH);

scenario("a host that a trusted proxy tells with a port that is none costs no worker", async (props) => {
  await using collector = new OtlpCollector();
  const weir = await behindTrustedProxy(props, collector);
  const host = `shop.test:${"9".repeat(400)}`;
  const headers: Header[] = [["traceparent", `00-${TRACE}-${CALLER}-01`], ["X-Forwarded-Host", host]];
  await ask(weir.url, { headers });
  const { attributes } = (await collector.trace(TRACE, 2))[0]!;
  assertEquals([attributes["server.address"], attributes["server.port"]], [host, 80]);
}, BOTH);
