// What a connection of the wire listener reads of its client and when, and how it parts from it.

import { assertEquals, assertMatch } from "@std/assert";
import { type Body, BodyError } from "../../src/exchange.ts";
import { settled } from "../support/settled.ts";
import { ToldBody } from "../support/told_body.ts";
import { connected } from "../support/wire_stage.ts";

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const POST = (lines: string) => `POST / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n\r\n`;
const EMPTY = { status: 200, reason: "OK", headers: ["Content-Length", "0"] };
const IDLE_BUFFER_BYTES = 2_048;

const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);

/** All of it, as it comes. */
async function contentOf(body: Body): Promise<string> {
  let content = "";
  for (let piece; (piece = await body.read()) !== null;) content += text(piece) + "|";
  return content;
}

/** A connection on which a request is being answered, and some of an upload has come behind it. */
async function uploadBehind(...upload: string[]) {
  const stage = connected();
  await stage.client.says(GET + upload[0]);
  for (const piece of upload.slice(1)) await stage.client.says(piece);
  await stage.exchanges[0]!.respond(EMPTY, null);
  await stage.over();
  return { ...stage, body: stage.exchanges[1]!.body! };
}

Deno.test("a chunk line that began behind another request goes on with what is read next", async () => {
  const { client, exchanges, body } = await uploadBehind(POST("Transfer-Encoding: chunked") + "1");
  const content = contentOf(body);
  await client.says("0\r\nsixteen bytes it\r\n3\r\n");
  await client.says("end\r\n0\r\n\r\n" + GET);
  assertEquals(await content, "sixteen bytes it|end|");
  await exchanges[1]!.respond(EMPTY, null);
  assertEquals(client.heard.includes("Connection: close"), false);
});

Deno.test("what comes in one piece with the end of an upload is the next request, whoever reads it", async () => {
  const { client, exchanges, over, body } = await uploadBehind(POST("Content-Length: 8") + "half");
  assertEquals(text(await body.read()), "half");
  const rest = body.read();
  await client.says("rest" + GET.substring(0, 9));
  assertEquals([text(await rest), await body.read()], ["rest", null]);
  await client.says(GET.substring(9));
  await exchanges[1]!.respond(EMPTY, null);
  await over();
  assertEquals(exchanges.map(({ head }) => head.method), ["GET", "POST", "GET"]);
});

Deno.test("nothing is read beside a body that is being read, but behind it a client that leaves is noticed", async () => {
  for (const framing of ["Content-Length: 8", "Transfer-Encoding: chunked"]) {
    const chunked = framing.startsWith("T");
    const { client, connection, exchanges } = connected();
    await client.says(POST(framing) + (chunked ? "8\r\nhalf" : "half"));
    const { body } = exchanges[0]!;
    assertEquals(text(await body!.read()), "half");
    const rest = body!.read();
    for (let sweep = 0; sweep < 2; sweep++) connection.checkDeadlines(0);
    assertEquals(client.reads, 2);
    await client.says("rest" + (chunked ? "\r\n0\r\n\r\n" : ""));
    assertEquals([text(await rest), await body!.read()], ["rest", null]);
    assertEquals(exchanges[0]!.clientGone, false);
    await client.ends();
    assertEquals(exchanges[0]!.clientGone, true);
  }
});

Deno.test("a client that has ended its side waits for what it has asked, and is gone behind the last of it", async () => {
  const { client, exchanges, over } = connected();
  await client.says(GET + GET);
  await client.ends();
  assertEquals(exchanges.map(({ clientGone }) => clientGone), [false]);
  await exchanges[0]!.respond(EMPTY, null);
  await over();
  assertEquals(exchanges.map(({ clientGone }) => clientGone), [false, true]);
});

Deno.test("a client that has ended its side behind chunks is gone when they turn out to be the last it sent", async () => {
  const { client, exchanges, body } = await uploadBehind(
    POST("Transfer-Encoding: chunked") + "4\r\nsome\r\n0\r\n\r\n",
  );
  await client.ends();
  assertEquals(exchanges[1]!.clientGone, false);
  assertEquals(await contentOf(body), "some|");
  assertEquals(exchanges[1]!.clientGone, true);
});

Deno.test("a client that has announced its last request may end its side behind it", async () => {
  const { client, connection, exchanges } = connected();
  await client.says(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  connection.checkDeadlines(0);
  await client.ends();
  assertEquals([client.reads, exchanges[0]!.clientGone], [2, false]);
});

Deno.test("a client that leaves is noticed behind what it has sent meanwhile, and behind what was refused", async () => {
  const refused = GET.replace("\r\n\r\n", `\r\nX-Large: ${"l".repeat(IDLE_BUFFER_BYTES)}`);
  for (const [request, behind] of [[GET, ["GE", "T"]], [refused, []]] as const) {
    const { client, exchanges } = connected("192.0.2.9", { headBytesMax: IDLE_BUFFER_BYTES });
    await client.says(request);
    for (const piece of behind) await client.says(piece);
    assertEquals(exchanges.map(({ clientGone }) => clientGone), [false]);
    client.breaksOff();
    await settled();
    assertEquals([exchanges[0]!.clientGone, client.closed], [true, true]);
  }
});

Deno.test("a large head leaves no large buffer behind", async () => {
  const { client, exchanges, over } = connected();
  const large = GET.replace("\r\n\r\n", `\r\nX-Large: ${"l".repeat(10_000)}\r\n\r\n`);
  await client.says(large);
  await exchanges[0]!.respond(EMPTY, null);
  await over();
  await client.says(GET);
  await exchanges[1]!.respond(EMPTY, null);
  await over();
  assertEquals(client.rooms.at(-1), IDLE_BUFFER_BYTES);
});

Deno.test("interim answers and what follows them go out one after another, however slowly", async () => {
  const { client, exchanges } = connected();
  await client.says(POST("Upgrade: other\r\nConnection: Upgrade"));
  const taking = Promise.withResolvers<void>();
  client.taking = taking.promise;
  const exchange = exchanges[0]!;
  for (const hint of ["1", "2"]) {
    exchange.inform!({ status: 103, reason: "Early Hints", headers: ["Link", hint] });
  }
  const tunnel = exchange.upgrade!({ status: 101, reason: "", headers: [] });
  await settled();
  taking.resolve();
  await tunnel;
  const heads = client.heard.split("\r\n\r\n").map((head) =>
    head.replace(/^HTTP\/1.1 (\d+).*?(\d?)$/s, "$1 $2")
  );
  assertEquals([heads, client.writesAtOnce], [["103 1", "103 2", "101 ", ""], 1]);
});

Deno.test("an answer waits until the interim ones before it are out", async () => {
  const { client, exchanges } = connected();
  await client.says(GET);
  const taking = Promise.withResolvers<void>();
  client.taking = taking.promise;
  exchanges[0]!.inform!({ status: 103, reason: "Early Hints", headers: [] });
  const sent = exchanges[0]!.respond(EMPTY, null);
  await settled();
  taking.resolve();
  await sent;
  assertMatch(client.heard, /^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  assertEquals(client.writesAtOnce, 1);
});

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
  const { client, exchanges, over } = connected();
  await client.says(GET);
  const body = new ToldBody(8);
  body.tell("half", new BodyError("truncated", ""));
  const { kind } = await exchanges[0]!.respond({ status: 200, reason: "OK", headers: [] }, body);
  await over();
  assertEquals(kind, "truncated");
  assertMatch(client.heard, /\r\n\r\nhalf\(end\)$/);
  await client.says(GET);
  assertEquals(exchanges.length, 1);
});

Deno.test("an answer may take longer than a head, or than a connection may idle", async () => {
  const { client, connection, exchanges, over, house } = connected();
  await client.says(GET);
  const { keepAliveIdleMs } = house.config;
  connection.checkDeadlines(10 * keepAliveIdleMs);
  assertEquals(client.closed, false);
  await exchanges[0]!.respond(EMPTY, null);
  await over();
  connection.checkDeadlines(keepAliveIdleMs);
  assertEquals(client.closed, false);
  connection.checkDeadlines(keepAliveIdleMs + house.table.sweepMs);
  assertEquals(client.closed, true);
});

Deno.test("a client whose answer began before Weir left may ask once more, for a second", async () => {
  const { client, connection, exchanges, over, house } = connected();
  await client.says(GET);
  await exchanges[0]!.respond(EMPTY, null);
  house.draining = true;
  await over();
  connection.checkDeadlines(1_000);
  assertEquals(client.closed, false);
  connection.checkDeadlines(1_000 + house.table.sweepMs);
  assertEquals(client.closed, true);
});

Deno.test("a request that is being answered goes on while Weir leaves", async () => {
  const { client, connection, house } = connected();
  await client.says(GET);
  house.draining = true;
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
  const { client, connection, exchanges, house, table } = connected();
  await client.says(GET);
  client.taking = new Promise(() => {});
  exchanges[0]!.respond(EMPTY, null);
  const { keepAliveIdleMs } = house.config;
  connection.checkDeadlines(keepAliveIdleMs);
  assertEquals([client.closed, exchanges[0]!.clientGone], [false, false]);
  connection.checkDeadlines(keepAliveIdleMs + table.sweepMs);
  assertEquals([client.closed, exchanges[0]!.clientGone], [true, true]);
});
