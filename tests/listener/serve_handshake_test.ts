// Handshakes on Deno.serve whose clients leave before they are answered, on a clock that stands still: what is
// told is told because the client left, not because time passed.

import { assertEquals } from "@std/assert";
import type { ClientSocket, Exchange } from "../../src/exchange.ts";
import { openListener } from "../../src/listener/listening.ts";
import { listenOptions } from "../support/listen_options.ts";
import { RawClient } from "../support/raw_client.ts";
import { until } from "../support/until.ts";
import { handshake } from "../support/websocket.ts";

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
