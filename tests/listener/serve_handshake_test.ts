// WebSockets on Deno.serve whose clients leave before they are answered, or that stand when the listener leaves, on
// a clock that stands still: what is told is told because of that, not because time passed.

import { assertEquals } from "@std/assert";
import type { ClientSocket, Exchange } from "../../src/exchange.ts";
import { openListener } from "../../src/listener/listening.ts";
import { listenOptions } from "../support/listen_options.ts";
import { RawClient } from "../support/raw_client.ts";
import { until } from "../support/until.ts";
import { handshake, open } from "../support/websocket.ts";

Deno.test("a client that leaves before its handshake is answered is told of, and gets no WebSocket", async () => {
  const arrived = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<ClientSocket | null>();
  let gone = false;
  const handle = async (exchange: Exchange) => {
    exchange.listener = { clientLeft: () => gone = true };
    arrived.resolve();
    await until("the client's leaving is told", () => gone).catch(asked.reject);
    const events = { onMessage: () => {}, onClosed: () => {} };
    asked.resolve(await exchange.acceptWebSocket!([], null, events));
  };
  const listener = openListener(listenOptions("serve", { handle }));
  await using client = await RawClient.connect(`http://127.0.0.1:${listener.port}`);
  await client.send(handshake());
  await arrived.promise;
  await client.close();
  assertEquals(await asked.promise, null);
  await listener.drain();
});

Deno.test("drain() waits for a WebSocket that stands, and cuts it neither at once nor later", async () => {
  const stands = Promise.withResolvers<ClientSocket>();
  const over = Promise.withResolvers<void>();
  const handle = async (exchange: Exchange) => {
    const events = { onMessage: () => {}, onClosed: () => over.resolve() };
    stands.resolve((await exchange.acceptWebSocket!([], null, events))!);
    await over.promise;
  };
  const listener = openListener(listenOptions("serve", { handle }));
  await using client = await RawClient.connect(`http://127.0.0.1:${listener.port}`);
  const peer = await open(client);
  const socket = await stands.promise;
  let drained = false;
  const drain = listener.drain().then(() => drained = true);
  for (const message of ["one", "more"]) {
    socket.send(message);
    assertEquals(await peer.message(), message);
  }
  assertEquals(drained, false);
  await peer.close(1000);
  assertEquals(await peer.closed(), 1000);
  await client.close();
  await drain;
});
