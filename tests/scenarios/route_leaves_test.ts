// Reloads replace all routes, again and again, while a request on one of the first is under way: its figures are of
// that route, and go to none of those that come after it.

import { assertEquals } from "@std/assert";
import { DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { requestText } from "../support/raw_client.ts";
import { reply, type Step } from "../support/raw_origin.ts";
import { rewrite } from "../support/reload.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

/** With the third set of as many, places on the board are used again. */
const ROUTES = Math.ceil(DEFAULT_CAPACITY.routesMax / 2) + 1;

scenario("a request that outlives its route is counted for no other", async (props) => {
  const told = Promise.withResolvers<void>();
  const late: Step = {
    async play(stage) {
      await told.promise;
      await reply(200, { body: "late" }).play(stage);
    },
  };
  const origin = await props.origin([late]);
  const config = (set: string) => ({
    upstreams: { app: { endpoints: [origin.url], health: { kind: "off" } } },
    routes: Array.from({ length: ROUTES }, (_, i) => ({
      name: `${set}-${i}`,
      match: { path: `/${set}/${i}` },
      upstream: "app",
    })),
  });
  const weir = await props.weir({ config: config("first") });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/first/0"));
  await origin.request(1);
  for (const set of ["second", "third"]) {
    await rewrite(weir, config(set));
    await until("the worker knows the new routes", async () => {
      return (await weir.admin(`/explain?path=/${set}/0`)).includes(`route ${set}-0`);
    });
  }
  told.resolve();
  assertEquals((await client.response()).status, 200);
  await until("it is counted", async () => await weir.metric("weir_requests_total") === 1);
  for (const figure of ["responses_total", "duration_seconds_count", "sent_bytes_total"]) {
    assertEquals(await weir.metric(`weir_route_${figure}`), 0, figure);
  }
});
