// A rolling restart behind something like a Service: two Weirs, each replaced in turn, and nobody notices.

import { assert, assertEquals } from "@std/assert";
import {
  downloads,
  eventStream,
  smallRequests,
  type Traffic,
  trafficOrigin,
  uploads,
  webSocketFeed,
} from "../support/rollout_traffic.ts";
import { Spreader } from "../support/spreader.ts";
import { until } from "../support/until.ts";
import { type RunningWeir, startWeir } from "../support/weir.ts";

/** Of each of the two. */
const FULL = Deno.env.get("WEIR_TEST_FULL") === "1";
const RESTARTS = FULL ? 10 : 2;
const LAG_MS = 1_000;

Deno.test({
  name: `two Weirs, each restarted ${RESTARTS} times under mixed traffic: nothing fails, nothing is lost`,
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    await using origin = trafficOrigin();
    await using spreader = new Spreader(LAG_MS);
    const start = async (): Promise<RunningWeir> => {
      const weir = await startWeir({
        upstreams: origin.url,
        env: { ACCESS_LOG: "errors", DRAIN_DELAY_MS: String(LAG_MS * 2), DRAIN_DEADLINE_MS: "6000" },
      });
      spreader.add(weir);
      return weir;
    };
    const weirs = [await start(), await start()];
    await until("both take connections", () => spreader.readyCount === 2);

    let rolling = true;
    const run = (traffic: Traffic) => traffic(spreader.url, () => rolling);
    const ending = Promise.all([smallRequests, uploads, downloads].map(run));
    const standing = Promise.all([eventStream, eventStream, webSocketFeed, webSocketFeed].map(run));
    for (let n = 0; n < RESTARTS * 2; n++) {
      const leaving = weirs.shift()!;
      leaving.signal("SIGTERM");
      assertEquals((await leaving.exit).code, 0);
      await leaving.stop();
      weirs.push(await start());
      await until("the new one takes connections", () => spreader.readyCount === 2);
    }
    rolling = false;
    origin.finish();
    const tales = [...await ending, ...await standing];
    for (const weir of weirs) await weir.stop();
    console.log(
      `served ${tales.map(({ served }) => served)}, came back ${tales.map((tale) => tale.returns)}`,
    );
    assertEquals([tales.flatMap(({ failures }) => failures), spreader.turnedAway], [[], 0]);
    assert(tales.every(({ served }) => served > 0));
    // Each leaving Weir sent away what stood on it, and none came back to one that was leaving, too.
    for (const { returns } of await standing) assert(returns > 0 && returns <= RESTARTS * 2, `${returns}`);
  },
});
