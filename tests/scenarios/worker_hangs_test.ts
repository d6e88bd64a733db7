// A worker that loops for ever cannot be ended, and keeps its share of new connections: the pod says so, lets
// the clients of the others finish, and exits with code 1 so that whatever started it starts it again.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { clientsOfBothWorkers } from "../support/both_workers.ts";
import { ask, RawClient, requestText } from "../support/raw_client.ts";
import { Gate, head, reply, replyRaw, scene, startOrigin, wait } from "../support/raw_origin.ts";
import { until } from "../support/until.ts";
import { type RunningWeir, startWeir } from "../support/weir.ts";

const main = "tests/support/breakable_main.ts";

Deno.test("a worker hangs: the clients of the other one finish, and the restarted process serves", async () => {
  await using stack = new AsyncDisposableStack();
  const gate = new Gate();
  const half = scene(head(200, [["Content-Length", "8"]]), replyRaw("half"), wait(gate), replyRaw("half"));
  const origin = stack.use(await startOrigin(half));
  const weir = stack.use(
    await startWeir({ main, workers: 2, upstreams: origin.url, env: { DRAIN_DELAY_MS: "0" } }),
  );
  const clients = await clientsOfBothWorkers(weir.url, origin, stack);
  const reads = [...clients].map(async ([client, worker]) =>
    [worker, (await client.read(8)).length] as const
  );

  weir.signal("SIGUSR2");
  assertMatch(await weir.line(/worker 0 hangs/), /with [1-9]\d* requests?:.*exit code 1/);
  assertEquals([await weir.status("/readyz"), await weir.status("/livez")], [503, 200]);
  assertStringIncludes(await weir.admin("/readyz"), "worker 0: hangs");
  assertEquals(await weir.metric("weir_worker_hangs_total", { worker: "0" }), 1);
  assertEquals(JSON.parse(await weir.admin("/status")).verdict.level, "critical");

  gate.open();
  assertEquals((await weir.exit).code, 1);
  const seen = new Map(await Promise.all(reads));
  // Declared were eight bytes: an answer of four shows that it is not whole.
  assertEquals([...seen.values()].sort(), [4, 8]);
  assertMatch(await weir.line(/drained/), /: [1-9]\d* requests? had to be cut, .* with their worker/);
  const again = stack.use(await startWeir({ upstreams: origin.url, env: { PORT: new URL(weir.url).port } }));
  assertEquals((await ask(again.url)).text, "halfhalf");
});

Deno.test("the only worker hangs: the process exits without waiting for anything", async () => {
  await using origin = await startOrigin(reply(200));
  await using weir = await startWeir({ main, upstreams: origin.url, env: { DRAIN_DELAY_MS: "600000" } });
  await hang(weir);
  await until("it ends", () => weir.ended, 30_000);
  assertEquals((await weir.exit).code, 1);
});

Deno.test("a worker hangs and whenWorkerHangs is stay: it is replaced, the probes say what is left, and a drain what was cut", async () => {
  const half = scene(head(200, [["Content-Length", "8"]]), replyRaw("half"), wait(new Gate()));
  await using origin = await startOrigin(half);
  const config = { whenWorkerHangs: "stay", upstreams: { app: { endpoints: [origin.url] } } };
  await using weir = await startWeir({ main, config });
  await hang(weir);
  await until("it is replaced", async () => await weir.status("/readyz") === 200, 30_000);
  assertStringIncludes(
    await weir.admin("/readyz"),
    "hung threads that keep their share of new connections: 1",
  );
  assertEquals(await weir.metric("weir_worker_restarts_total", { worker: "0" }), 1);
  weir.signal("SIGINT");
  assertEquals((await weir.exit).code, 0);
  assertMatch(await weir.line(/drained/), /: 1 request had to be cut, .* with their worker/);
});

Deno.test("a worker hangs while its pod leaves: what it had counts as cut, and the exit code is that of the signal", async () => {
  const half = scene(head(200, [["Content-Length", "8"]]), replyRaw("half"), wait(new Gate()));
  await using origin = await startOrigin(half);
  await using weir = await startWeir({ main, upstreams: origin.url, env: { DRAIN_DELAY_MS: "0" } });
  await using client = await RawClient.connect(weir.url);
  await client.send(requestText("GET", "/"));
  await client.head();
  weir.signal("SIGTERM");
  await weir.line(/leaving/);
  weir.signal("SIGUSR2");
  assertEquals((await weir.exit).code, 0);
  assertMatch(
    await weir.line(/worker 0 hangs/),
    /with 1 request:.*; it is not waited for, as this process leaves"/,
  );
  assertMatch(await weir.line(/drained/), /: 1 request had to be cut, .* with their worker/);
});

/** Makes the first worker loop, with a request at it. */
async function hang(weir: RunningWeir): Promise<void> {
  await using client = await RawClient.connect(weir.url);
  await client.send(requestText("GET", "/"));
  await client.head();
  weir.signal("SIGUSR2");
  await weir.line(/worker 0 hangs/);
}
