// An answer as it comes over a connection: the wait for its head, and its body.

import { assertEquals, assertRejects } from "@std/assert";
import { Board, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { EndpointField } from "../../src/board/fields.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { BodyError } from "../../src/exchange.ts";
import { Http1Error } from "../../src/http1/error.ts";
import { ConnectionError } from "../../src/upstream/connection_error.ts";
import { latin1 } from "../support/raw_http.ts";
import { type Said, toldConnection } from "./told_connection.ts";

/** A connection on which a request was sent, whose answer may be awaited for 300 ms. */
function asking() {
  const on = toldConnection();
  on.idle();
  on.connection.wake();
  on.connection.outlet.post(latin1("a request"));
  on.connection.expectHead(300);
  /** The next head, of which the endpoint says these pieces. */
  const hear = async (...pieces: string[]) => {
    for (const piece of pieces) {
      assertEquals(on.connection.takeHead("GET", 4_096), null);
      const more = on.connection.moreHead();
      await on.conn.say(piece);
      await more;
    }
    return on.connection.takeHead("GET", 4_096)!;
  };
  return { ...on, hear };
}

Deno.test("a head may come in pieces, and each is read once", async () => {
  const { conn, connection, hear } = asking();
  const pieces = ["HTTP/1.1 2", "00 OK\r\nContent-", "Length: 0\r\n\r\n"];
  const { status, headers } = await hear(...pieces);
  assertEquals([status, headers], [200, ["Content-Length", "0"]]);
  assertEquals([conn.reads, connection.inlet.available], [3, 0]);
  connection.close();
});

Deno.test("heads may come byte by byte, and what follows the last is the body's", async () => {
  const { connection, hear } = asking();
  const pieces = [..."HTTP/1.1 103 Early\r\nLink: a\r\n\r\n"];
  const interim = await hear(...pieces);
  assertEquals([interim.status, interim.headers], [103, ["Link", "a"]]);
  const final = await hear(...[..."HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r"], "\nx");
  assertEquals([final.status, final.headers], [200, ["Content-Length", "1"]]);
  assertEquals(connection.inlet.available, 1);
  connection.close();
});

Deno.test("what has come of a head is searched once, however it drips in", async () => {
  const { connection, conn } = asking();
  const { inlet } = connection;
  for (const piece of ["HTTP/1.1 200 OK\r\n", "a: 1\r", "\n"]) {
    const more = connection.moreHead();
    await conn.say(piece);
    await more;
    assertEquals([connection.takeHead("GET", 4_096), inlet.searched], [null, inlet.available]);
  }
  connection.close();
});

for (const piece of ["\n", "\r\nb: 2\n"]) {
  Deno.test(`a line that ends without CR is refused as soon as it comes: ${JSON.stringify(piece)}`, async () => {
    const { connection, hear } = asking();
    const pieces = ["HTTP/1.1 200 OK\r\na:", " 1", piece];
    await assertRejects(() => hear(...pieces), Http1Error, "line that ends without CR");
    connection.close();
  });
}

Deno.test("what can become no head is refused as soon as it comes", async () => {
  const { connection, hear } = asking();
  await assertRejects(() => hear("SSH-2.0-"), Http1Error, "not an HTTP/1 status line");
  connection.close();
});

/** Heads that come -> whether the wait for one is over. */
const waits: Record<string, readonly [heads: readonly string[], over: boolean]> = {
  "nothing": [[], false],
  "an interim answer": [["HTTP/1.1 103 Early\r\n\r\n"], false],
  "an answer": [["HTTP/1.1 200 OK\r\n\r\n"], true],
  "an answer after an interim one": [["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 404 No\r\n\r\n"], true],
  "a switch of protocols": [["HTTP/1.1 101 Switching\r\n\r\n"], true],
};

for (const [what, [heads, over]] of Object.entries(waits)) {
  Deno.test(`the wait for a head after ${what} is ${over ? "over" : "limited"}`, async () => {
    const { connection, hear, pass } = asking();
    assertEquals(connection.headRead, false);
    for (const head of heads) await hear(head);
    assertEquals(connection.headRead, over);
    await pass(290);
    assertEquals(connection.timedOutIn, null);
    const more = over ? null : assertRejects(() => connection.moreHead(), ConnectionError);
    await pass(20);
    assertEquals(connection.timedOutIn, over ? null : "head");
    assertEquals(connection.usable, over);
    const error = await more;
    if (error !== null) assertEquals([error.kind, error.phase], ["timedOut", "head"]);
    connection.close();
  });
}

Deno.test("a connection that ends where an answer is awaited has given none", async () => {
  for (const [said, kind] of [[null, "closed"], [new Deno.errors.ConnectionReset(), "reset"]] as const) {
    const { conn, connection, seen } = asking();
    const more = assertRejects(() => connection.moreHead(), ConnectionError);
    await conn.say(said);
    assertEquals([(await more).kind, seen(), connection.answered], [kind, [0, true, false], false]);
  }
});

Deno.test("a connection that is used again waits for its head anew, and idles since the end of the last answer", async () => {
  const { conn, connection, body, idle, pass } = await answering();
  await pass(100);
  assertEquals(connection.now, 1_000, "nothing but the head has come");
  const reading = body.read();
  await conn.say("1234567890");
  await reading;
  assertEquals([connection.now, connection.headRead], [1_100, true]);
  idle();
  connection.wake();
  assertEquals(connection.headRead, false);
  connection.expectHead(300);
  await pass(310);
  assertEquals(connection.timedOutIn, "head", "not in the phase of the last answer");
});

/** A connection on which an answer of 10 bytes has begun, and its body, which may be silent for so long. */
async function answering(silentMs = 300, on = toldConnection()) {
  const { conn, connection } = on;
  const ends: boolean[] = [];
  connection.wake();
  connection.outlet.post(latin1("a request"));
  const more = connection.moreHead();
  await conn.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  await more;
  const head = connection.takeHead("GET", 4_096)!;
  const body = connection.body(head, silentMs, { bodyEnded: (complete) => ends.push(complete) })!;
  return { ...on, body, ends };
}

Deno.test("an answer without a length is cut, not ended, where the request has met the endpoint's reset", async () => {
  const refusals = [
    [new Deno.errors.ConnectionReset(), false, {}],
    // The reset came after the end.
    [new Deno.errors.BrokenPipe(), true, {}],
    // The end of TLS was said (RFC 8446 6.1): without that reading throws.
    [new Deno.errors.ConnectionReset(), true, { handshake() {} }],
    [null, true, {}],
  ] as const;
  const cases = refusals.flatMap((refusal) => [["post", ...refusal], ["write", ...refusal]] as const);
  for (const [send, refusal, complete, tls] of cases) {
    const { conn, connection, hear } = asking();
    Object.assign(conn, tls);
    const ends: boolean[] = [];
    const head = await hear("HTTP/1.0 200 OK\r\n\r\n");
    const body = connection.body(head, 300, { bodyEnded: (complete) => ends.push(complete) })!;
    conn.refusal = refusal;
    await connection.outlet[send](latin1("a piece"))?.catch(() => {});
    const reading = body.read().then(() => "ended", (error) => error.kind);
    await conn.say(null);
    assertEquals([await reading, ends], [complete ? "ended" : "truncated", [complete]]);
    connection.close();
  }
});

Deno.test("after a switch of protocols the end of what the endpoint says is one, also where a write has met its reset", async () => {
  const { conn, connection, hear } = asking();
  await hear("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  connection.bodyIdleMs = Infinity;
  conn.refusal = new Deno.errors.ConnectionReset();
  await connection.outlet.write(latin1("a frame")).catch(() => {});
  const reading = connection.read(new Uint8Array(10));
  await conn.say(null);
  assertEquals([await reading, connection.usable], [null, true]);
  connection.close();
});

Deno.test("each read of a body has its time, and what is not read has no limit", async () => {
  const { conn, connection, body, pass, ends } = await answering();
  await pass(10_000);
  for (const half of ["12345", "67890"]) {
    const reading = body.read();
    await pass(290);
    await conn.say(half);
    assertEquals(await reading, latin1(half));
    await pass(10_000);
  }
  assertEquals([ends, connection.usable, connection.timedOutIn], [[true], true, null]);
  connection.close();
});

const breaks: Record<string, readonly [said: Said, kind: BodyError["kind"]]> = {
  "is silent for too long": ["nothing", "timedOut"],
  "is reset": [new Deno.errors.ConnectionReset(), "truncated"],
  "is closed": [null, "truncated"],
};

for (const [what, [said, kind]] of Object.entries(breaks)) {
  Deno.test(`a body whose connection ${what} is ${kind}, and its connection of no more use`, async () => {
    const { conn, connection, body, pass, ends } = await answering();
    const reading = assertRejects(() => body.read(), BodyError);
    if (kind === "timedOut") await pass(310);
    else await conn.say(said);
    assertEquals([(await reading).kind, ends], [kind, [false]]);
    assertEquals(connection.timedOutIn, kind === "timedOut" ? "body" : null);
    connection.close();
    assertEquals(conn.closed, true);
  });
}

/** Milliseconds that the endpoint takes over a piece, and the client -> whether the client held the endpoint back. */
for (const [endpointMs, clientMs, held] of [[5_000, 1_000, false], [0, 1_001, true]] as const) {
  const what = `an answer whose pieces take the endpoint ${endpointMs} ms and the client ${clientMs}`;
  Deno.test(`Connection.heldBack: ${what} ${held ? "is" : "is not"} held back`, async () => {
    const { conn, connection, body, pass } = await answering(60_000);
    for (const piece of ["12345", "67890"]) {
      const reading = body.read();
      await pass(endpointMs);
      await conn.say(piece);
      await reading;
      if (piece === "12345") await pass(clientMs);
    }
    assertEquals(connection.heldBack, held);
    connection.close();
  });
}

Deno.test("Connection.heldBack: the time between two answers is not their client's", async () => {
  const on = toldConnection();
  for (const pauseMs of [5_000, 0]) {
    const { body } = await answering(60_000, on);
    const reading = body.read();
    await on.conn.say("1234567890");
    await reading;
    assertEquals(on.connection.heldBack, false);
    await on.pass(pauseMs);
  }
  on.connection.close();
});

Deno.test("Connection.countBytes() counts what came and went once", async () => {
  const board = Board.create({ ...DEFAULT_CAPACITY, columnsMax: 2 });
  const totals = new OwnColumn(board, 1).endpoint(0);
  const { conn, connection, body } = await answering();
  const reading = body.read();
  await conn.say("1234567890");
  await reading;
  for (let time = 0; time < 2; time++) connection.countBytes(totals);
  const { bytesFromUpstream, bytesToUpstream } = EndpointField;
  const counted = [bytesFromUpstream, bytesToUpstream].map((field) => new Totals(board).endpoint(0, field));
  assertEquals(counted, [
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890".length,
    "a request".length,
  ]);
  connection.close();
});
