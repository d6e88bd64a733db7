// WebSockets on a listener that frames the messages itself: two handshakes, two connections, limits between.

import { assertEquals, assertNotEquals } from "@std/assert";
import { Opcode } from "../../src/http1/frames.ts";
import { type Header, header, headerAll } from "../support/raw_http.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { echo, open, webSocket } from "../support/websocket.ts";

const FRAMING = { listeners: ["serve"] } as const;

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
  FRAMING,
);

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
}, FRAMING);

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
}, FRAMING);

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
}, FRAMING);

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
}, FRAMING);

scenario("a message that is larger than the buffer passes while nothing else waits", async (props) => {
  const origin = await props.origin(echo);
  const limits = { webSocketMessageBytesMax: 100_000, webSocketBufferedBytesMax: 50_000 };
  const weir = await props.loop({
    config: { upstreams: { default: { endpoints: [origin.url] } }, limits },
  });
  const peer = await open(await props.client(weir));
  await peer.send("x".repeat(100_000));
  assertEquals((await peer.message()).length, 100_000);
}, FRAMING);

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
  FRAMING,
);
