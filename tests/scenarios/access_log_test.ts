// The log on stdout: whole lines of all workers, one for each request, and never in a request's way.

import { assert, assertEquals } from "@std/assert";
import { countingOrigin } from "../support/counting_origin.ts";
import { load } from "../support/load.ts";
import { requestText } from "../support/raw_client.ts";
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
