// What /metrics says after a scripted run is what the origin and the clients counted themselves.

import { assert, assertEquals } from "@std/assert";
import { ask, RawClient, requestText } from "../support/raw_client.ts";
import { reply, reset, type Step } from "../support/raw_origin.ts";
import { rewrite } from "../support/reload.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("every number equals what the scripted origin and the clients counted", async (props) => {
  const body = "x".repeat(1_000);
  const origin = await props.origin([
    ...Array.from({ length: 10 }, () => reply(200, { body })),
    ...Array.from({ length: 3 }, () => reply(201)),
    reply(404),
    reply(503),
    reset(),
    reply(200, { body }),
  ]);
  const weir = await props.weir({
    config: {
      upstreams: { default: { endpoints: [origin.url], health: { kind: "off" } } },
      routes: [{ name: "all", match: { path: "/*" }, upstream: "default" }],
    },
  });
  const client = await props.client(weir);
  let received = 0;
  const send = async (method: string, sent?: string, host = "a.test") => {
    await client.send(requestText(method, "/", [["Host", host]], sent));
    const answer = await client.response(method);
    received += answer.body.length;
    return answer.status;
  };
  for (let i = 0; i < 10; i++) assertEquals(await send("GET"), 200);
  for (let i = 0; i < 3; i++) assertEquals(await send("POST", "y".repeat(70)), 201);
  assertEquals([await send("GET"), await send("POST", "z")], [404, 503]);
  // Its connection is reset after it was used before: another one is tried.
  assertEquals(await send("GET"), 200);
  const routed = received;
  assertEquals(await send("GET", undefined, "not/a/host"), 400);
  await client.reset();

  const told = (name: string, labels: Record<string, string> = {}) => weir.metric(`weir_${name}`, labels);
  // The client has the last answer before Weir has counted it.
  await until("every request is counted", async () => await told("requests_total") === 17);
  assertEquals(await told("bad_requests_total"), 1);
  assertEquals(await told("upstream_requests_total"), 16);
  const answers = (method: string, status_class: string) =>
    told("upstream_responses_total", { method, status_class });
  assertEquals(await answers("GET", "2xx"), 11);
  assertEquals(await answers("GET", "4xx"), 1);
  assertEquals(await answers("POST", "2xx"), 3);
  assertEquals(await answers("POST", "5xx"), 1);
  assertEquals(await told("route_responses_total", { status_class: "2xx" }), 14);
  assertEquals(await told("route_duration_seconds_count"), 16);
  assertEquals(await told("route_received_bytes_total"), 3 * 70 + 1);
  assertEquals(await told("endpoint_attempts_total"), origin.requests.length);
  assertEquals(await told("endpoint_responses_total", { status_class: "none" }), 1);
  assertEquals(await told("upstream_retries_total"), 1);
  assertEquals(await told("endpoint_gateway_failures_total"), 1);
  assertEquals(await told("endpoint_connections_opened_total"), origin.connections.length);
  assertEquals(await told("endpoint_connections_idle"), 1);
  const sent = origin.connections.reduce((sum, connection) => sum + connection.bytesSent, 0);
  assertEquals(await told("endpoint_received_bytes_total"), sent);
  const heads = origin.requests.reduce((sum, { head }) => sum + headBytes(head), 0);
  assertEquals(await told("endpoint_sent_bytes_total"), heads + 3 * 70 + 1);
  assert(received > routed, "the refusal has a body");
  assertEquals(await told("route_sent_bytes_total"), routed, "the refused request took no route");
});

/** Bytes of a head on the wire: request line, fields, empty line. */
function headBytes(
  { firstLine, headers }: { firstLine: string; headers: readonly (readonly [string, string])[] },
) {
  const lines = [firstLine, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""];
  return lines.join("\r\n").length;
}

/** Answers after `ms`, and notes in seconds how long that really took. */
const after = (ms: number, delays: number[]): Step => ({
  async play(stage) {
    const since = performance.now();
    await new Promise((resolve) => setTimeout(resolve, ms));
    delays.push((performance.now() - since) / 1_000);
    await reply(200).play(stage);
  },
});

scenario(
  "an origin that delays by the centres of buckets shows in those buckets, between its time and its clients'",
  async (props) => {
    const [delays, waits]: [number[], number[]] = [[], []];
    const steps = Array.from({ length: 20 }, (_, i) => after(i < 16 ? 200 : 625, delays));
    const origin = await props.origin(steps);
    const weir = await props.weir({ upstreams: origin.url });
    await Promise.all(Array.from({ length: 20 }, async () => {
      await using client = await RawClient.connect(weir.url);
      const since = performance.now();
      await client.send(requestText("GET", "/"));
      assertEquals((await client.response()).status, 200);
      waits.push((performance.now() - since) / 1_000);
    }));
    const within = (times: readonly number[], limit: number) => times.filter((time) => time <= limit).length;
    for (const le of ["0.15", "0.25", "0.5", "0.75"]) {
      const told = await weir.metric("weir_endpoint_head_duration_seconds_bucket", { le });
      const [least, most] = [within(waits, Number(le)), within(delays, Number(le))];
      assert(least <= told && told <= most, `up to ${le} s: ${told}, clients ${least}, origin ${most}`);
    }
    assertEquals(await weir.metric("weir_endpoint_head_duration_seconds_count"), 20);
  },
);

scenario(
  "a retry budget that was spent shows what time gives back, though no request comes",
  async (props) => {
    const origin = await props.origin([reset(), reset(), reset()]);
    const retry = { attemptsMax: 3, budgetReserve: 2, budgetMinPerSecond: 1, backoffBaseMs: 0 };
    const weir = await props.weir({
      config: { upstreams: { app: { endpoints: [origin.url], health: { kind: "off" }, retry } } },
    });
    assertEquals((await ask(weir.url, { target: "/" })).status, 502);
    assertEquals(origin.requests.length, 3, "two retries are paid for");
    await until("both are there again", async () => {
      return await weir.metric("weir_upstream_retry_budget_left") === retry.budgetReserve;
    });
  },
);

scenario(
  "a configuration without routes has one that is counted like any other, and apart",
  async (props) => {
    const origin = await props.origin(reply(200));
    const upstreams = { app: { endpoints: [origin.url] } };
    const weir = await props.weir({ config: { upstreams } });
    const answered = (route: string) => weir.metric("weir_route_responses_total", { route });
    const { url } = weir;
    for (let n = 0; n < 2; n++) assertEquals((await ask(url, { target: "/x" })).status, 200);
    await until("both are counted", async () => await answered("default") === 2);
    const [told] = JSON.parse(await weir.admin("/status")).routes;
    assertEquals([told.name, told.target], ["default", "app"]);
    await rewrite(weir, { upstreams, routes: [{ match: { path: "/x" }, upstream: "app" }] });
    let asked = 0;
    await until("the written route takes it", async () => {
      assertEquals((await ask(url, { target: "/x" })).status, 200);
      asked++;
      return await answered("/x") > 0;
    });
    assert(await answered("/x") <= asked, "it has what the other one counted");
  },
);
