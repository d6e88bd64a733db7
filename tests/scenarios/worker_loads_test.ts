// What a pod is told while one of its workers loads reaches that worker, too.

import { assert, assertEquals } from "@std/assert";
import { loaded } from "../config/helpers.ts";
import { RunningPod } from "../support/pod.ts";
import { ask, RawClient, requestText } from "../support/raw_client.ts";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { until } from "../support/until.ts";

const strict = { sanitizeOps: true, sanitizeResources: true };

/** A pod of one worker, which has just been replaced: its successor loads. */
async function loadingPod(upstreams: string): Promise<RunningPod> {
  const running = await RunningPod.start({ UPSTREAMS: upstreams, WORKERS: "1" });
  running.break(0, "throws");
  await until("it is replaced", () => running.restarts(0) === 1 && running.pod.supervisor.handles[0]!.alive);
  assert(!running.pod.supervisor.handles[0]!.started);
  return running;
}

Deno.test("a configuration that comes while a worker loads is the one it serves", strict, async () => {
  await using before = await startOrigin(reply(200, { body: "before" }));
  await using after = await startOrigin(reply(200, { body: "after" }));
  await using running = await loadingPod(before.url);
  const { pod } = running;
  const whole = await loaded({ env: { UPSTREAMS: after.url, WORKERS: "1" } });
  await pod.reload({ ...whole, config: { ...whole.config, listen: pod.config.listen } });
  assert(!pod.supervisor.handles[0]!.started, "it is told while the worker loads");

  await running.allServe();
  await until("it has applied what holds", () => pod.supervisor.appliedVersion() === pod.publisher.version);
  assertEquals((await ask(running.url)).text, "after");
});

Deno.test("a worker that loads while its pod leaves asks its clients to leave, too", strict, async () => {
  await using origin = await startOrigin(reply(200));
  await using running = await loadingPod(origin.url);
  running.pod.leave(600_000);
  await running.allServe();
  await using client = await RawClient.connect(running.url);
  await client.send(requestText("GET", "/"));
  assertEquals((await client.response()).header("connection"), "close");
});

Deno.test("a pod that leaves while a worker loads does not wait for it", strict, async () => {
  await using origin = await startOrigin();
  await using running = await loadingPod(origin.url);
  running.pod.leave(0);
  assertEquals(await running.pod.drain(), 0);
});
