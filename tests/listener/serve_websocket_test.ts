import { assertEquals } from "@std/assert";
import { upgradeRequest } from "../../src/listener/serve_websocket.ts";
import { objectsInHeap } from "../support/heap.ts";
import { RawClient } from "../support/raw_client.ts";
import { open } from "../support/websocket.ts";

const CLIENTS = 10;

Deno.test("nothing is kept of a WebSocket whose client broke off, though Deno keeps its socket", async () => {
  let closed = Promise.withResolvers<number | null>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const events = { onMessage: () => {}, onClosed: (code: number | null) => closed.resolve(code) };
    return upgradeRequest(request, [], null, events).response;
  });
  for (let i = 0; i < CLIENTS; i++) {
    closed = Promise.withResolvers();
    const client = await RawClient.connect(`127.0.0.1:${server.addr.port}`);
    await open(client);
    await client.reset();
    assertEquals(await closed.promise, null);
  }
  assertEquals(await objectsInHeap("ServeSocket"), 0);
});
