// A worker that was replaced after an hour keeps the pod's time, and its deadlines are as long as any other's.

import { assertEquals } from "@std/assert";
import { ask } from "../support/raw_client.ts";
import { hang, reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const HOUR_MS = 3_600_000;

scenario("a kept connection that hangs is timed out by a young worker as by an old one", async (props) => {
  const origin = await props.origin([reply(200), hang()]);
  const loop = await props.loop({
    upstreams: origin.url,
    podAgeMs: HOUR_MS,
    config: {
      upstreams: {
        default: { endpoints: [origin.url], timeouts: { responseHeadMs: 500 }, retry: { attemptsMax: 1 } },
      },
    },
  });
  const statuses: number[] = [];
  for (let i = 0; i < 2; i++) statuses.push((await ask(loop.url)).status);
  assertEquals(statuses, [200, 504]);
});
