// The log on stdout: whole lines of all workers, one for each request, and never in a request's way.

import { assert, assertEquals } from "@std/assert";
import { countingOrigin } from "../support/counting_origin.ts";
import { explained } from "../support/explained.ts";
import { load } from "../support/load.ts";
import { ask, requestText } from "../support/raw_client.ts";
import { hang } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import type { RunningWeir } from "../support/weir.ts";

const requestLines = (weir: RunningWeir) => weir.stdout.filter((line) => line.includes('"requestId"'));

scenario("every request of two workers leaves one whole line", async (props) => {
  await using origin = countingOrigin();
  const weir = await props.weir({ upstreams: origin.url, workers: 2 });
  const targets = Array.from({ length: 50 }, (_, i) => `/${i}?${"x".repeat(i * 40)}`);
  const { errors } = await load(weir.url, { requests: 2_000, connections: 16, targets });
  assertEquals(errors, []);
  await until("all lines are there", () => requestLines(weir).length === 2_000);
  const counts = new Map<string, number>();
  for (const line of requestLines(weir)) {
    const { target, status } = JSON.parse(line);
    assertEquals(status, 200);
    counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  assertEquals(targets.map((target) => counts.get(target)), targets.map(() => 40));
});

scenario(
  "a stdout that nobody reads delays no request; what finds no room is dropped and counted",
  async (props) => {
    await using origin = countingOrigin();
    const weir = await props.weir({ upstreams: origin.url });
    const release = weir.holdStdout();
    const target = `/?${"x".repeat(7_000)}`;
    const { answers, errors } = await load(weir.url, { requests: 1_500, connections: 8, targets: [target] });
    assertEquals([answers.get(200), errors], [1_500, []]);
    await until("lines are dropped", async () => await weir.metric("weir_log_lines_dropped_total") > 0);
    release();
    const dropped = () => weir.metric("weir_log_lines_dropped_total");
    await until(
      "every line is told or counted as dropped",
      async () => requestLines(weir).length + await dropped() === 1_500,
    );
    assert(requestLines(weir).every((line) => JSON.parse(line).status === 200));
  },
);

scenario("a stdout that nobody reads does not keep Weir from ending", async (props) => {
  await using origin = countingOrigin();
  const weir = await props.weir({ upstreams: origin.url });
  const release = weir.holdStdout();
  await load(weir.url, { requests: 1_500, connections: 8, targets: [`/?${"x".repeat(7_000)}`] });
  await until("lines are dropped", async () => await weir.metric("weir_log_lines_dropped_total") > 0);
  weir.signal("SIGINT");
  assertEquals((await weir.exit).code, 0);
  release();
});

scenario("a client that leaves is logged as 499, and blamed on nobody", async (props) => {
  const origin = await props.origin(hang());
  const weir = await props.weir({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/slow"));
  await origin.request(1);
  await client.reset();
  const { status, end, upstream, attempts } = JSON.parse(await weir.line(/"target":"\/slow"/));
  assertEquals([status, end, upstream], [499, "clientGone", "default"]);
  assertEquals(attempts[0].outcome, "client left");
  assertEquals(await weir.metric("weir_endpoint_gateway_failures_total"), 0);
});

scenario("an answer of Weir's own says the same to its client, in the log and in explain", async (props) => {
  const origin = await props.origin();
  const routes = [{ match: { path: "/a/*" }, upstream: "default" }, {
    match: { path: "/b" },
    upstream: "default",
  }];
  const weir = await props.weir({ config: { upstreams: { default: { endpoints: [origin.url] } }, routes } });
  const refusals = [
    ["/a/../b", 400, "http_request_error", "the path can be read in more than one way"],
    ["/c", 404, "destination_not_found", "no route takes this path"],
  ] as const;
  for (const [target, status, cause, message] of refusals) {
    const answer = await ask(weir.url, { target });
    assertEquals([answer.status, answer.text.includes(message)], [status, true]);
    const logged = JSON.parse(await weir.line(new RegExp(`"target":"${target}"`)));
    assertEquals([logged.cause, logged.message], [cause, message]);
    const { endedBy } = await explained(weir, `id=${logged.requestId}`);
    assertEquals(endedBy, `complete: ${cause}: ${message}`);
  }
});
