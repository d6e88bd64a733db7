// More clients than the process may have file descriptors: Weir lives, and serves whoever it has room for.

import { assertEquals } from "@std/assert";
import { ColumnCell } from "../../src/board/layout.ts";
import { ask, RawClient, requestText } from "../support/raw_client.ts";
import { afterHead, Gate, readBody, reply, scene, wait } from "../support/raw_origin.ts";
import { type Props, scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import type { RunningWeir, WeirOptions } from "../support/weir.ts";

const FILES_MAX = 128;
const CLIENTS = 200;
/** So many are open at least once it has run out: wire makes room for sixteen at once. */
const FULL = FILES_MAX - 24;

/** More clients than there is room for, those of them that are let in. */
async function crowd({ url }: RunningWeir): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  // Deno.serve stops listening when it runs out: Weir listens again, and until then some are turned away.
  for (let i = 0; i < CLIENTS; i++) await RawClient.connect(url).then((one) => clients.push(one), () => {});
  return clients;
}

/** A Weir that ran out of descriptors while a request of `client` waited for its answer, which comes with `gate`. */
async function runOut(props: Props, options: WeirOptions = {}) {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200, { body: "w".repeat(100_000) })));
  const config = { drain: { delayMs: 0 } };
  const weir = await props.weir({ upstreams: origin.url, filesMax: FILES_MAX, config, ...options });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await origin.request(1);
  const others = await crowd(weir);
  await until("it has run out", async () => await weir.openFiles() >= FULL);
  await Promise.all(others.map((one) => one.reset()));
  return { gate, weir, client };
}

/** Whether no client is let in. */
function isShut({ url }: RunningWeir): Promise<boolean> {
  return RawClient.connect(url).then((one) => one.reset().then(() => false), () => true);
}

scenario("out of descriptors, Weir lives on and serves again as soon as there is room", async (props) => {
  const origin = await props.origin(reply(200, { body: "served" }));
  const weir = await props.weir({ upstreams: origin.url, filesMax: FILES_MAX });
  assertEquals((await ask(weir.url)).text, "served");
  for (let round = 0; round < 2; round++) {
    const clients = await crowd(weir);
    // Who idles the longest makes room; Deno.serve does not know who idles.
    if (props.listener === "wire") assertEquals((await ask(weir.url)).text, "served");
    else await until("it has run out", async () => await weir.openFiles() >= FILES_MAX - 5);
    await Promise.all(clients.map((client) => client.reset()));
    await until("there is room", async () => await weir.openFiles() < FILES_MAX / 2 + 20);
    await until(
      "a new client is served",
      () => ask(weir.url).then(({ text }) => text === "served", () => false),
    );
  }
  await until("operators are served", async () => await weir.status("/readyz") === 200);
  assertEquals(weir.ended, false);
});

scenario("what began before it ran out of descriptors finishes when the pod leaves", async (props) => {
  const { gate, weir, client } = await runOut(props);
  await until("there is room", async () => await weir.openFiles() < FILES_MAX / 2 + 20);
  weir.signal("SIGTERM");
  await until("nobody is let in", () => isShut(weir));
  gate.open();
  const answer = await client.response();
  assertEquals([answer.status, answer.body.length, answer.ended], [200, 100_000, "clean"]);
  await weir.line(/drained: nothing was cut/);
  assertEquals((await weir.exit).code, 0);
});

scenario(
  "what a listener that was lost answers last is written, however soon its worker is ended",
  async (props) => {
    const { gate, weir, client } = await runOut(props, { main: "tests/support/breakable_main.ts" });
    weir.signal("SIGUSR1");
    await until("another one listens", async () => !await isShut(weir));
    weir.signal("SIGTERM");
    await until("nobody is let in", () => isShut(weir));
    gate.open();
    assertEquals((await client.response()).body.length, 100_000);
    assertEquals((await weir.exit).code, 0);
  },
);

scenario("an upload finishes when the pod runs out of descriptors while it leaves", async (props) => {
  const origin = await props.origin(afterHead(readBody(), reply(201, { body: "stored" })));
  const weir = await props.weir({
    upstreams: origin.url,
    filesMax: FILES_MAX,
    config: { drain: { delayMs: 0 } },
  });
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8\r\n\r\nhalf");
  const request = await origin.request(1);
  weir.signal("SIGTERM");
  await until("not ready", async () => await weir.status("/readyz") !== 200);
  const others = await crowd(weir);
  await until("nobody is let in", () => isShut(weir));
  await Promise.all(others.map((one) => one.reset()));
  await client.send("half");
  const answer = await client.response();
  assertEquals([answer.status, answer.text, await request.text()], [201, "stored", "halfhalf"]);
  await weir.line(/drained: nothing was cut/);
  assertEquals((await weir.exit).code, 0);
});

scenario(
  "out of descriptors, a reload is refused and ends nobody; it is made where there is room",
  async (props) => {
    const origin = await props.origin(reply(200, { body: "served" }));
    const weir = await props.weir({ upstreams: origin.url, filesMax: FILES_MAX });
    const others = await crowd(weir);
    await until("few are left", async () => await weir.openFiles() >= FULL);
    weir.signal("SIGHUP");
    await weir.line(/SIGHUP: refused, the old configuration stays: fewer than 32 file descriptors are free/);
    await Promise.all(others.map((one) => one.reset()));
    await until("there is room", async () => await weir.openFiles() < FILES_MAX / 2 + 20);
    weir.signal("SIGHUP");
    await weir.line(/SIGHUP: applied: nothing changed/);
    await until(
      "a new client is served",
      () => ask(weir.url).then(({ text }) => text === "served", () => false),
    );
  },
);

async function statusOf(client: RawClient, target: string): Promise<number> {
  await client.send(requestText("GET", target));
  return (await client.response()).status;
}

const KEPT = 40;
/** Descriptors that the process opens for itself meanwhile, at most. */
const OWN = 8;

scenario("out of descriptors, idle connections make room for those that requests need", async (props) => {
  const gates = { idle: new Gate(), busy: new Gate() };
  const idle = await props.origin(scene(wait(gates.idle), reply(200)));
  const busy = await props.origin(scene(wait(gates.busy), reply(200)));
  const upstreams = {
    idle: { endpoints: [idle.url], pool: { idleMs: 60_000 } },
    busy: { endpoints: [busy.url] },
  };
  const routes = ["idle", "busy"].map((name) => ({ match: { path: `/${name}` }, upstream: name }));
  const weir = await props.weir({ filesMax: FILES_MAX, config: { upstreams, routes } });
  const before = await weir.openFiles();
  const asked = Array.from({ length: KEPT }, () => ask(weir.url, { target: "/idle" }));
  await until("each has a connection", () => idle.requests.length === asked.length);
  gates.idle.open();
  for (const { status } of await Promise.all(asked)) assertEquals(status, 200);
  await until("its client is gone", async () => await weir.openFiles() <= before + asked.length + OWN);
  // Each needs two: its client's, before any request is sent, and its own.
  const files = await weir.openFiles();
  const count = Math.ceil((FILES_MAX - files + asked.length) / 2) - OWN;
  const clients = await Promise.all(Array.from({ length: count }, () => props.client(weir)));
  // Who has an answer was let in: an accept that fails in the middle would end those that idle.
  for (const client of clients) assertEquals(await statusOf(client, "/nowhere"), 404);
  const statuses: number[] = [];
  const answers = clients.map(async (client) => void statuses.push(await statusOf(client, "/busy")));
  const settled = () => busy.requests.length + statuses.length === count;
  await until("each request is with the endpoint, or answered", settled);
  gates.busy.open();
  await Promise.all(answers);
  assertEquals(statuses, Array(count).fill(200));
  await Promise.all(clients.map((client) => client.reset()));
  await until("there is room", async () => await weir.openFiles() < FILES_MAX - OWN);
  const ready = () => weir.status("/readyz").then((status) => status === 200, () => false);
  await until("operators are served", ready);
});

/** While it is `short`, connects to this port fail as where descriptors have run out. */
function failConnects(port: number, short: () => boolean): Disposable {
  const { connect } = Deno;
  Deno.connect = ((options: Deno.ConnectOptions) => {
    if (options.port !== port || !short()) return connect(options);
    return Promise.reject(new Error("Too many open files (os error 24)"));
  }) as typeof Deno.connect;
  return { [Symbol.dispose]: () => void (Deno.connect = connect) };
}

scenario(
  "out of descriptors, a client that idles makes room for a request; serve cannot tell who does",
  async (props) => {
    const origin = await props.origin(reply(200, { body: "served" }));
    const routes = [{ match: { path: "/served" }, upstream: "default" }];
    const loop = await props.loop({ upstreams: origin.url, config: { routes } });
    const [idle, asking] = [await props.client(loop), await props.client(loop)];
    for (const client of [idle, asking]) assertEquals(await statusOf(client, "/nowhere"), 404);
    const wire = props.listener === "wire";
    using _ = failConnects(origin.port, () => !wire || loop.totals.cellOf(1, ColumnCell.connections) === 2);
    assertEquals(await statusOf(asking, "/served"), wire ? 200 : 502);
    assertEquals(await statusOf(asking, "/nowhere"), 404);
    if (wire) assertEquals(await idle.untilClosed(), "");
  },
);
