// A WebSocket through Weir, frame by frame: messages cross as they are, and both sides learn how it ended.

import { assert, assertEquals } from "@std/assert";
import { WorkerField } from "../../src/board/fields.ts";
import { ColumnCell } from "../../src/board/layout.ts";
import { Opcode, writeFrame } from "../../src/http1/frames.ts";
import { ask } from "../support/raw_client.ts";
import { concat } from "../support/raw_http.ts";
import { hang, reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { echo, handshake, open, webSocket } from "../support/websocket.ts";

const COLUMN = 1;

scenario("messages cross both ways as they are, text and binary, whole or in fragments", async (props) => {
  const origin = await props.origin(echo);
  const weir = await props.loop({ upstreams: origin.url });
  const peer = await open(await props.client(weir));
  const large = crypto.getRandomValues(new Uint8Array(65_536));
  for (const message of ["", "a", "\ufeffé€😀", "x".repeat(70_000), new Uint8Array(), large]) {
    await peer.send(message);
    assertEquals(await peer.message(), message);
  }
  await peer.frame(Opcode.text, "in ", false);
  await peer.frame(Opcode.ping, "between");
  await peer.frame(Opcode.continuation, "pieces");
  assertEquals((await peer.next())?.kind, "pong");
  assertEquals(await peer.message(), "in pieces");
});

scenario("a WebSocket stands beyond requestMs and attemptMs, which are for its handshake", async (props) => {
  const origin = await props.origin([echo, hang(), hang()]);
  const timeouts = { requestMs: 300, attemptMs: 200 };
  const weir = await props.loop({
    config: { upstreams: { default: { endpoints: [origin.url], timeouts, retry: { attemptsMax: 1 } } } },
  });
  const peer = await open(await props.client(weir));
  await peer.send("early");
  assertEquals(await peer.message(), "early");
  // Together these take longer than either time, and began later.
  for (let asked = 0; asked < 2; asked++) assertEquals((await ask(weir.url)).status, 504);
  await peer.send("late");
  assertEquals(await peer.message(), "late");
});

scenario("close codes and reasons cross from the client to the origin", async (props) => {
  const heard: unknown[] = [];
  const origin = await props.origin(webSocket(async (peer) => {
    const next = await peer.next();
    if (next?.kind === "close") await peer.close(next.words.code);
    heard.push(next === null ? "broken" : next.kind === "close" ? next.words : next);
  }));
  const weir = await props.loop({ upstreams: origin.url });
  for (const [i, code] of [1000, 1001, 3000, 4999, null].entries()) {
    const peer = await open(await props.client(weir));
    await peer.close(code, "because");
    assertEquals(await peer.closed(), code);
    await until("the origin heard it", () => heard.length === i + 1);
    assertEquals(heard[i], { code, reason: code === null ? "" : "because" });
  }
});

scenario("close codes and reasons cross from the origin to the client", async (props) => {
  const codes = [1000, 1001, 1008, 1011, 1012, 3000, null];
  let n = 0;
  const echoed: unknown[] = [];
  const origin = await props.origin(webSocket(async (peer) => {
    await peer.send("last words");
    await peer.close(codes[n++]!, "because");
    echoed.push(await peer.closed());
  }));
  const weir = await props.loop({ upstreams: origin.url });
  for (const code of codes) {
    const peer = await open(await props.client(weir));
    assertEquals(await peer.message(), "last words");
    assertEquals(await peer.next(), {
      kind: "close",
      words: { code, reason: code === null ? "" : "because" },
    });
    await peer.close(code);
  }
  await until("all are answered", () => echoed.length === codes.length);
  assertEquals(echoed, codes);
});

scenario("a client that breaks off is no close for the origin, and frees it at once", async (props) => {
  for (const leave of ["reset", "close", "halfClose"] as const) {
    const heard = Promise.withResolvers<unknown>();
    const origin = await props.origin(webSocket(async (peer) => heard.resolve(await peer.closed())));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await open(client);
    await client[leave]();
    assertEquals(await heard.promise, "broken");
  }
});

scenario("what a client says in its last moment reaches the origin whole", async (props) => {
  const count = 2_000;
  const message = writeFrame(Opcode.binary, new Uint8Array(100), new Uint8Array(4));
  for (const leave of ["close", "halfClose"] as const) {
    const heard = Promise.withResolvers<unknown>();
    const origin = await props.origin(webSocket(async (peer) => {
      let messages = 0;
      for (let next = await peer.next(); next !== null; next = await peer.next()) messages++;
      heard.resolve(messages);
    }));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await open(client);
    await client.send(concat(Array.from({ length: count }, () => message)));
    await client[leave]();
    assertEquals(await heard.promise, count);
  }
});

scenario("a client that reads slowly holds the origin back and loses nothing", async (props) => {
  const count = 60;
  const origin = await props.origin(webSocket(async (peer) => {
    for (let i = 0; i < count; i++) await peer.send(new Uint8Array(500_000).fill(i));
    await peer.close(1000);
    await peer.closed();
  }));
  const limits = { webSocketBufferedBytesMax: 1_000_000 };
  const weir = await props.loop({ config: { upstreams: { default: { endpoints: [origin.url] } }, limits } });
  const peer = await open(await props.client(weir));
  for (let i = 0; i < count; i++) {
    const message = await peer.message() as Uint8Array;
    assertEquals([message.length, message[0], message.at(-1)], [500_000, i, i]);
  }
  assertEquals(await peer.closed(), 1000);
});

scenario("an origin's 403 or 302 to a handshake is what the client gets", async (props) => {
  const origin = await props.origin([
    reply(403, { body: "not you", headers: [["X-Why", "token"]] }),
    reply(302, { headers: [["Location", "/login"]] }),
    reply(426, { headers: [["Sec-WebSocket-Version", "8"]] }),
  ]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(handshake());
  const forbidden = await client.response();
  assertEquals([forbidden.status, forbidden.text, forbidden.header("x-why")], [403, "not you", "token"]);
  await client.send(handshake());
  const moved = await client.response();
  assertEquals([moved.status, moved.header("location")], [302, "/login"]);
  await client.send(handshake());
  const other = await client.response();
  assertEquals([other.status, other.header("sec-websocket-version")], [426, "8"]);
});

scenario(
  "a WebSocket through which nothing passes is closed with 1001 after its idle time",
  async (props) => {
    const heard = Promise.withResolvers<unknown>();
    const origin = await props.origin(webSocket(async (peer) => heard.resolve(await peer.closed())));
    const upstreams = { default: { endpoints: [origin.url] } };
    const weir = await props.loop({ config: { upstreams, limits: { webSocketIdleMs: 50 } } });
    const peer = await open(await props.client(weir));
    assertEquals(await peer.closed(), 1001);
    assertEquals(await heard.promise, 1001);
  },
);

scenario(
  "a WebSocket is in flight while it stands, and counted and logged when it is over",
  async (props) => {
    const origin = await props.origin(echo);
    const weir = await props.loop({ upstreams: origin.url });
    const peer = await open(await props.client(weir));
    const standing = () => [
      weir.totals.cellOf(COLUMN, ColumnCell.webSockets),
      weir.board.podInFlight(),
      weir.board.endpointInFlight(0),
    ];
    await until("it stands", () => standing().every((count) => count === 1));
    await peer.send("four");
    assertEquals(await peer.message(), "four");
    await peer.close(3000);
    assertEquals(await peer.closed(), 3000);
    await until("it is logged", () => weir.log.length === 1);
    assertEquals(standing(), [0, 0, 0]);
    assertEquals(weir.totals.worker(WorkerField.webSockets), 1);
    const line = JSON.parse(weir.log[0]!);
    // Of messages where Weir frames them; of frames in a tunnel: heads of 6 or 2 bytes, and 2 bytes of close.
    const bytes = props.listener === "serve" ? [4, 4] : [4 + 2 + 2 * 6, 4 + 2 + 2 * 2];
    assertEquals([line.status, line.bytesIn, line.bytesOut, line.end], [101, ...bytes, "complete"]);
    assertEquals(line.close, { code: 3000, by: "client" });
    assert(line.durationMs > 0);
  },
);
