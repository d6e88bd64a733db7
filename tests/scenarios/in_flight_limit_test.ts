import { assert, assertEquals } from "@std/assert";
import { load } from "../support/load.ts";
import type { Step } from "../support/raw_origin.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

scenario("a limit of 7 requests at an endpoint is never exceeded, over all workers", async (props) => {
  let now = 0;
  let most = 0;
  const busy: Step = {
    async play(stage) {
      most = Math.max(most, ++now);
      // A turn of the event loop, in which the requests that are allowed in arrive.
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
      await reply(200).play(stage);
    },
  };
  const origin = await props.origin(busy);
  const weir = await props.weir({
    workers: 2,
    config: { upstreams: { default: { endpoints: [origin.url], limits: { inFlightPerEndpointMax: 7 } } } },
  });
  const { answers, errors } = await load(weir.url, { requests: 500, connections: 50 });
  assertEquals([answers.get(200), errors], [500, []]);
  assert(most <= 7, `${most} at once`);
  assert(most >= 5, `only ${most} at once: the limit holds back more than it says`);
});
