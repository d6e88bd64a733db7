// WebSockets as applications use them: the `ws` package on both sides, and Deno's own client.

import { assertEquals } from "@std/assert";
import type { RawData, WebSocket as WsClient } from "ws";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";
import { connectWs } from "../support/ws_client.ts";
import { startWsOrigin } from "../support/ws_server.ts";

const CONNECTIONS = 1_000;
const AT_ONCE = 100;
const MEGABYTE = 1_048_576;

function nextMessage(client: WsClient): Promise<{ data: RawData; binary: boolean }> {
  return new Promise((resolve) => client.once("message", (data, binary) => resolve({ data, binary })));
}

function closed(client: WsClient): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) =>
    client.once("close", (code, reason) => resolve({ code, reason: String(reason) }))
  );
}

scenario("the ws package gets messages of 1 MB back, text and binary", async (props) => {
  await using origin = await startWsOrigin();
  const weir = await props.loop({ upstreams: origin.url });
  const client = await connectWs(weir.url);
  assertEquals(client.extensions, "");
  const text = "wéir ".repeat(MEGABYTE / 6);
  for (let i = 0; i < 5; i++) {
    client.send(text);
    const echo = await nextMessage(client);
    assertEquals([String(echo.data) === text, echo.binary], [true, false]);
    const bytes = new Uint8Array(MEGABYTE).fill(i);
    client.send(bytes);
    const back = await nextMessage(client);
    assertEquals(new Uint8Array(back.data as Uint8Array<ArrayBuffer>), bytes);
    assertEquals(back.binary, true);
  }
  const over = closed(client);
  client.close(1000, "done");
  assertEquals(await over, { code: 1000, reason: "done" });
  await until("the origin heard it", () => origin.closes.length === 1);
  assertEquals(origin.closes[0], { code: 1000, reason: "done" });
});

scenario("the ws package gets the subprotocol that its origin chose", async (props) => {
  await using origin = await startWsOrigin();
  const weir = await props.loop({ upstreams: origin.url });
  const client = await connectWs(weir.url, { protocols: ["graphql-ws", "graphql-transport-ws"] });
  assertEquals(client.protocol, "graphql-transport-ws");
  const over = closed(client);
  client.close();
  await over;
});

scenario("close codes of the ws package reach its origin", async (props) => {
  await using origin = await startWsOrigin();
  const weir = await props.loop({ upstreams: origin.url });
  const codes = [1000, 1001, 3000];
  for (const [i, code] of codes.entries()) {
    const client = await connectWs(weir.url);
    const over = closed(client);
    client.close(code, `code ${code}`);
    assertEquals((await over).code, code);
    await until("the origin heard it", () => origin.closes.length === i + 1);
    assertEquals(origin.closes[i], { code, reason: `code ${code}` });
  }
});

scenario("1,000 WebSockets stand at once, and each has its own messages", async (props) => {
  await using origin = await startWsOrigin();
  const weir = await props.loop({ upstreams: origin.url, config: { accessLog: "off" } });
  const clients: WsClient[] = [];
  while (clients.length < CONNECTIONS) {
    clients.push(...await Promise.all(Array.from({ length: AT_ONCE }, () => connectWs(weir.url))));
  }
  assertEquals(origin.open, CONNECTIONS);
  assertEquals(weir.board.podInFlight(), CONNECTIONS);
  const echoes = clients.map(nextMessage);
  clients.forEach((client, i) => client.send(`message of ${i}`));
  const heard = (await Promise.all(echoes)).map(({ data }) => String(data));
  assertEquals(heard, clients.map((_, i) => `message of ${i}`));
  const over = clients.map(closed);
  for (const client of clients) client.close(1000);
  assertEquals(new Set((await Promise.all(over)).map(({ code }) => code)), new Set([1000]));
});

scenario("Deno's own WebSocket client talks through Weir", async (props) => {
  await using origin = await startWsOrigin();
  const weir = await props.loop({ upstreams: origin.url });
  const client = new WebSocket(weir.url.replace("http", "ws"), ["a"]);
  await new Promise((resolve) => client.onopen = resolve);
  assertEquals(client.protocol, "a");
  const echo = new Promise<unknown>((resolve) => client.onmessage = ({ data }) => resolve(data));
  client.send("hello");
  assertEquals(await echo, "hello");
  const over = new Promise<CloseEvent>((resolve) => client.onclose = resolve);
  client.close(3001, "enough");
  assertEquals((await over).code, 3001);
});
