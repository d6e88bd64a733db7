// socket.io as it is used: a long poll first, then the upgrade to a WebSocket, under one session.

import { assertEquals } from "@std/assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { scenario } from "../support/scenario.ts";

scenario("a socket.io client polls, upgrades to a WebSocket and keeps its session", async (props) => {
  const http = createServer();
  const server = new Server(http);
  // deno-lint-ignore no-explicit-any
  server.on("connection", (socket: any) => {
    socket.on("ask", (text: string, answer: (text: string) => void) => answer(`${text}, answered`));
    socket.on("bytes", (bytes: Uint8Array) => socket.emit("bytes", bytes));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const weir = await props.loop({ upstreams: `http://127.0.0.1:${port}` });

  const client = io(weir.url, { transports: ["polling", "websocket"], reconnection: false });
  await new Promise<void>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("connect_error", reject);
  });
  const { engine } = client.io;
  const first = engine.transport.name;
  if (first === "polling") await new Promise((resolve) => engine.once("upgrade", resolve));
  assertEquals(engine.transport.name, "websocket");
  assertEquals(await client.emitWithAck("ask", "a question"), "a question, answered");
  const back = new Promise<Uint8Array>((resolve) => client.once("bytes", resolve));
  client.emit("bytes", new Uint8Array(100_000).fill(7));
  const bytes = new Uint8Array(await back);
  assertEquals([bytes.length, bytes[0], bytes.at(-1)], [100_000, 7, 7]);

  client.disconnect();
  await server.close();
});
