// Five endpoints, one killed and one hung in the middle of 5,000 GETs and 5,000 POSTs: GETs do not notice, no
// POST is processed twice, both are taken out, and both come back bit by bit.

import { assert, assertEquals } from "@std/assert";
import { load } from "../support/load.ts";
import { hang, type RawOrigin, reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import type { RunningWeir } from "../support/weir.ts";

const upstream = {
  timeouts: { responseHeadMs: 500 },
  // Slower than ejection, so that the killed endpoint is taken out by its traffic first, then by its checks.
  health: { intervalMs: 500, changingIntervalMs: 250, fall: 3, rise: 2 },
  ejection: { baseMs: 500, capMs: 500 },
  slowStart: { windowMs: 3_000, startPercent: 10 },
};

scenario("two of five endpoints fail under 10,000 requests and come back", async (props) => {
  const origins = await Promise.all([1, 2, 3, 4, 5].map(() => props.origin(reply(200))));
  const [killed, hung] = origins as [RawOrigin, RawOrigin];
  const endpoints = origins.map(({ url }) => url);
  const weir = await props.weir({
    workers: 2,
    config: { upstreams: { default: { endpoints, ...upstream } }, accessLog: "errors" },
  });
  let failedAt = 0;
  const onAnswer = (answered: number) => {
    if (answered !== 1_000) return;
    failedAt = performance.now();
    killed.stop();
    hung.script = hang();
  };
  const gets = load(weir.url, { requests: 5_000, connections: 8, onAnswer });
  const posts = load(weir.url, { requests: 5_000, connections: 8, method: "POST", body: "order" });
  const [got, posted] = await Promise.all([gets, posts]);
  assertEquals([[...got.answers], got.errors, posted.errors], [[[200, 5_000]], [], []]);
  const orders = origins.flatMap(({ requests }) => requests).filter(({ method }) => method === "POST");
  const ids = new Set(orders.map((request) => request.header("x-request-id")));
  assertEquals(ids.size, orders.length, "a POST reached two origins");

  for (const { url } of [killed, hung]) {
    const labels = { endpoint: url, reason: "consecutive_failures" };
    assert(await weir.metric("weir_endpoint_ejections_total", labels) > 0, `${url} was not ejected`);
  }
  // Its port is closed, so its checks fail too; the hung one still accepts connections.
  await until("the killed one is unhealthy", async () => await is(weir, killed, "unhealthy"));

  await until("the others have served for a window, so that it comes back beside them bit by bit", () => {
    return performance.now() - failedAt >= upstream.slowStart.windowMs;
  });
  await killed.listen();
  hung.script = reply(200);
  // Its weight is looked at from the beginning of its ramp: the other one may take longer.
  await until("the killed one is back", async () => await is(weir, killed, "serving"));
  const before = origins.map(({ requests }) => requests.length);
  const weights = new Set<number>();
  await until("the killed one has its whole weight again, and the other is back", async () => {
    const weight = await weir.metric("weir_endpoint_weight", { endpoint: killed.url });
    weights.add(weight);
    await load(weir.url, { requests: 50, connections: 4 });
    return weight === 1 && await is(weir, hung, "serving");
  }, 20_000);
  await load(weir.url, { requests: 50, connections: 4 });
  const seen = `${[...weights]}; ${
    weir.stdout.filter((line) => line.includes('"event"')).slice(-20).join("\n")
  }`;
  assert(Math.min(...weights) <= 0.5, `weights of the ramp: ${seen}`);
  const [ofKilled, ofHung, ofSteady] = origins.map(({ requests }, i) => requests.length - before[i]!);
  assert(
    0 < ofKilled! && ofKilled! < ofSteady! && 0 < ofHung!,
    `shares: ${[ofKilled, ofHung, ofSteady]}; ${seen}`,
  );
});

async function is(weir: RunningWeir, { url }: RawOrigin, state: string): Promise<boolean> {
  return await weir.metric("weir_endpoint_state", { endpoint: url, state }) === 1;
}
