import { assertEquals } from "@std/assert";
import { ServeSocket, upgradeRequest } from "../../src/listener/serve_websocket.ts";
import { MESSAGE_BYTES } from "../../src/listener/unsent_messages.ts";
import { objectsInHeap } from "../support/heap.ts";
import { RawClient } from "../support/raw_client.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { open } from "../support/websocket.ts";

const CLIENTS = 10;

Deno.test("nothing is kept of a WebSocket whose client broke off, though Deno keeps its socket", async () => {
  let closed = Promise.withResolvers<number | null>();
  const { wheel } = new StillTime();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const events = { onMessage: () => {}, onClosed: (code: number | null) => closed.resolve(code) };
    return upgradeRequest(request, [], null, events, wheel).response;
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

/** Deno's side of a WebSocket, that does what the test says. */
class DenoSocket {
  readyState: number = WebSocket.CONNECTING;
  bufferedAmount = 0;
  readonly said: unknown[] = [];
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  opens(): void {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }

  closes(code: number): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.({ code, reason: "" });
  }

  send(data: string): void {
    // As Deno does before it stands.
    if (this.readyState === WebSocket.CONNECTING) throw new Error("InvalidStateError");
    this.said.push(data);
    this.bufferedAmount += data.length;
  }

  close(code?: number): void {
    this.readyState = WebSocket.CLOSING;
    this.said.push(code);
  }
}

/** A WebSocket on a clock that only the test moves. */
function stage() {
  const time = new StillTime();
  const deno = new DenoSocket();
  const heard: unknown[] = [];
  const events = { onMessage: () => {}, onClosed: (code: number | null) => heard.push(["closed", code]) };
  const socket = new ServeSocket(deno as unknown as WebSocket, events, time.wheel);
  socket.opened.then((stands) => heard.push(stands ? "stands" : "never stood"));
  socket.over.then(() => heard.push("over"));
  return { deno, heard, socket, time };
}

Deno.test("a client that does not take its 101 for ten seconds has left, and is closed if it takes it yet", async () => {
  const { deno, heard, time } = stage();
  await time.pass(9_990);
  assertEquals(heard, []);
  await time.pass(20);
  assertEquals(heard, ["never stood", "over"]);
  deno.opens();
  assertEquals(deno.said, [1001]);
});

Deno.test("a client that leaves before its WebSocket stands has left at once", async () => {
  const { deno, heard } = stage();
  deno.closes(1006);
  await settled();
  assertEquals(heard, [["closed", 1006], "never stood", "over"]);
});

Deno.test("small messages that a client does not take count for what they cost, and for nothing once it has", async () => {
  const { deno, socket } = stage();
  deno.opens();
  await settled();
  for (let i = 0; i < 1_000; i++) socket.send("x");
  assertEquals(socket.unsentBytes, 1_000 + 1_000 * MESSAGE_BYTES);
  deno.bufferedAmount = 0;
  assertEquals(socket.unsentBytes, 0);
});

Deno.test("a client that answers no close is waited for two seconds, however often it is told", async () => {
  const { deno, heard, socket, time } = stage();
  deno.opens();
  socket.send("message");
  socket.close(1000, "");
  await time.pass(1_000);
  socket.close(1001, "");
  await time.pass(990);
  assertEquals(heard, ["stands"]);
  await time.pass(20);
  assertEquals([heard, deno.said], [["stands", "over"], ["message", 1000, 1001]]);
});

Deno.test("a WebSocket that has closed leaves no timer behind", async () => {
  const { deno, heard, socket, time } = stage();
  deno.opens();
  await settled();
  socket.close(null, "");
  deno.closes(1005);
  await time.pass(10);
  assertEquals([heard, time.ticking], [["stands", ["closed", 1005], "over"], false]);
  socket.close(1000, "");
  assertEquals(deno.said, [undefined]);
});
