// A connection of the wire listener on a scripted socket: what comes when, the test decides.

import { assertEquals, assertMatch } from "@std/assert";
import { settled } from "../support/settled.ts";
import { connected, EMPTY, GET, POST, text } from "../support/wire_stage.ts";

/** One with an upload of eight bytes, of which four have come. */
async function halfAnUpload() {
  const { client, connection, exchanges } = connected();
  await client.says("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8\r\n\r\nhalf");
  const exchange = exchanges[0]!;
  return { client, connection, body: exchange.body!, exchange };
}

Deno.test("an early answer passes over nothing of an upload that is still being sent on", async () => {
  const { client, connection, body, exchange } = await halfAnUpload();
  assertEquals(text(await body.read()), "half");
  // The sweep watches behind a body of which nobody asks for more at the moment.
  connection.checkDeadlines(0);
  await client.says("rest");
  await exchange.respond(EMPTY, null);
  assertMatch(client.heard, /\r\nConnection: close\r\n/);
  assertEquals([text(await body.read()), await body.read()], ["rest", null]);
});

Deno.test("an answer passes over an upload that was given up and is all here", async () => {
  const { client, connection, body, exchange } = await halfAnUpload();
  connection.checkDeadlines(0);
  await client.says("rest");
  body.cancel();
  await exchange.respond(EMPTY, null);
  assertEquals(client.heard.includes("Connection: close"), false);
});

Deno.test("an answer passes over an upload in chunks that was given up before it was read, and is all here", async () => {
  for (const [upload, passes] of [["4\r\nsome\r\n0\r\n\r\n", true], ["4\r\nsome\r\n", false]] as const) {
    const { client, exchanges, over } = connected();
    await client.says(POST("Transfer-Encoding: chunked") + upload + (passes ? GET : ""));
    exchanges[0]!.body!.cancel();
    await exchanges[0]!.respond(EMPTY, null);
    await over();
    assertEquals([client.heard.includes("Connection: close"), exchanges.length], [!passes, passes ? 2 : 1]);
  }
});

Deno.test("an early answer passes over nothing of an upload in chunks that is still being sent on", async () => {
  const { client, exchanges } = connected();
  await client.says(POST("Transfer-Encoding: chunked") + "4\r\nsome\r\n0\r\n\r\n");
  const { body } = exchanges[0]!;
  await exchanges[0]!.respond(EMPTY, null);
  assertMatch(client.heard, /\r\nConnection: close\r\n/);
  assertEquals([text(await body!.read()), await body!.read()], ["some", null]);
});

Deno.test("beside the last request that a client announces nothing is read, until it has taken a while", async () => {
  for (const [last, readsAtOnce] of [["", 2], ["Connection: close\r\n", 1]] as const) {
    const { client, connection } = connected();
    await client.says(`GET / HTTP/1.1\r\nHost: a.test\r\n${last}\r\n`);
    assertEquals(client.reads, readsAtOnce);
    for (let sweep = 0; sweep < 2; sweep++) connection.checkDeadlines(0);
    assertEquals(client.reads, 2);
  }
});

Deno.test("behind its last answer a connection closes at once, but not while the rest of a refused request may come", async () => {
  for (
    const [lines, closes] of [["Host: a.test\r\nConnection: close", true], ["Host: a b", false]] as const
  ) {
    const { client, exchanges, over } = connected();
    await client.says(`GET / HTTP/1.1\r\n${lines}\r\n\r\n`);
    await exchanges[0]!.respond(EMPTY, null);
    over();
    await settled();
    assertMatch(client.heard, /\r\nConnection: close\r\n/);
    assertEquals(client.closed, closes);
  }
});

Deno.test("a request of HTTP/1.0 without Host is for the address that its client has reached", async () => {
  for (
    const [reached, authority] of [
      ["192.0.2.9", "192.0.2.9:3000"],
      ["2001:db8::9", "[2001:db8::9]:3000"],
      ["::ffff:192.0.2.9", "192.0.2.9:3000"],
    ] as const
  ) {
    const { client, exchanges } = connected(reached);
    await client.says("GET / HTTP/1.0\r\n\r\n");
    assertEquals(exchanges[0]!.head.authority, authority);
  }
});
