import { assertEquals } from "@std/assert";
import { load } from "../support/load.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("GETs outlive a restart of their endpoint, and it comes back", async (props) => {
  const steady = await props.origin(reply(200));
  const restarting = await props.origin(reply(200));
  const health = { intervalMs: 100, changingIntervalMs: 50, jitterPercent: 0, fall: 1, rise: 1 };
  // An ejection would keep it away for longer than its checks do; other stories are about that.
  const upstream = { health, slowStart: { windowMs: 0 }, ejection: { enabled: false } };
  const endpoints = [steady.url, restarting.url];
  const weir = await props.weir({ config: { upstreams: { default: { endpoints, ...upstream } } } });
  const restarted = Promise.withResolvers<void>();
  const { answers, errors } = await load(weir.url, {
    requests: 400,
    connections: 4,
    onAnswer(answered) {
      if (answered === 100) restarting.stop();
      if (answered === 200) restarted.resolve(restarting.listen());
    },
  });
  await restarted.promise;
  assertEquals([answers.get(200), errors], [400, []]);
  const before = restarting.requests.length;
  await until("it takes traffic again", async () => {
    await load(weir.url, { requests: 4, connections: 1 });
    return restarting.requests.length > before;
  });
});
