// An upgrade to something that Weir does not speak: the bytes pass, and so does every way to end.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromLatin1 } from "../support/raw_http.ts";
import { hang, reply } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";
import { askFor, switchTo } from "../support/tunnel.ts";
import { until } from "../support/until.ts";

const TUNNELS = { listeners: ALL_BUT_SERVE };

function allowing(origin: { url: string }, upgrade: readonly string[], more: Record<string, unknown> = {}) {
  const routes = [{ match: { path: "/*" }, upstream: "default", upgrade, ...more }];
  return { upstreams: { default: { endpoints: [origin.url] } }, routes };
}

scenario(
  "a protocol that the route allows gets the connection, and each side half-closes it",
  async (props) => {
    const heard: (string | null)[] = [];
    const origin = await props.origin(switchTo("chess/2", async ({ some, send, closeWrite }) => {
      await send("\x00hello\xff");
      heard.push(await some());
      await closeWrite();
      for (let next = await some(); next !== null; next = await some()) heard.push(next);
      heard.push(null);
    }, "X-Board: 8\r\n"));
    const weir = await props.loop({ config: allowing(origin, ["chess/2"]) });
    const client = await props.client(weir);
    await client.send(askFor("Chess/2, go/1"));
    const answer = await client.response();
    assertEquals([answer.status, answer.header("upgrade"), answer.header("x-board")], [101, "chess/2", "8"]);
    assertEquals((await origin.request(1)).header("upgrade"), "Chess/2", "go/1 is not allowed");
    assertEquals(fromLatin1(await client.read(7)), "\x00hello\xff");
    await client.send("e4");
    await until("the origin read it", () => heard.length === 1);
    assertEquals(await client.untilClosed(), "", "the origin has closed its side");
    await client.send("still here");
    await client.halfClose();
    await until("the origin read to the end", () => heard.at(-1) === null);
    assertEquals(heard.filter((text) => text !== null).join("|"), "e4|still here");
    await until("it is logged", () => weir.log.length === 1);
    const line = JSON.parse(weir.log[0]!);
    assertEquals([line.status, line.bytesIn, line.bytesOut, line.end], [101, 12, 7, "complete"]);
    assertEquals([line.close, line.cause], [undefined, undefined]);
  },
  TUNNELS,
);

scenario("a tunnel through which nothing passes is closed after its idle time", async (props) => {
  const origin = await props.origin(switchTo("chess/2", async ({ some }) => await some()));
  const weir = await props.loop({ config: allowing(origin, ["chess/2"], { idleTunnelMs: 50 }) });
  const client = await props.client(weir);
  await client.send(askFor("chess/2"));
  assertEquals((await client.response()).status, 101);
  assertEquals(await client.untilClosed(), "");
  await until("it is logged", () => weir.log.length === 1);
  assertEquals(JSON.parse(weir.log[0]!).cause, "tunnel_idle");
}, TUNNELS);

scenario("a tunnel stands through a drain, and is cut at its deadline", async (props) => {
  const origin = await props.origin(switchTo("chess/2", async ({ send, some }) => {
    for (let next = await some(); next !== null; next = await some()) await send(next);
  }));
  const weir = await props.weir({
    config: { ...allowing(origin, ["chess/2"]), drain: { delayMs: 0, deadlineMs: 3_000 } },
  });
  const client = await props.client(weir);
  await client.send(askFor("chess/2"));
  assertEquals((await client.response()).status, 101);
  weir.signal("SIGTERM");
  await until("it leaves", async () => await weir.status("/readyz") !== 200);
  await client.send("move");
  assertEquals(fromLatin1(await client.read(4)), "move");
  await client.untilClosed();
  assertStringIncludes(await weir.line(/\bcut\b/), "1");
  assertEquals((await weir.exit).code, 0);
}, TUNNELS);

scenario("what a route does not allow is no tunnel", async (props) => {
  const origin = await props.origin(reply(200, { body: "plain" }));
  const config = { ...allowing(origin, ["chess/2", "h2c"]), unknownUpgrade: "refuse" };
  const client = await props.client(await props.loop({ config }));
  // Requests in a tunnel of HTTP/2 would pass Weir unseen.
  for (const protocol of ["go/1", "h2c"]) {
    await client.send(askFor(protocol));
    assertEquals((await client.response()).status, 501, protocol);
  }
  await client.send(askFor("chess/2"));
  assertEquals((await client.response()).text, "plain", "the origin would not");
}, TUNNELS);

const foreign: Record<string, ReturnType<typeof switchTo>> = {
  "another protocol": switchTo("go/1", () => Promise.resolve()),
  "no protocol": switchTo("", () => Promise.resolve()),
};
for (const [what, step] of Object.entries(foreign)) {
  scenario(`a 101 with ${what} is not believed`, async (props) => {
    const origin = await props.origin(step);
    const weir = await props.loop({ config: allowing(origin, ["chess/2", "go/1"]) });
    const client = await props.client(weir);
    await client.send(askFor("chess/2"));
    assertEquals((await client.response()).status, 502);
  }, TUNNELS);
}

for (const leave of ["reset", "close"] as const) {
  scenario(`a client that leaves a tunnel by ${leave} frees its origin`, async (props) => {
    const origin = await props.origin(switchTo("chess/2", async ({ some }) => await some()));
    const weir = await props.loop({ config: allowing(origin, ["chess/2"]) });
    const client = await props.client(weir);
    await client.send(askFor("chess/2"));
    assertEquals((await client.response()).status, 101);
    await client[leave]();
    await (await origin.connection(1)).left;
    await until("it is logged", () => weir.log.length === 1);
    const end = leave === "reset" ? "clientGone" : "complete";
    assertEquals(JSON.parse(weir.log[0]!).end, end);
  }, TUNNELS);
}

scenario("an origin that never answers an upgrade is timed out like any other", async (props) => {
  const origin = await props.origin(hang());
  const upstream = { endpoints: [origin.url], timeouts: { responseHeadMs: 50 } };
  const config = { ...allowing(origin, ["chess/2"]), upstreams: { default: upstream } };
  const client = await props.client(await props.loop({ config }));
  await client.send(askFor("chess/2"));
  assertEquals((await client.response()).status, 504);
}, TUNNELS);
