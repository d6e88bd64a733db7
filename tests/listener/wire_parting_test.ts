// How a connection of the wire listener ends, and when.

import { assertEquals, assertMatch } from "@std/assert";
import { BodyError } from "../../src/exchange.ts";
import { ToldBody } from "../support/told_body.ts";
import { connected, EMPTY, GET, IDLE_BUFFER_BYTES, POST, text } from "../support/wire_stage.ts";

/** Behind its last answer, which an upload has got before its end. */
async function parting(lines = "") {
  const stage = connected();
  await stage.client.says(POST(`Content-Length: 100000${lines}`) + "some");
  assertEquals(text(await stage.exchanges[0]!.body!.read()), "some");
  await stage.exchanges[0]!.respond(EMPTY, null);
  await stage.over();
  return stage;
}

for (const lines of ["", "\r\nConnection: close"]) {
  const when = lines === "" ? "" : ", which it has announced to be its last,";
  Deno.test(`a client that still sends an upload${when} may read its answer meanwhile`, async () => {
    const { client } = await parting(lines);
    assertMatch(client.heard, /\r\nConnection: close\r\n\r\n\(end\)$/);
    for (let i = 0; i < 3; i++) await client.says("x".repeat(IDLE_BUFFER_BYTES));
    assertEquals([client.closed, client.rooms.at(-1)], [false, IDLE_BUFFER_BYTES]);
    await client.ends();
    assertEquals(client.closed, true);
  });
}

Deno.test("a client that does not leave behind its last answer is let go after two seconds", async () => {
  const { client, connection, table } = await parting();
  connection.checkDeadlines(1_990);
  assertEquals(client.closed, false);
  connection.checkDeadlines(2_000 + table.sweepMs);
  assertEquals([client.closed, table.size], [true, 0]);
});

Deno.test("a client that has ended its side is not waited for behind its last answer", async () => {
  const { client, exchanges, over } = connected();
  // The empty line is what some clients send behind an upload (RFC 9112 2.2).
  await client.says(POST("Content-Length: 4\r\nConnection: close") + "some\r\n");
  assertEquals(text(await exchanges[0]!.body!.read()), "some");
  await client.ends();
  await exchanges[0]!.respond(EMPTY, null);
  await over();
  assertEquals(client.closed, true);
});

Deno.test("a client that ends its side behind an answer, as its request ends, is let go", async () => {
  const { client, exchanges, over } = connected();
  await client.says(GET);
  await exchanges[0]!.respond(EMPTY, null);
  await client.ends();
  await over();
  assertEquals([client.closed, exchanges[0]!.clientGone], [true, false]);
});

Deno.test("behind an answer that breaks off nothing is asked any more", async () => {
  for (const [version, ending] of [["1.1", "half(end)"], ["1.0", "half"]] as const) {
    const { client, exchanges, over } = connected();
    await client.says(GET.replace("1.1\r\n", `${version}\r\nConnection: keep-alive\r\n`));
    const body = new ToldBody(8);
    body.tell("half", new BodyError("truncated", ""));
    const { kind } = await exchanges[0]!.respond({ status: 200, reason: "OK", headers: [] }, body);
    // HTTP/1.0 may have no other sign of an answer's end than that of the connection.
    assertEquals([kind, client.closed, exchanges[0]!.clientGone], ["truncated", version === "1.0", false]);
    await over();
    assertEquals(client.heard.substring(client.heard.indexOf("\r\n\r\n") + 4), ending);
    await client.says(GET);
    assertEquals(exchanges.length, 1);
  }
});

Deno.test("a client of HTTP/1.0 gets no interim answers, and keeps a connection whose answers have a length", async () => {
  for (const length of [4, null]) {
    const { client, exchanges, over } = connected();
    await client.says("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    await exchanges[0]!.inform!({ status: 103, reason: "", headers: [] });
    const body = new ToldBody(length);
    body.tell("some", null);
    await exchanges[0]!.respond({ status: 200, reason: "OK", headers: [] }, body);
    await over();
    const said = length === null ? "Connection: close" : "Content-Length: 4\r\nConnection: keep-alive";
    const end = length === null ? "(end)" : "";
    assertEquals(client.heard, `HTTP/1.1 200 OK\r\n${said}\r\n\r\nsome${end}`);
  }
});

Deno.test("an answer may take longer than a head, or than a connection may idle", async () => {
  const { client, connection, exchanges, over, shared } = connected();
  await client.says(GET);
  const { keepAliveIdleMs } = shared.config;
  connection.checkDeadlines(10 * keepAliveIdleMs);
  assertEquals(client.closed, false);
  await exchanges[0]!.respond(EMPTY, null);
  await over();
  connection.checkDeadlines(keepAliveIdleMs);
  assertEquals(client.closed, false);
  connection.checkDeadlines(keepAliveIdleMs + shared.table.sweepMs);
  assertEquals(client.closed, true);
});

Deno.test("a client whose answer began before Weir left may ask once more, for a second", async () => {
  const { client, connection, exchanges, over, shared } = connected();
  await client.says(GET);
  await exchanges[0]!.respond(EMPTY, null);
  shared.draining = true;
  await over();
  connection.checkDeadlines(1_000);
  assertEquals(client.closed, false);
  connection.checkDeadlines(1_000 + shared.table.sweepMs);
  assertEquals(client.closed, true);
});

Deno.test("a request that is being answered goes on while Weir leaves", async () => {
  const { client, connection, shared } = connected();
  await client.says(GET);
  shared.draining = true;
  connection.drain();
  connection.checkDeadlines(10_000);
  assertEquals(client.closed, false);
});

Deno.test("a request without an answer ends its connection, as does an upload that nobody reads to its end", async () => {
  const unanswered = connected();
  await unanswered.client.says(GET);
  await unanswered.over();
  assertEquals(unanswered.client.closed, true);
  for (const framing of ["Content-Length: 8", "Transfer-Encoding: chunked"]) {
    const { client, exchanges } = connected();
    await client.says(POST(framing) + (framing.startsWith("T") ? "8\r\nhalf" : "half"));
    assertEquals(text(await exchanges[0]!.body!.read()), "half");
    exchanges[0]!.body!.cancel();
    await exchanges[0]!.respond(EMPTY, null);
    assertMatch(client.heard, /\r\nConnection: close\r\n/);
  }
});

Deno.test("a client that takes nothing of its answer is as one that has left", async () => {
  const { client, connection, exchanges, shared, table } = connected();
  await client.says(GET);
  client.taking = new Promise(() => {});
  exchanges[0]!.respond(EMPTY, null);
  const { keepAliveIdleMs } = shared.config;
  connection.checkDeadlines(keepAliveIdleMs);
  assertEquals([client.closed, exchanges[0]!.clientGone], [false, false]);
  connection.checkDeadlines(keepAliveIdleMs + table.sweepMs);
  assertEquals([client.closed, exchanges[0]!.clientGone], [true, true]);
});

Deno.test("an answer that says so is its connection's last", async () => {
  for (const [value, last] of [["Close", true], ["keep-alive", false]] as const) {
    const { client, exchanges, over } = connected();
    await client.says(GET);
    await exchanges[0]!.respond({ ...EMPTY, headers: [...EMPTY.headers, "Connection", value] }, null);
    await over();
    const end = last ? "Connection: close\r\n\r\n(end)" : "\r\n";
    assertEquals(client.heard, `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${end}`);
  }
});

Deno.test("that its client has left an exchange tells once, and not once it is answered", async () => {
  for (const [answered, times] of [[false, 1], [true, 0]] as const) {
    const { client, connection, exchanges } = connected();
    await client.says(GET);
    let told = 0;
    exchanges[0]!.listener = { clientLeft: () => told++ };
    if (answered) await exchanges[0]!.respond(EMPTY, null);
    await client.ends();
    connection.close();
    assertEquals([exchanges[0]!.clientGone, told], [!answered, times]);
  }
});
