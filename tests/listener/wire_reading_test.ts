// What a connection of the wire listener reads of its client and when, and what it makes of a client that leaves.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Body, BodyError } from "../../src/exchange.ts";
import { settled } from "../support/settled.ts";
import { connected, EMPTY, GET, IDLE_BUFFER_BYTES, POST, text } from "../support/wire_stage.ts";

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

Deno.test("a client that ends its side behind an upload is gone, whatever that looks like", async () => {
  for (const upload of ["ab\r\n\r\ncd", "12345678\r\n\r\n"]) {
    const { client, connection, exchanges } = connected();
    await client.says(POST("Content-Length: 8") + upload);
    connection.checkDeadlines(0);
    await client.ends();
    assertEquals(exchanges[0]!.clientGone, true);
  }
});

Deno.test("an upload whose client leaves within it fails, also where the read began behind another request", async () => {
  for (const framing of ["Content-Length: 8", "Transfer-Encoding: chunked"]) {
    const beginning = POST(framing) + (framing.startsWith("T") ? "8\r\nhalf" : "half");
    for (const leaves of ["ends", "breaksOff"] as const) {
      const alone = connected();
      await alone.client.says(beginning);
      const { client, body } = await uploadBehind(beginning);
      for (const upload of [{ client: alone.client, body: alone.exchanges[0]!.body! }, { client, body }]) {
        assertEquals(text(await upload.body.read()), "half");
        const rest = assertRejects(() => upload.body.read(), BodyError);
        upload.client[leaves]();
        await rest;
      }
    }
  }
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

Deno.test("what is pipelined beyond the buffer waits until it is its turn", async () => {
  const { client, exchanges, over } = connected();
  const large = GET.replace("\r\n\r\n", `\r\nX-Large: ${"l".repeat(2 * IDLE_BUFFER_BYTES)}\r\n\r\n`);
  await client.says(GET + large);
  assertEquals(exchanges.map(({ clientGone }) => clientGone), [false]);
  await exchanges[0]!.respond(EMPTY, null);
  await over();
  assertEquals(exchanges.map(({ head }) => head.headers.at(-1)!.length), [6, 2 * IDLE_BUFFER_BYTES]);
});

Deno.test("a client waits for 100 until it is told, or sends its upload without", async () => {
  const expecting = POST("Content-Length: 8\r\nExpect: 100-continue");
  const told = connected();
  await told.client.says(expecting);
  assertEquals(told.exchanges[0]!.body!.withheld, true);
  await told.exchanges[0]!.inform!({ status: 100, reason: "", headers: [] });
  assertEquals(told.exchanges[0]!.body!.withheld, false);
  const late = connected();
  await late.client.says(expecting);
  late.connection.checkDeadlines(0);
  await late.client.says("half");
  assertEquals(late.exchanges[0]!.body!.withheld, false);
  const early = connected();
  await early.client.says(expecting + "half");
  assertEquals(early.exchanges[0]!.body!.withheld, false);
});

Deno.test("a request with a body gets no other protocol", async () => {
  for (const [lines, upgrades] of [["", true], ["Content-Length: 4\r\n", false]] as const) {
    const { client, exchanges } = connected();
    await client.says(POST(`${lines}Upgrade: other\r\nConnection: Upgrade`) + "some");
    assertEquals(exchanges[0]!.upgrade !== undefined, upgrades);
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
