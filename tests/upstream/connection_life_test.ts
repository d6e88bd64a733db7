// A connection while it idles, as it is used again, and while the body of an answer comes over it.

import { assertEquals, assertRejects } from "@std/assert";
import { Board, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { EndpointField } from "../../src/board/fields.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { BodyError } from "../../src/exchange.ts";
import { Http1Error } from "../../src/http1/error.ts";
import { Connection } from "../../src/upstream/connection.ts";
import { ConnectionError } from "../../src/upstream/connection_error.ts";
import { latin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

type Said = string | null | Error;

/** A connection on which the endpoint says what the test says; closing it breaks what is read. */
class Conn {
  closed = false;
  reads = 0;
  private saying = Promise.withResolvers<Said>();

  async read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    const said = await this.saying.promise;
    this.saying = Promise.withResolvers();
    if (said instanceof Error) throw said;
    if (said !== null) into.set(latin1(said));
    return said?.length ?? null;
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  say(what: Said): Promise<void> {
    this.saying.resolve(what);
    return settled();
  }

  close(): void {
    this.closed = true;
    this.saying.resolve(new Deno.errors.BadResource("closed"));
  }
}

function stage() {
  const time = new StillTime(1_000);
  const conn = new Conn();
  const connection = new Connection(conn as unknown as Deno.TcpConn, time.wheel, 0);
  let gone = 0;
  /** It may idle for 500 ms. */
  const idle = () =>
    connection.idle(time.now, 500, { onGone: (which) => gone += which === connection ? 1 : 100 });
  const pass = (ms: number) => time.pass(ms);
  /** Connections that are gone, as far as the keeper was told, and whether this one is closed. */
  const seen = () => [gone, conn.closed, connection.usable];
  return { conn, connection, idle, pass, seen };
}

const IDLING = [0, false, true];
const GONE = [1, true, false];

const endings: Record<string, Said> = {
  "is closed by its endpoint": null,
  "is reset": new Deno.errors.ConnectionReset(),
  "is spoken to out of turn": "HTTP/1.1 408 Request Timeout\r\n\r\n",
};

for (const [what, said] of Object.entries(endings)) {
  Deno.test(`a connection that ${what} while it idles is closed, and its keeper told once`, async () => {
    const { conn, connection, idle, pass, seen } = stage();
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
  const { connection, idle, pass, seen } = stage();
  idle();
  assertEquals(connection.idleSince, 1_000);
  await pass(490);
  assertEquals(seen(), IDLING);
  await pass(20);
  assertEquals(seen(), GONE);
  assertEquals(connection.timedOutIn, null, "no wait of a request");
});

Deno.test("a connection that makes room is closed, and its keeper told once", async () => {
  const { connection, idle, seen } = stage();
  idle();
  await connection.giveWay();
  assertEquals(seen(), GONE);
});

Deno.test("what comes to a connection in use is its next head, and no end of its idling", async () => {
  const { conn, connection, idle, pass, seen } = stage();
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

/** A connection on which a request was sent, whose answer may be awaited for 300 ms. */
function asking() {
  const on = stage();
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
  Deno.test(`the wait for a head is ${over ? "over" : "limited still"} with ${what}`, async () => {
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

for (const [what, said] of Object.entries(endings)) {
  Deno.test(`a connection that ${what} before any of its request was sent has given no answer`, async () => {
    const { conn, connection, idle, seen } = stage();
    idle();
    connection.wake();
    await conn.say(said);
    const error = await assertRejects(() => connection.moreHead(), ConnectionError);
    assertEquals([error.kind, error.phase], [said instanceof Error ? "reset" : "closed", "head"]);
    assertEquals([seen(), connection.answered], [[0, true, false], false]);
  });
}

/** A connection on which an answer of 10 bytes has begun, and its body, which may be silent for 300 ms. */
async function answering() {
  const on = stage();
  const { conn, connection } = on;
  const ends: boolean[] = [];
  connection.wake();
  connection.outlet.post(latin1("a request"));
  const more = connection.moreHead();
  await conn.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  await more;
  const head = connection.takeHead("GET", 4_096)!;
  const body = connection.body(head, 300, { bodyEnded: (complete) => ends.push(complete) })!;
  return { ...on, body, ends };
}

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
