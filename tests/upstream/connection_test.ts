// An upload over a connection, and who is to blame when it takes too long; and how large a head may be.

import { assertEquals, assertThrows } from "@std/assert";
import { Http1Error } from "../../src/http1/error.ts";
import { RequestBody } from "../../src/proxy/request_body.ts";
import { Connection } from "../../src/upstream/connection.ts";
import { latin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { ToldBody } from "../support/told_body.ts";

const TIMEOUTS = { requestBodyIdleMs: 1_000, responseHeadMs: 5_000 };

/** Says nothing, and takes what it is sent until it is closed. */
class Conn {
  private closed = false;

  write(bytes: Uint8Array): Promise<number> {
    return this.closed ? Promise.reject(new Deno.errors.BadResource()) : Promise.resolve(bytes.length);
  }

  read(): Promise<number> {
    return new Promise(() => {});
  }

  close(): void {
    this.closed = true;
  }
}

/** An upload that has begun: its head is sent, and its client has sent nothing of its body. */
async function upload(withheld: boolean) {
  const time = new StillTime();
  const { wheel } = time;
  const connection = new Connection(new Conn() as unknown as Deno.TcpConn, wheel, 0);
  const source = new ToldBody(null);
  source.withheld = withheld;
  const body = new RequestBody(source, 1_024, 0, { requestIdKey: "x-request-id" });
  const sending = body.send(connection, latin1("a head"), TIMEOUTS, wheel).then(() => "sent", () => "failed");
  await time.pass(50);
  return { connection, sending, source, time };
}

function hear(connection: Connection, head: string): void {
  const { inlet } = connection;
  inlet.bytes.set(latin1(head));
  inlet.end = head.length;
  connection.takeHead("POST", 4_096);
}

Deno.test("a connection that closed within an upload is held by no timer, whatever the client still sends", async () => {
  const { connection, sending, source, time } = await upload(false);
  assertEquals(time.ticking, true);
  connection.close();
  source.tell("a piece");
  const ended = await sending;
  connection.expectHead(30_000);
  await time.pass(50);
  assertEquals([ended, time.ticking], ["failed", false]);
});

Deno.test("a client that sends nothing is to blame, unless it waits for 100", async () => {
  for (const [withheld, phase, limitMs] of [[false, "request", 1_000], [true, "head", 5_000]] as const) {
    const { connection, time } = await upload(withheld);
    await time.pass(limitMs - 100);
    assertEquals(connection.timedOutIn, null);
    await time.pass(200);
    assertEquals(connection.timedOutIn, phase);
  }
});

Deno.test("a client that is told 100 has the time for its body from then on", async () => {
  const { connection, source, time } = await upload(true);
  await time.pass(4_000);
  source.withheld = false;
  connection.outlet.goOn();
  await time.pass(900);
  assertEquals(connection.timedOutIn, null);
  await time.pass(200);
  assertEquals(connection.timedOutIn, "request");
});

Deno.test("a client that has begun without 100 is itself what is waited for", async () => {
  const { connection, source, time } = await upload(true);
  await time.pass(4_900);
  source.withheld = false;
  await time.pass(100);
  assertEquals(connection.timedOutIn, null);
  await time.pass(900);
  assertEquals(connection.timedOutIn, null);
  await time.pass(200);
  assertEquals(connection.timedOutIn, "request");
});

Deno.test("an answer without 100 is not cut for the body that its client keeps", async () => {
  const { connection, time } = await upload(true);
  hear(connection, "HTTP/1.1 200 OK\r\n\r\n");
  await time.pass(60_000);
  assertEquals([connection.usable, connection.timedOutIn], [true, null]);
  connection.close();
});

Deno.test("an answer that comes while the head of an upload is still sent is not cut for the body that its client keeps", async () => {
  const time = new StillTime();
  const conn = new Conn();
  const room = Promise.withResolvers<number>();
  conn.write = () => room.promise;
  const connection = new Connection(conn as unknown as Deno.TcpConn, time.wheel, 0);
  const source = new ToldBody(null);
  source.withheld = true;
  const body = new RequestBody(source, 1_024, 0, { requestIdKey: "x-request-id" });
  body.send(connection, latin1("a head"), TIMEOUTS, time.wheel);
  await time.pass(50);
  hear(connection, "HTTP/1.1 200 OK\r\n\r\n");
  room.resolve("a head".length);
  await settled();
  await time.pass(60_000);
  assertEquals([connection.usable, connection.timedOutIn], [true, null]);
  connection.close();
});

Deno.test("a client that sends nothing more is to blame also after an early answer, or a 100 that nobody waited for", async () => {
  for (const early of [false, true]) {
    const { connection, time } = await upload(false);
    if (early) hear(connection, "HTTP/1.1 200 OK\r\n\r\n");
    else connection.outlet.goOn();
    await time.pass(900);
    assertEquals(connection.timedOutIn, null);
    await time.pass(200);
    assertEquals(connection.timedOutIn, "request");
  }
});

Deno.test("an upload that was sent to its end has no limit of sending any more", async () => {
  const { connection, sending, source, time } = await upload(false);
  source.tell("whole", null);
  assertEquals(await sending, "sent");
  await time.pass(60_000);
  assertEquals([connection.usable, connection.outlet.done], [true, true]);
  connection.close();
});

/** A head of so many bytes, and the first `count` of them. */
function headOf(bytes: number, count = bytes): string {
  const start = "HTTP/1.1 200 OK\r\nX: ";
  return (start + "x".repeat(bytes - start.length - 4) + "\r\n\r\n").substring(0, count);
}

/** A limit of a head -> what has come, all at once -> what becomes of it. */
const heads: Record<string, readonly [limit: number, came: string, expected: string]> = {
  "whole, of just so many bytes": [100, headOf(100), "taken"],
  "whole, of one more": [100, headOf(101), "refused"],
  "of just so many, with a body behind it": [100, headOf(100) + "a body", "taken"],
  "whole, that fills the buffer": [4_096, headOf(4_096), "taken"],
  "behind another that is as large": [100, headOf(100).replace("200", "103") + headOf(100), "taken"],
  "unfinished, of just so many": [100, headOf(200, 100), "awaited"],
  "unfinished, of one more": [100, headOf(200, 101), "refused"],
  "unfinished, that fills the buffer": [8_000, headOf(8_000, 4_096), "awaited"],
  "unfinished, that fills the buffer and the limit": [4_096, headOf(4_200, 4_096), "refused"],
};

for (const [what, [limit, came, expected]] of Object.entries(heads)) {
  Deno.test(`a head ${what} is ${expected} by a limit of ${limit}`, () => {
    const connection = new Connection(new Conn() as unknown as Deno.TcpConn, new StillTime().wheel, 0);
    const { inlet } = connection;
    inlet.bytes.set(latin1(came));
    inlet.end = came.length;
    const take = () => connection.takeHead("GET", limit);
    if (what.startsWith("behind")) assertEquals(take()!.status, 103);
    if (expected === "refused") assertThrows(take, Http1Error, `larger than ${limit} bytes`);
    else assertEquals(take() === null, expected === "awaited");
    assertEquals(inlet.bytes.length, Math.max(limit, 4_096), "room for what is awaited, up to the limit");
    connection.close();
  });
}
