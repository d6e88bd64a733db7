// Five endpoints, one killed and one hung in the middle of 5,000 requests: GETs do not notice, no POST is
// processed twice, and both endpoints come back.

import { assert, assertEquals } from "@std/assert";
import { load } from "../support/load.ts";
import { hang, type RawOrigin, reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("two of five endpoints fail under 5,000 requests and come back", async (props) => {
  const origins = await Promise.all([1, 2, 3, 4, 5].map(() => props.origin(reply(200))));
  const [killed, hung] = origins as [RawOrigin, RawOrigin];
  const weir = await props.weir({
    workers: 2,
    config: {
      upstreams: {
        default: {
          endpoints: origins.map(({ url }) => url),
          timeouts: { responseHeadMs: 500 },
          health: { intervalMs: 200, changingIntervalMs: 100, fall: 2, rise: 2 },
          ejection: { baseMs: 500, capMs: 500 },
          slowStart: { windowMs: 1_000 },
        },
      },
      accessLog: "errors",
    },
  });
  const onAnswer = (answered: number) => {
    if (answered !== 500) return;
    killed.stop();
    hung.script = hang();
  };
  const gets = load(weir.url, { requests: 2_500, connections: 8, onAnswer });
  const posts = load(weir.url, { requests: 2_500, connections: 8, method: "POST", body: "order" });
  const [got, posted] = await Promise.all([gets, posts]);
  assertEquals([got.answers.get(200), got.errors, posted.errors], [2_500, [], []]);
  const orders = origins.flatMap(({ requests }) => requests).filter(({ method }) => method === "POST");
  const ids = new Set(orders.map((request) => request.header("x-request-id")));
  assertEquals(ids.size, orders.length, "a POST reached two origins");

  const state = (origin: RawOrigin) =>
    weir.metric("weir_endpoint_state", { endpoint: origin.url, state: "serving" });
  await killed.listen();
  hung.script = reply(200);
  const before = [killed, hung].map(({ requests }) => requests.length);
  await until("both are back", async () => await state(killed) === 1 && await state(hung) === 1);
  await until("both take traffic", async () => {
    await load(weir.url, { requests: 100, connections: 4 });
    return [killed, hung].every(({ requests }, i) => requests.length > before[i]!);
  });
  assert(await weir.metric("weir_endpoint_ejections_total", { endpoint: hung.url }) > 0);
});
