// A worker that breaks takes its own connections with it and nothing else, and its place is filled again.

import { assert, assertEquals } from "@std/assert";
import { clientsOfBothWorkers } from "../support/both_workers.ts";
import { RunningPod } from "../support/pod.ts";
import { ask } from "../support/raw_client.ts";
import { Gate, head, reply, replyRaw, scene, startOrigin, wait } from "../support/raw_origin.ts";
import { until } from "../support/until.ts";

const SAID = {
  "throws": "threw: Uncaught Error: broken on purpose",
  "closes itself": "ended without a word",
};

for (const fault of ["throws", "closes itself"] as const) {
  Deno.test({
    name: `a worker that ${fault} is replaced, and the clients of the other one notice nothing`,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: () => breakOneOfTwo(fault),
  });
}

async function breakOneOfTwo(fault: keyof typeof SAID): Promise<void> {
  // Said when it fails: what the pod has seen.
  let events: () => string = () => "the pod did not start";
  try {
    await tell(fault, (pod) => events = () => pod.events.join("\n"));
  } catch (error) {
    throw new Error(events(), { cause: error });
  }
}

async function tell(fault: keyof typeof SAID, onPod: (pod: RunningPod) => void): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const gate = new Gate();
  const half = scene(head(200, [["Content-Length", "8"]]), replyRaw("half"), wait(gate), replyRaw("half"));
  const origin = stack.use(await startOrigin(half));
  const pod = stack.use(await RunningPod.start({ UPSTREAMS: origin.url, WORKERS: "2" }));
  onPod(pod);
  const clients = await clientsOfBothWorkers(pod.url, origin, stack);

  const reads = new Map([...clients].map(([client, worker]) => [client.read(8), worker]));
  pod.break(0, fault);
  // Nothing more comes from the origin, so the first read to end was cut.
  await Promise.race(reads.keys());
  gate.open();
  const ended = new Map<string, Set<string>>();
  for (const [read, worker] of reads) {
    const seen = (await read).length === 8 ? "whole" : "cut";
    ended.set(worker, (ended.get(worker) ?? new Set()).add(seen));
  }
  const outcomes = [...ended.values()].map((seen) => [...seen].join(" and ")).sort();
  assertEquals(outcomes, ["cut", "whole"], pod.events.join("\n"));

  await until("it is replaced", () => pod.restarts(0) === 1);
  await pod.allServe();
  assert(pod.events.some((event) => event.includes(`worker 0 ${SAID[fault]}`)), pod.events.join("\n"));
  assertEquals([pod.restarts(0), pod.restarts(1)], [1, 0], pod.events.join("\n"));
  for (let n = 0; n < 8; n++) assertEquals((await ask(pod.url)).text, "halfhalf");
}

Deno.test("a worker that throws has handed over what it logged", async () => {
  await using origin = await startOrigin(reply(200));
  await using pod = await RunningPod.start({ UPSTREAMS: origin.url, WORKERS: "1", ACCESS_LOG: "json" });
  for (let n = 0; n < 8; n++) assertEquals((await ask(pod.url)).status, 200);
  pod.break(0, "throws");
  await until("it is replaced", () => pod.restarts(0) === 1);
  assertEquals(pod.log.length, 8);
});
