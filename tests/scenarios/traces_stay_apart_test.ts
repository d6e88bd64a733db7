// What a trace must not do: join the wrong one, wake one that sleeps, or change a request when nobody wants
// traces.

import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { OtlpCollector } from "../support/otlp_collector.ts";
import { ask } from "../support/raw_client.ts";
import type { Header } from "../support/raw_http.ts";
import { scenario } from "../support/scenario.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331`;
const STATE: Header = ["tracestate", "a=1"];
const BOTH = { listeners: ["serve", "wire"] } as const;

scenario("a traceparent that is wrong or repeated is dropped, and a new trace begun", async (props) => {
  await using collector = new OtlpCollector();
  const origin = await props.origin();
  const weir = await props.weir({ upstreams: origin.url, env: collector.env });
  const wrong: Header[][] = [
    [["traceparent", `${PARENT}-1`]],
    [["traceparent", `${PARENT}-01`], ["traceparent", `${PARENT}-01`]],
    [],
  ];
  for (const [n, lines] of wrong.entries()) {
    await ask(weir.url, { headers: [...lines, STATE] });
    const seen = (await origin.request(n + 1)).headerAll("traceparent");
    assertMatch(seen.join(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    const [, traceId, spanId] = seen[0]!.split("-");
    assertNotEquals(traceId, TRACE);
    assertEquals((await origin.request(n + 1)).header("tracestate"), undefined);
    const [server, client] = await collector.trace(traceId!, 2);
    assertEquals([server!.parentSpanId, client!.spanId], ["", spanId]);
  }
}, BOTH);

scenario("a caller that is not sampled stays so where the sampler follows it", async (props) => {
  await using collector = new OtlpCollector();
  const origin = await props.origin();
  const env = { ...collector.env, OTEL_TRACES_SAMPLER: "parentbased_always_on" };
  const weir = await props.weir({ upstreams: origin.url, env });
  await ask(weir.url, { headers: [["traceparent", `${PARENT}-00`], STATE] });
  const seen = await origin.request(1);
  assertMatch(seen.header("traceparent")!, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  assertEquals(seen.header("tracestate"), "a=1");
  // Spans leave in order: once the second trace is there, the first would be.
  const next = TRACE.replace("0", "1");
  await ask(weir.url, { headers: [["traceparent", `00-${next}-b7ad6b7169203331-01`]] });
  await collector.trace(next, 2);
  assertEquals(collector.spans.map(({ traceId }) => traceId), [next, next]);
}, BOTH);

scenario("a Host that is none is the client's fault with traces on, too", async (props) => {
  await using collector = new OtlpCollector();
  const origin = await props.origin();
  const weir = await props.weir({ env: collector.env, upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n");
  const { status, text } = await client.response();
  assertEquals([status, text], [400, "400 Bad Request: Host is not a host and port\n"]);
  await client.close();
}, BOTH);

for (const env of [{}, { OTEL_DENO: "true", OTEL_DENO_TRACING: "false" }]) {
  const how = JSON.stringify(env);
  scenario(`without traces (${how}) their fields pass through untouched`, async (props) => {
    await using collector = new OtlpCollector();
    const origin = await props.origin();
    const weir = await props.weir({
      upstreams: origin.url,
      env: "OTEL_DENO" in env ? { ...collector.env, ...env } : {},
    });
    const lines: Header[] = [["traceparent", `${PARENT}-01`], STATE, ["traceparent", "nonsense"]];
    await ask(weir.url, { headers: lines });
    const seen = await origin.request(1);
    assertEquals(seen.header("tracestate"), "a=1");
    assertEquals(seen.headerAll("traceparent").join(", "), `${PARENT}-01, nonsense`);
    await weir.stop();
    assertEquals(collector.spans, []);
  });
}
