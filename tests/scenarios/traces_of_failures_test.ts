// Traces of requests that went wrong: an attempt each, who failed, and no more told than there should be.

import { assertEquals, assertMatch } from "@std/assert";
import { OtlpCollector } from "../support/otlp_collector.ts";
import { ask, requestText } from "../support/raw_client.ts";
import type { Header } from "../support/raw_http.ts";
import { hang, reply, reset } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const traced: Header[] = [["traceparent", `00-${TRACE}-b7ad6b7169203331-01`]];
const BOTH = { listeners: ["serve", "wire"] } as const;

scenario("a retried request is one server span, and a client span for each attempt", async (props) => {
  await using collector = new OtlpCollector();
  const origin = await props.origin([reset(), reply(503), reply(200)]);
  const weir = await props.weir({
    env: collector.env,
    config: {
      upstreams: {
        default: { endpoints: [origin.url], retry: { onStatus: [503] }, health: { kind: "off" } },
      },
    },
  });
  await ask(weir.url, { headers: traced });
  const [server, ...clients] = await collector.trace(TRACE, 4);
  assertEquals(clients.map(({ parentSpanId }) => parentSpanId), [1, 2, 3].map(() => server!.spanId));
  const of = (name: string) => clients.map(({ attributes }) => attributes[name]);
  assertEquals(of("http.request.resend_count"), [undefined, 1, 2]);
  assertEquals(of("error.type"), ["reset (head)", "503", undefined]);
  assertEquals(of("http.response.status_code"), [undefined, 503, 200]);
  assertEquals(clients.map(({ failed }) => failed), [true, true, false]);
  assertEquals(clients.map(({ events }) => events), [[], ["response head"], ["response head"]]);
  assertMatch(String(of("weir.retry_verdict")[0]), /^yes/);
  assertEquals([server!.attributes["http.response.status_code"], server!.failed], [200, false]);
  const spans = await Promise.all(
    [1, 2, 3].map(async (n) => (await origin.request(n)).header("traceparent")),
  );
  assertEquals(spans, clients.map(({ spanId }) => `00-${TRACE}-${spanId}-01`));
}, BOTH);

scenario("spans tell who failed, keep redacted queries, and leave out probes", async (props) => {
  await using collector = new OtlpCollector();
  const [failing, silent] = [await props.origin(reply(502)), await props.origin(hang())];
  const weir = await props.weir({
    env: collector.env,
    config: {
      accessLog: { redactQuery: true },
      upstreams: {
        failing: { endpoints: [failing.url], retry: { attemptsMax: 1 }, health: { kind: "off" } },
        silent: { endpoints: [silent.url], health: { kind: "off" } },
      },
      routes: [
        { match: { path: "/failing" }, upstream: "failing" },
        { match: { path: "/silent" }, upstream: "silent" },
      ],
    },
  });
  const tracedAs = (n: number): Header[] => [["traceparent", `00-${n}${TRACE.slice(1)}-b7ad6b7169203331-01`]];
  const spansOf = (n: number, count: number) => collector.trace(`${n}${TRACE.slice(1)}`, count);
  await ask(weir.url, { target: "/failing?token=secret", headers: tracedAs(1) });
  const [failed, attempt] = await spansOf(1, 2);
  assertEquals([failed!.failed, failed!.attributes["error.type"]], [true, "502"]);
  assertEquals([attempt!.failed, attempt!.attributes["error.type"]], [true, "502"]);
  assertEquals([failed!.attributes["url.query"], attempt!.attributes["url.full"]], [
    "-",
    `${failing.url}/failing?-`,
  ]);
  await ask(weir.url, { target: "/nowhere", headers: tracedAs(2) });
  const [refused] = await spansOf(2, 1);
  assertEquals([refused!.failed, refused!.attributes["weir.cause"]], [false, "destination_not_found"]);
  const client = await props.client(weir);
  await client.send(requestText("GET", "/silent", tracedAs(3)));
  await silent.request(1);
  await client.reset();
  const [left, waited] = await spansOf(3, 2);
  assertEquals([left!.failed, left!.attributes["weir.end"]], [false, "clientGone"]);
  assertEquals([waited!.failed, waited!.attributes["weir.outcome"]], [false, "client left"]);
  assertEquals(collector.spans.length, 5);
}, BOTH);
