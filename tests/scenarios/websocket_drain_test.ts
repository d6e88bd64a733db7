// WebSockets while Weir leaves: they are asked to go one after the other, and nothing waits for those that do
// not listen.

import { assertEquals } from "@std/assert";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { echo, open, type Peer, webSocket } from "../support/websocket.ts";
import { ask } from "../support/raw_client.ts";

scenario("a drain closes WebSockets with 1001 one by one, and serves others meanwhile", async (props) => {
  const heard: unknown[] = [];
  const origin = await props.origin(webSocket(async (peer) => {
    const code = await peer.closed();
    heard.push(code);
    await peer.close(1001);
  }));
  const weir = await props.loop({ upstreams: origin.url, config: { accessLog: "off" } });
  const peers: Peer[] = [];
  for (let i = 0; i < 4; i++) peers.push(await open(await props.client(weir)));
  weir.send({ kind: "drain", deadlineMs: 4_000 });
  assertEquals(await peers[0]!.closed(), 1001);
  await peers[0]!.close(1001);
  assertEquals(heard.length < peers.length, true, "all were closed at once");
  const { status } = await ask(weir.url, { method: "OPTIONS", headers: [["Max-Forwards", "0"]] });
  assertEquals(status, 200);
  for (const peer of peers.slice(1)) {
    assertEquals(await peer.closed(), 1001);
    await peer.close(1001);
  }
  await until("all origins heard it", () => heard.length === peers.length);
  assertEquals(heard, [1001, 1001, 1001, 1001]);
});

scenario("a WebSocket that opens during a drain is closed again", async (props) => {
  const origin = await props.origin(echo);
  const weir = await props.loop({ upstreams: origin.url });
  const first = await open(await props.client(weir));
  const second = await open(await props.client(weir));
  weir.send({ kind: "drain", deadlineMs: 4_000 });
  assertEquals(await first.closed(), 1001);
  await first.close();
  const late = await open(await props.client(weir));
  assertEquals(await late.closed(), 1001);
  await late.close();
  assertEquals(await second.closed(), 1001);
  await second.close();
});
