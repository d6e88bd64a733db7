// With every endpoint at its limit requests wait their turn; what cannot wait is told when to come again.

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { Gate, reply, reset, scene, wait } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, LISTENERS, type Props, scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import type { ListenerName } from "../support/weir.ts";

/** A loop with one endpoint that takes one request at a time, and holds it until the gate opens. */
async function stage(props: Props, limits: Record<string, unknown>) {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200)));
  const loop = await props.loop({
    config: {
      upstreams: {
        default: { endpoints: [origin.url], limits: { inFlightPerEndpointMax: 1, ...limits } },
      },
    },
  });
  const send = async (target: string, text = requestText("GET", target)) => {
    const client = await props.client(loop);
    await client.send(text);
    return client;
  };
  const waiting = (count: number) => until(`${count} wait`, () => loop.board.upstreamWaiting(0) === count);
  return { gate, origin, loop, send, waiting };
}

scenario("requests wait for a place, and the first to come is the first to go", async (props) => {
  const { gate, origin, loop, send, waiting } = await stage(props, {});
  const clients = [];
  for (const target of ["/1", "/2", "/3"]) {
    clients.push(await send(target));
    await (clients.length === 1 ? origin.request(1) : waiting(clients.length - 1));
  }
  assertEquals(origin.requests.length, 1);
  gate.open();
  for (const client of clients) assertEquals((await client.response()).status, 200);
  assertEquals(origin.requests.map(({ target }) => target), ["/1", "/2", "/3"]);
  assertEquals(loop.upstreamTotal("queued"), 2);
});

scenario("a request that finds the queue full is answered 503 with Retry-After", async (props) => {
  const { gate, origin, loop, send, waiting } = await stage(props, { queueMax: 1 });
  const first = await send("/1");
  await origin.request(1);
  const second = await send("/2");
  await waiting(1);
  const answer = await (await send("/3")).response();
  assertEquals([answer.status, answer.header("retry-after")], [503, "1"]);
  assertEquals(answer.header("proxy-status"), "weir; error=connection_limit_reached");
  gate.open();
  assertEquals([(await first.response()).status, (await second.response()).status], [200, 200]);
  assertEquals([loop.upstreamTotal("queueFull"), loop.upstreamTotal("queued")], [1, 1]);
});

scenario("a request that waited too long is answered 503, and never sent", async (props) => {
  const { gate, origin, loop, send } = await stage(props, { queueTimeoutMs: 100 });
  const first = await send("/1");
  await origin.request(1);
  const answer = await (await send("/2")).response();
  assertEquals([answer.status, answer.header("retry-after")], [503, "1"]);
  gate.open();
  assertEquals((await first.response()).status, 200);
  assertEquals([origin.requests.length, loop.upstreamTotal("queueTimeouts")], [1, 1]);
});

const coming = requestText("POST", "/2", [["Content-Length", "4"]]);
const waiters: Record<string, readonly [listeners: readonly ListenerName[], text: string, rest?: string]> = {
  "no body": [LISTENERS, requestText("GET", "/2")],
  "its body": [LISTENERS, requestText("POST", "/2", [], "body")],
  // Deno tells nobody of a client that leaves after an upload in several pieces.
  "a body that comes later": [ALL_BUT_SERVE, coming, "body"],
  "half a body": [ALL_BUT_SERVE, `${coming}bo`],
};

for (const [what, [listeners, text, rest]] of Object.entries(waiters)) {
  scenario(
    `a client that leaves while its request with ${what} waits takes it out of the queue`,
    async (props) => {
      for (const leave of ["close", "reset"] as const) {
        const { gate, origin, send, waiting } = await stage(props, { queueTimeoutMs: 60_000 });
        const first = await send("/1");
        await origin.request(1);
        const second = await send("/2", text);
        await waiting(1);
        if (rest !== undefined) await second.send(rest);
        await second[leave]();
        await waiting(0);
        gate.open();
        assertEquals([(await first.response()).status, origin.requests.length], [200, 1]);
      }
    },
    { listeners },
  );
}

scenario(
  "a retry that a backup alone is left for does not wait behind requests that wait for others",
  async (props) => {
    const [failing, serving] = [new Gate(), new Gate()];
    const origin = await props.origin([
      scene(wait(failing), reset()),
      scene(wait(serving), reply(200)),
      reply(200),
    ]);
    const backup = await props.origin(reply(203));
    const endpoints = [origin.url, { url: backup.url, backup: true }];
    const loop = await props.loop({
      config: { upstreams: { default: { endpoints, limits: { inFlightPerEndpointMax: 1 } } } },
    });
    const clients = [];
    for (let count = 0; count < 3; count++) {
      const client = await props.client(loop);
      await client.send(requestText("GET", `/${count}`));
      await (count === 0
        ? origin.request(1)
        : until("it waits", () => loop.board.upstreamWaiting(0) === count));
      clients.push(client);
    }
    failing.open();
    assertEquals((await clients[0]!.response()).status, 203);
    assertEquals(loop.board.upstreamWaiting(0), 1);
    serving.open();
    for (const client of clients.slice(1)) assertEquals((await client.response()).status, 200);
  },
);
