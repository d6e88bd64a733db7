// Room that a reload or discovery makes while requests wait for some: they are asked at once.

import { assertEquals } from "@std/assert";
import type { Proxy } from "../../src/proxy/proxy.ts";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { waitingGet } from "../support/still_proxy.ts";
import { until } from "../support/until.ts";

function limitBy(inFlightPerEndpointMax: number) {
  return (proxy: Proxy) => {
    const { snapshot } = proxy;
    const upstreams = snapshot.upstreams.map((upstream) => ({
      ...upstream,
      limits: { ...upstream.limits, inFlightPerEndpointMax },
    }));
    proxy.apply({ ...snapshot, upstreams });
  };
}

function join(proxy: Proxy): void {
  const [endpoint] = proxy.snapshot.upstreams[0]!.endpoints;
  proxy.changeEndpoints({ upstream: "default", left: [], joined: [{ ...endpoint!, id: "another", row: 1 }] });
}

const made = { "a higher limit": limitBy(2), "the end of a limit": limitBy(0), "another endpoint": join };

for (const [what, make] of Object.entries(made)) {
  Deno.test(`a request that waits for room is served when there is ${what}`, async () => {
    await using origin = await startOrigin(reply(200));
    const { still, queue, held, answer } = await waitingGet(origin);
    make(still.proxy);
    await until("it waits no longer", () => queue.size === 0);
    assertEquals(await answer, [200, ""]);
    held.release(false);
    assertEquals([0, 1].map((row) => still.board.endpointInFlight(row)), [0, 0]);
    still.proxy.retire();
  });
}
