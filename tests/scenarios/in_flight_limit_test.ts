import { assertEquals } from "@std/assert";
import { WorkerField } from "../../src/board/fields.ts";
import { explained } from "../support/explained.ts";
import { load } from "../support/load.ts";
import { ask, requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, type Step, wait } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

scenario("a limit of 7 requests at an endpoint is never exceeded, over all workers", async (props) => {
  let now = 0;
  let most = 0;
  const gate = new Gate();
  const busy: Step = {
    async play(stage) {
      most = Math.max(most, ++now);
      await gate.pass();
      // A turn of the event loop, in which the requests that are allowed in arrive.
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
      await reply(200).play(stage);
    },
  };
  const origin = await props.origin(busy);
  const limits = { inFlightPerEndpointMax: 7, queueTimeoutMs: 30_000 };
  const weir = await props.weir({
    workers: 2,
    config: { upstreams: { default: { endpoints: [origin.url], limits } } },
  });
  const loading = load(weir.url, { requests: 500, connections: 50 });
  await until("all others wait", async () => await weir.metric("weir_upstream_queue_waiting") === 43);
  await until("the limit holds back no more than it says", () => now === 7);
  gate.open();
  const { answers, errors } = await loading;
  assertEquals([answers.get(200), errors, most], [500, [], 7]);
});

scenario("a request beyond the pod's limit is refused, and counts once", async (props) => {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200)));
  const config = { upstreams: { default: { endpoints: [origin.url] } }, limits: { inFlightMax: 1 } };
  const weir = await props.loop({ config });
  const [held, refused] = [await props.client(weir), await props.client(weir)];
  await held.send(requestText("GET", "/"));
  await origin.request(1);
  await refused.send(requestText("GET", "/"));
  assertEquals((await refused.response()).status, 503);
  gate.open();
  assertEquals((await held.response()).status, 200);
  assertEquals(weir.totals.worker(WorkerField.rejectedInFlight), 1);
});

scenario("explain and the verdict say that the pod is at its limit", async (props) => {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200)));
  const config = { upstreams: { default: { endpoints: [origin.url] } }, limits: { inFlightMax: 1 } };
  const weir = await props.weir({ config });
  const held = ask(weir.url);
  await origin.request(1);
  const { status } = await ask(weir.url);
  const { route, why } = await explained(weir, "path=/");
  const says = "are refused: the pod is at limits.inFlightMax";
  await until("the verdict says so", async () => (await weir.admin("/status")).includes(says));
  gate.open();
  await held;
  assertEquals([status, route], [503, null]);
  assertEquals(why, "refused before any route is looked for: 503, this gateway is at its limit of requests");
  await until("it has room again", async () => (await explained(weir, "path=/")).route === "default");
});
