// A connection while it idles, and as a request takes it.

import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../src/upstream/connection_error.ts";
import { latin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { type Said, toldConnection } from "./told_connection.ts";

const IDLING = [0, false, true];
const GONE = [1, true, false];

const endings: Record<string, Said> = {
  "is closed by its endpoint": null,
  "is reset": new Deno.errors.ConnectionReset(),
  "is spoken to out of turn": "HTTP/1.1 408 Request Timeout\r\n\r\n",
};

for (const [what, said] of Object.entries(endings)) {
  Deno.test(`a connection that ${what} while it idles is closed, and its keeper told once`, async () => {
    const { conn, connection, idle, pass, seen } = toldConnection();
    idle();
    await settled();
    assertEquals(seen(), IDLING);
    await conn.say(said);
    assertEquals(seen(), GONE);
    connection.close();
    await pass(10_000);
    assertEquals(seen(), GONE);
  });
}

Deno.test("a connection idles as long as it may", async () => {
  const { connection, idle, pass, seen } = toldConnection();
  idle();
  assertEquals(connection.idleSince, 1_000);
  await pass(490);
  assertEquals(seen(), IDLING);
  await pass(20);
  assertEquals(seen(), GONE);
  assertEquals(connection.timedOutIn, null, "no wait of a request");
});

Deno.test("a connection that makes room is closed, and its keeper told once", async () => {
  const { connection, idle, seen } = toldConnection();
  idle();
  await connection.giveWay();
  assertEquals(seen(), GONE);
});

Deno.test("what comes to a connection in use is its next head, and no end of its idling", async () => {
  const { conn, connection, idle, pass, seen } = toldConnection();
  idle();
  connection.wake();
  await pass(10_000);
  connection.outlet.post(latin1("a request"));
  const more = connection.moreHead();
  await conn.say("HTTP/1.1 200 OK\r\n\r\n");
  await more;
  assertEquals([connection.takeHead("GET", 4_096)!.status, conn.reads], [200, 1]);
  assertEquals([seen(), connection.answered], [IDLING, true]);
  connection.close();
});

for (const [what, said] of Object.entries(endings)) {
  Deno.test(`a connection that ${what} before any of its request was sent has given no answer`, async () => {
    const { conn, connection, idle, seen } = toldConnection();
    connection.outlet.post(latin1("the request before"));
    await settled();
    idle();
    connection.wake();
    await conn.say(said);
    const error = await assertRejects(() => connection.moreHead(), ConnectionError);
    assertEquals([error.kind, error.phase], [said instanceof Error ? "reset" : "closed", "head"]);
    assertEquals([seen(), connection.answered], [[0, true, false], false]);
  });
}

Deno.test("what had come to a connection when its request was sent is no answer to that, nor to the next", async () => {
  const { conn, connection, idle, seen } = toldConnection();
  idle();
  connection.wake();
  const room = Promise.withResolvers<void>();
  conn.room = room.promise;
  connection.outlet.post(latin1("POST / HTTP/1.1\r\n\r\n"));
  const more = connection.moreHead();
  await conn.say("HTTP/1.1 200 OK\r\n\r\n");
  const error = await assertRejects(() => more, ConnectionError);
  assertEquals([error.kind, error.phase], ["closed", "head"]);
  assertEquals([seen(), connection.answered], [[0, true, false], false]);
  assertEquals(connection.outlet.begun, true, "the endpoint may have got it");
  room.resolve();
});
