// Two workers are two sockets on one port, and both serve; out of file descriptors, what stands is served on.

import { assert, assertEquals } from "@std/assert";
import { clientsOfBothWorkers } from "../support/both_workers.ts";
import { ask, RawClient, requestText } from "../support/raw_client.ts";
import { reply, startOrigin } from "../support/raw_origin.ts";
import { until } from "../support/until.ts";
import { startWeir } from "../support/weir.ts";

const FILES_MAX = 96;

Deno.test("two workers are two listening sockets on the port, and both serve", async () => {
  await using stack = new AsyncDisposableStack();
  const origin = stack.use(await startOrigin(reply(200)));
  const weir = stack.use(await startWeir({ workers: 2, upstreams: origin.url }));
  assertEquals(await listeningSockets(Number(new URL(weir.url).port)), 2);
  const clients = await clientsOfBothWorkers(weir.url, origin, stack);
  assertEquals(new Set(clients.values()).size, 2);
});

Deno.test("out of file descriptors: connections that stand are served, later ones as soon as there is room", async () => {
  await using stack = new AsyncDisposableStack();
  const origin = stack.use(await startOrigin(reply(200, { body: "fine" })));
  const weir = stack.use(await startWeir({ workers: 2, upstreams: origin.url, filesMax: FILES_MAX }));
  const standing = stack.use(await RawClient.connect(weir.url));
  const askAgain = async () => {
    await standing.send(requestText("GET", "/"));
    return (await standing.response()).text;
  };
  assertEquals(await askAgain(), "fine");

  const crowd: RawClient[] = [];
  await until("it is out of file descriptors", async () => {
    // With the accept loops of both workers ended, nobody listens for a moment.
    const client = await RawClient.connect(weir.url).catch(() => null);
    if (client !== null) crowd.push(stack.use(client));
    return weir.stdout.some((line) => line.includes("does not accept connections"));
  });
  assertEquals(await askAgain(), "fine");
  await Promise.all(crowd.map((client) => client.reset()));

  await until("both workers accept again", async () => {
    const { probes } = JSON.parse(await weir.admin("/status").catch(() => '{"probes":{}}'));
    return probes.ready === true && probes.reasons.length === 0;
  });
  assert(await weir.metric("weir_relistens_total") >= 1);
  for (let n = 0; n < 8; n++) assertEquals((await ask(weir.url)).text, "fine");
  assertEquals([await askAgain(), weir.ended], ["fine", false]);
});

/** TCP sockets of this machine that listen on a port of 127.0.0.1. */
async function listeningSockets(port: number): Promise<number> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = (await Deno.readTextFile("/proc/net/tcp")).split("\n").map((line) =>
    line.trim().split(/\s+/)
  );
  // State 0A is LISTEN.
  return lines.filter(([, address, , state]) => address === local && state === "0A").length;
}
