// A connection while it idles, as it is used again, and while the body of an answer comes over it.

import { assertEquals, assertRejects } from "@std/assert";
import { Board, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { EndpointField } from "../../src/board/fields.ts";
import { OwnColumn } from "../../src/board/own.ts";
import { Totals } from "../../src/board/totals.ts";
import { BodyError } from "../../src/exchange.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import { Connection } from "../../src/upstream/connection.ts";
import { ConnectionError } from "../../src/upstream/connection_error.ts";
import { latin1 } from "../support/raw_http.ts";

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
    return turns();
  }

  close(): void {
    this.closed = true;
    this.saying.resolve(new Deno.errors.BadResource("closed"));
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await null;
}

function stage() {
  const clock = { ms: 1_000 };
  const wheel = new TimerWheel({ now: () => clock.ms, every: () => () => {} });
  const conn = new Conn();
  const connection = new Connection(conn as unknown as Deno.TcpConn, wheel, 0);
  let gone = 0;
  /** It may idle for 500 ms. */
  const idle = () =>
    connection.idle(clock.ms, 500, { onGone: (which) => gone += which === connection ? 1 : 100 });
  const pass = (ms: number) => {
    clock.ms += ms;
    wheel.advance();
    return turns();
  };
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
    await turns();
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
