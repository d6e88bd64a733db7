// A sticky client whose endpoint is at its limit waits there for a while, and moves when that was in vain.

import { assertEquals } from "@std/assert";
import { EndpointState, Verdicts } from "../../src/board/verdicts.ts";
import { type RawClient, requestText } from "../support/raw_client.ts";
import { Gate, reply, scene, wait } from "../support/raw_origin.ts";
import { type Props, scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

/** A loop with two endpoints that take one request each; the one of the sticky clients holds `/1` until its gate opens. */
async function stage(props: Props, limits = {}, routes: unknown[] = []) {
  const gate = new Gate();
  const home = await props.origin([reply(200), scene(wait(gate), reply(200)), reply(200), reply(200)]);
  const other = await props.origin(reply(200));
  const endpoints = [home.url, other.url];
  const upstream = { endpoints, sticky: {}, limits: { inFlightPerEndpointMax: 1, ...limits } };
  const loop = await props.loop({ config: { upstreams: { default: upstream }, routes } });
  const send = async (target: string, cookie = "none") => {
    const client = await props.client(loop);
    await client.send(requestText("GET", target, [["Cookie", cookie]]));
    return client;
  };
  const login = await (await send("/login")).response();
  const cookie = login.header("set-cookie")!.split(";")[0]!;
  const clients: RawClient[] = [];
  const sendSticky = async (target: string) => void clients.push(await send(target, cookie));
  await sendSticky("/1");
  await home.request(2);
  return {
    gate,
    loop,
    send,
    sendSticky,
    clients,
    waiting: (count: number) => until(`${count} wait`, () => loop.board.upstreamWaiting(0) === count),
    /** What became of each sticky client. */
    async outcomes() {
      const answers = await Promise.all(clients.map((client) => client.response()));
      return answers.map((answer) => `${answer.status} ${answer.header("set-cookie") ? "moved" : "stayed"}`);
    },
    targets: () => [home, other].map(({ requests }) => requests.map(({ target }) => target).join(" ")),
  };
}

scenario(
  "sticky clients wait for their own endpoint in their order, and hold up nobody else",
  async (props) => {
    const { gate, loop, send, sendSticky, waiting, outcomes, targets } = await stage(props);
    for (const count of [1, 2]) {
      await sendSticky(`/${count + 1}`);
      await waiting(count);
    }
    for (const target of ["/a", "/b"]) assertEquals((await (await send(target)).response()).status, 200);
    await waiting(2);
    gate.open();
    assertEquals(await outcomes(), ["200 stayed", "200 stayed", "200 stayed"]);
    assertEquals(targets(), ["/login /1 /2 /3", "/a /b"]);
    assertEquals([loop.upstreamTotal("queued"), loop.upstreamTotal("queueFull")], [2, 0]);
  },
);

scenario("a sticky client that waited too long for its own endpoint moves", async (props) => {
  const { gate, loop, sendSticky, outcomes, targets } = await stage(props, { queueTimeoutMs: 100 });
  await sendSticky("/2");
  await until("it has moved", () => targets()[1] === "/2");
  gate.open();
  assertEquals(await outcomes(), ["200 stayed", "200 moved"]);
  assertEquals([loop.upstreamTotal("queued"), loop.upstreamTotal("queueTimeouts")], [1, 1]);
});

scenario("a sticky client that finds the queue full moves", async (props) => {
  const { gate, loop, sendSticky, waiting, outcomes, targets } = await stage(props, { queueMax: 1 });
  await sendSticky("/2");
  await waiting(1);
  await sendSticky("/3");
  await until("it has moved", () => targets()[1] === "/3");
  gate.open();
  assertEquals(await outcomes(), ["200 stayed", "200 stayed", "200 moved"]);
  assertEquals([loop.upstreamTotal("queued"), loop.upstreamTotal("queueFull")], [1, 0]);
});

scenario(
  "a sticky client whose time is over while it waits is answered 504, and moves nowhere",
  async (props) => {
    const { gate, clients, sendSticky, targets } = await stage(props, {}, [
      { match: { path: "/2" }, upstream: "default", timeouts: { requestMs: 100 } },
      { match: {}, upstream: "default" },
    ]);
    await sendSticky("/2");
    assertEquals([(await clients[1]!.response()).status, targets()[1]], [504, ""]);
    gate.open();
  },
);

scenario("sticky clients move at once when the endpoint that they wait for is ejected", async (props) => {
  const { gate, loop, sendSticky, waiting, outcomes, targets } = await stage(props, {
    queueTimeoutMs: 60_000,
  });
  await sendSticky("/2");
  await waiting(1);
  new Verdicts(loop.board).write(0, 0, EndpointState.ejected, 0);
  await until("it has moved", () => targets()[1] === "/2");
  gate.open();
  assertEquals(await outcomes(), ["200 stayed", "200 moved"]);
});

scenario("a sticky client that leaves while it waits holds up nobody behind it", async (props) => {
  const { gate, clients, sendSticky, waiting, targets } = await stage(props);
  for (const count of [1, 2]) {
    await sendSticky(`/${count + 1}`);
    await waiting(count);
  }
  await clients[1]!.close();
  await waiting(1);
  gate.open();
  assertEquals((await clients[2]!.response()).status, 200);
  assertEquals(targets(), ["/login /1 /3", ""]);
});
