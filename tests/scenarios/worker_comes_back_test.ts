// A worker that was given up as hung, under `whenWorkerHangs: stay`, and was only slow.

import { assertEquals } from "@std/assert";
import { RunningPod } from "../support/pod.ts";
import { ask } from "../support/raw_client.ts";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { until } from "../support/until.ts";

Deno.test({
  name: "a worker that was given up comes back after all: its thread ends then, and its share with it",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    await using origin = await startOrigin(reply(200));
    const env = { UPSTREAMS: origin.url, WORKERS: "1" };
    await using pod = await RunningPod.start(env, { whenWorkerHangs: "stay" });
    pod.break(0, "loops until told");
    await until("it is replaced", () => pod.restarts(0) === 1, 30_000);
    await pod.allServe();
    pod.endLoop();
    await until("its thread ends", () => pod.events.some((event) => event.includes("has ended after all")));
    assertEquals(pod.pod.probes().reasons, []);
    for (let n = 0; n < 8; n++) assertEquals((await ask(pod.url)).status, 200);
  },
});
