// A WebSocket through Weir, frame by frame: the handshake reaches the origin as the client made it, messages
// cross as they are, and both sides learn how it ended.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { ColumnCell } from "../../src/board/layout.ts";
import { WorkerField } from "../../src/board/fields.ts";
import { Opcode } from "../../src/http1/frames.ts";
import { type Header, header, headerAll } from "../support/raw_http.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { echo, handshake, open, webSocket } from "../support/websocket.ts";

const COLUMN = 1;

scenario(
  "a WebSocket handshake reaches the origin with path, Host, cookies, Origin and offer",
  async (props) => {
    const origin = await props.origin(webSocket((peer) => peer.closed(), {
      protocol: "chat.v2",
      headers: [["X-Room", "7"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]],
    }));
    const weir = await props.loop({ upstreams: origin.url });
    const headers: readonly Header[] = [
      ["Origin", "https://app.test"],
      ["Cookie", "session=abc"],
      ["Authorization", "Bearer x"],
      ["Sec-WebSocket-Protocol", "chat.v1, chat.v2"],
      ["Sec-WebSocket-Extensions", "permessage-deflate"],
    ];
    const peer = await open(await props.client(weir), "/a/../b//%2e?q=%20", headers);
    const request = await origin.request(1);
    assertEquals(request.head.firstLine, "GET /a/../b//%2e?q=%20 HTTP/1.1");
    assertEquals(request.header("host"), "weir.test");
    for (const [name, value] of headers.slice(0, 4)) assertEquals(request.header(name), value);
    assertEquals(request.headerAll("upgrade"), ["websocket"]);
    assertEquals(request.headerAll("connection"), ["Upgrade"]);
    assertEquals(request.headerAll("sec-websocket-version"), ["13"]);
    assertEquals(request.headerAll("sec-websocket-key").length, 1);
    assertNotEquals(request.header("sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==");
    assertEquals(request.header("sec-websocket-extensions"), undefined);
    assertEquals(header(peer.answer, "sec-websocket-protocol"), "chat.v2");
    assertEquals(header(peer.answer, "sec-websocket-extensions"), undefined);
    assertEquals(header(peer.answer, "x-room"), "7");
    assertEquals(headerAll(peer.answer, "set-cookie"), [
      "a=1",
      "b=2",
    ]);
  },
);

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

scenario("each side's pings are answered on its own side", async (props) => {
  const ponged = Promise.withResolvers<unknown>();
  const origin = await props.origin(webSocket(async (peer) => {
    await peer.frame(Opcode.ping, "origin asks");
    ponged.resolve(await peer.next());
    await peer.closed();
  }));
  const weir = await props.loop({ upstreams: origin.url });
  const peer = await open(await props.client(weir));
  const data = (text: string) => new TextEncoder().encode(text);
  assertEquals(await ponged.promise, { kind: "pong", data: data("origin asks") });
  await peer.frame(Opcode.ping, "client asks");
  assertEquals(await peer.next(), { kind: "pong", data: data("client asks") });
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

scenario("an origin that breaks off closes the client with 1011", async (props) => {
  const origin = await props.origin(webSocket((peer) => peer.send("half a story")));
  const weir = await props.loop({ upstreams: origin.url });
  const peer = await open(await props.client(weir));
  assertEquals(await peer.message(), "half a story");
  assertEquals(await peer.closed(), 1011);
  await peer.close(1011);
  await until("it is logged", () => weir.log.length === 1);
  const { end, cause } = JSON.parse(weir.log[0]!);
  assertEquals({ end, cause }, { end: "truncated", cause: "connection_terminated" });
});

scenario("an origin that breaks the protocol hears 1002, its client 1011", async (props) => {
  const heard = Promise.withResolvers<unknown>();
  const origin = await props.origin(webSocket(async (peer) => {
    await peer.raw(new Uint8Array([0xc1, 0]));
    heard.resolve(await peer.closed());
  }));
  const weir = await props.loop({ upstreams: origin.url });
  const peer = await open(await props.client(weir));
  assertEquals(await peer.closed(), 1011);
  assertEquals(await heard.promise, 1002);
});

scenario("a message above the limit closes both sides with 1009, whoever sent it", async (props) => {
  const heard = Promise.withResolvers<unknown>();
  let first = true;
  const origin = await props.origin(webSocket(async (peer) => {
    if (first) {
      first = false;
      return heard.resolve(await peer.closed());
    }
    await peer.send("x".repeat(1_001));
    assertEquals(await peer.closed(), 1009);
  }));
  const config = {
    upstreams: { default: { endpoints: [origin.url] } },
    limits: { webSocketMessageBytesMax: 1_000 },
  };
  const weir = await props.loop({ config });
  const sender = await open(await props.client(weir));
  await sender.send("x".repeat(1_000));
  await sender.send("é".repeat(501));
  assertEquals(await sender.closed(), 1009);
  assertEquals(await heard.promise, 1009);
  const receiver = await open(await props.client(weir));
  assertEquals(await receiver.closed(), 1009);
});

scenario(
  "an origin that does not read closes both sides with 1013 once the buffer is full",
  async (props) => {
    const reading = Promise.withResolvers<void>();
    const heard = Promise.withResolvers<unknown>();
    const origin = await props.origin(webSocket(async (peer) => {
      await reading.promise;
      heard.resolve(await peer.closed());
    }));
    const limits = { webSocketBufferedBytesMax: 1_000_000 };
    const weir = await props.loop({
      config: { upstreams: { default: { endpoints: [origin.url] } }, limits },
    });
    const peer = await open(await props.client(weir));
    let closed = false;
    const closing = peer.closed().then(() => closed = true);
    while (!closed && await peer.send(new Uint8Array(500_000)));
    await closing;
    reading.resolve();
    assertEquals(await heard.promise, 1013);
    await until("it is logged", () => weir.log.length === 1);
    assertEquals(JSON.parse(weir.log[0]!).cause, "websocket_1013");
  },
);

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

scenario("a WebSocket without messages is closed with 1001 after its idle time", async (props) => {
  const heard = Promise.withResolvers<unknown>();
  const origin = await props.origin(webSocket(async (peer) => heard.resolve(await peer.closed())));
  const upstreams = { default: { endpoints: [origin.url] } };
  const weir = await props.loop({ config: { upstreams, limits: { webSocketIdleMs: 50 } } });
  const peer = await open(await props.client(weir));
  assertEquals(await peer.closed(), 1001);
  assertEquals(await heard.promise, 1001);
});

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
    assertEquals(standing(), [1, 1, 1]);
    await peer.send("four");
    assertEquals(await peer.message(), "four");
    await peer.close(3000);
    assertEquals(await peer.closed(), 3000);
    await until("it is logged", () => weir.log.length === 1);
    assertEquals(standing(), [0, 0, 0]);
    assertEquals(weir.totals.worker(WorkerField.webSockets), 1);
    const line = JSON.parse(weir.log[0]!);
    assertEquals([line.status, line.bytesIn, line.bytesOut, line.end], [101, 4, 4, "complete"]);
    assertEquals(line.close, { code: 3000, by: "client" });
    assert(line.durationMs > 0);
  },
);

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
