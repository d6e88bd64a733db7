import { assertEquals } from "@std/assert";
import type { Body } from "../../src/exchange.ts";
import { RequestBody } from "../../src/proxy/request_body.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";
import type { Connection } from "../../src/upstream/connection.ts";
import { Outlet } from "../../src/upstream/outlet.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";
import { ToldBody } from "../support/told_body.ts";

/** A connection as far as a body needs it, to an endpoint that has `room` from then on. */
function connectionTo(sent: string[], room = Promise.resolve()): Connection {
  const write = (bytes: Uint8Array) => {
    sent.push(fromLatin1(bytes));
    return room.then(() => bytes.length);
  };
  const conn = { write } as unknown as Deno.TcpConn;
  const wheel = new TimerWheel({ now: () => 0, every: () => () => {} });
  const owner = { timedOutIn: null, onDeadline: () => {} };
  return { outlet: new Outlet(conn, wheel, owner) } as Connection;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await null;
}

const IDENTITY = { requestIdKey: "x-request-id" };
const TIMEOUTS = { requestBodyIdleMs: 1_000, responseHeadMs: 5_000 };

const never = () => new Promise<never>(() => {});

/** A client that has announced a body and sends none of it. */
const silent: Body = { length: 5, read: never, takeWhole: () => null, copyWhole: () => -1, cancel: () => {} };

Deno.test("a head that goes ahead of its body, and that nobody takes, runs into the limit of sending", async () => {
  let now = 0;
  const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
  const passes = async (ms: number) => {
    now += ms;
    wheel.advance();
    await turns();
  };
  const late: string[] = [];
  const owner = { timedOutIn: null, onDeadline: (phase: string) => late.push(phase) };
  const outlet = new Outlet({ write: never } as unknown as Deno.TcpConn, wheel, owner);
  new RequestBody(silent, 1_024, 0, IDENTITY).send(
    { outlet } as Connection,
    latin1("a head"),
    TIMEOUTS,
    wheel,
  );
  await passes(50);
  assertEquals(late, []);
  await passes(1_050);
  assertEquals(late, ["send"]);
});

for (const ahead of [false, true]) {
  const what = ahead ? "is still sending a head that goes ahead" : "still waits for its first piece";
  Deno.test(`an attempt that ${what} takes nothing from the one that follows it`, async () => {
    let now = 0;
    const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
    const source = new ToldBody(null);
    const body = new RequestBody(source, 0, 0, IDENTITY);
    const room = Promise.withResolvers<void>();
    const [first, second]: [string[], string[]] = [[], []];
    const one = body.send(connectionTo(first, room.promise), latin1("one "), TIMEOUTS, wheel);
    now += ahead ? 50 : 0;
    wheel.advance();
    await turns();
    const two = body.send(connectionTo(second), latin1("two "), TIMEOUTS, wheel);
    room.resolve();
    source.tell("first", "second", null);
    await Promise.all([one, two]);
    assertEquals(first, ahead ? ["one "] : []);
    assertEquals(second.join(""), "two 5\r\nfirst\r\n6\r\nsecond\r\n0\r\nx-end: 1\r\n\r\n");
  });
}

Deno.test("an attempt that is given up takes nothing before the next one begins", async () => {
  const wheel = new TimerWheel({ now: () => 0, every: () => () => {} });
  const source = new ToldBody(null);
  const body = new RequestBody(source, 0, 0, IDENTITY);
  const [first, second]: [string[], string[]] = [[], []];
  const one = body.send(connectionTo(first), latin1("one "), TIMEOUTS, wheel);
  body.giveUpAttempt();
  source.tell("first");
  await one;
  const two = body.send(connectionTo(second), latin1("two "), TIMEOUTS, wheel);
  source.tell("second", null);
  await two;
  assertEquals(first, []);
  assertEquals(second.join(""), "two 5\r\nfirst\r\n6\r\nsecond\r\n0\r\nx-end: 1\r\n\r\n");
});
