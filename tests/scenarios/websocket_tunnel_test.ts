// WebSockets on a listener that hands over the client's connection: two sides with one handshake, and Weir
// between their frames only when it leaves.

import { assertEquals } from "@std/assert";
import { Opcode, writeFrame } from "../../src/http1/frames.ts";
import { WebSocket as WsClient } from "ws";
import { header, latin1 } from "../support/raw_http.ts";
import { Gate, replyRaw } from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { handshake, open, webSocket } from "../support/websocket.ts";
import { startWsOrigin } from "../support/ws_server.ts";

const TUNNELS = { listeners: ALL_BUT_SERVE };
const DEFLATE = "permessage-deflate; client_max_window_bits";

scenario(
  "key, offer and extensions of both sides pass as they are, and so do compressed frames",
  async (props) => {
    const compressed = new Uint8Array([0xc1, 3, 1, 2, 3]);
    const headers = [["Sec-WebSocket-Extensions", "permessage-deflate"], ["X-Room", "7"]] as const;
    const origin = await props.origin(webSocket(async (peer) => {
      await peer.raw(compressed);
      await peer.close(1000);
    }, { headers, protocol: "b" }));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    const offer = [["Sec-WebSocket-Extensions", DEFLATE], ["Sec-WebSocket-Protocol", "a, b"]] as const;
    await client.send(handshake("/", offer));
    const { status, headers: answer } = await client.response();
    const request = await origin.request(1);
    assertEquals(request.header("sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==");
    assertEquals(request.header("sec-websocket-extensions"), DEFLATE);
    assertEquals([status, header(answer, "x-room"), header(answer, "sec-websocket-protocol")], [
      101,
      "7",
      "b",
    ]);
    assertEquals(header(answer, "sec-websocket-extensions"), "permessage-deflate");
    assertEquals(await client.read(5), compressed);
  },
  TUNNELS,
);

scenario("the ws package compresses end to end", async (props) => {
  await using origin = await startWsOrigin({ perMessageDeflate: { threshold: 0 } });
  const weir = await props.loop({ upstreams: origin.url });
  const client = new WsClient(weir.url.replace("http", "ws"), { perMessageDeflate: { threshold: 0 } });
  await new Promise((resolve) => client.once("open", resolve));
  assertEquals(client.extensions, "permessage-deflate");
  const text = "wéir ".repeat(100_000);
  const back = new Promise((resolve) => client.once("message", (data) => resolve(String(data) === text)));
  client.send(text);
  assertEquals(await back, true);
  const over = new Promise((resolve) => client.once("close", resolve));
  client.close(1000);
  assertEquals(await over, 1000);
  await until("it is logged", () => weir.log.length === 1);
  const { bytesIn, bytesOut } = JSON.parse(weir.log[0]!);
  assertEquals([bytesIn < 10_000, bytesOut < 10_000], [true, true], `${bytesIn} in, ${bytesOut} out`);
}, TUNNELS);

scenario("Weir's close waits for the end of the frame that is under way", async (props) => {
  const gate = new Gate();
  const heard = Promise.withResolvers<unknown>();
  const whole = writeFrame(Opcode.text, latin1("one and two"), null);
  const origin = await props.origin(webSocket(async (peer) => {
    await peer.raw(whole.subarray(0, 5));
    await gate.pass();
    await peer.raw(whole.subarray(5));
    await peer.send("too late");
    heard.resolve(await peer.closed());
    await peer.close(1001);
  }));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  const peer = await open(client);
  assertEquals(await client.read(5), whole.subarray(0, 5));
  weir.send({ kind: "drain", deadlineMs: 4_000 });
  gate.open();
  assertEquals(await client.read(whole.length - 5), whole.subarray(5));
  assertEquals(await peer.closed(), 1001);
  await peer.close(1001);
  assertEquals(await heard.promise, 1001);
}, TUNNELS);

scenario("an origin that breaks off ends the client's connection without a close frame", async (props) => {
  const origin = await props.origin(webSocket((peer) => peer.send("half a story")));
  const weir = await props.loop({ upstreams: origin.url });
  const peer = await open(await props.client(weir));
  assertEquals(await peer.message(), "half a story");
  assertEquals(await peer.closed(), "broken");
  await until("it is logged", () => weir.log.length === 1);
  const { end, cause } = JSON.parse(weir.log[0]!);
  assertEquals({ end, cause }, { end: "truncated", cause: "connection_terminated" });
}, TUNNELS);

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
const ACCEPT = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const lies: Record<string, string> = {
  "another accept": `${SWITCH}Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n`,
  "no accept": `${SWITCH}\r\n`,
  "an extension nobody offered": `${SWITCH}${ACCEPT}Sec-WebSocket-Extensions: x-brotli\r\n\r\n`,
  "a subprotocol nobody offered": `${SWITCH}${ACCEPT}Sec-WebSocket-Protocol: soap\r\n\r\n`,
};
for (const [what, answer] of Object.entries(lies)) {
  scenario(`a WebSocket 101 with ${what} is not believed`, async (props) => {
    const origin = await props.origin(replyRaw(answer));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(handshake());
    assertEquals((await client.response()).status, 502);
  }, TUNNELS);
}
