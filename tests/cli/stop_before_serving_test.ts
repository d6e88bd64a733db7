// A pod that is told to stop while none of its workers has accepted a connection yet.

import { assertEquals } from "@std/assert";
import { run } from "../../src/cli/run.ts";

/** A worker that loads for ever, and says that it does. */
function loadingWorker(channel: string): URL {
  const module = `new BroadcastChannel("${channel}").postMessage("loads"); await new Promise(() => {});`;
  return new URL(`data:application/javascript,${encodeURIComponent(module)}`);
}

Deno.test("a pod that serves nobody yet waits out no drain delay", async () => {
  const channel = new BroadcastChannel(`weir-test-${crypto.randomUUID()}`);
  const loads = new Promise((resolve) => channel.onmessage = resolve);
  const stop = Promise.withResolvers<(hurry: boolean) => void>();
  const running = run({
    args: [],
    env: {
      UPSTREAMS: "http://127.0.0.1:9",
      HOST: "127.0.0.1",
      PORT: "0",
      ADMIN_HOST: "127.0.0.1",
      ADMIN_PORT: "0",
      WORKERS: "1",
      DRAIN_DELAY_MS: "600000",
    },
    signals: { onStop: stop.resolve, onReload: () => {} },
    sampleOrigins: false,
    workerModule: loadingWorker(channel.name),
  });
  await loads;
  (await stop.promise)(false);
  assertEquals(await running, 0);
  channel.close();
});
