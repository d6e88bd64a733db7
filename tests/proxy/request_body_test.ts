import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type Body, BodyError } from "../../src/exchange.ts";
import { RequestBody } from "../../src/proxy/request_body.ts";
import { WholeBody } from "../../src/proxy/whole_body.ts";
import type { Connection } from "../../src/upstream/connection.ts";
import { Outlet } from "../../src/upstream/outlet.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { ToldBody } from "../support/told_body.ts";

/** A connection as far as a body needs it, to an endpoint that has `room` from then on. */
function connectionTo(sent: string[], room = Promise.resolve()): Connection {
  const write = (bytes: Uint8Array) => {
    sent.push(fromLatin1(bytes));
    return room.then(() => bytes.length);
  };
  const conn = { write } as unknown as Deno.TcpConn;
  const { wheel } = new StillTime();
  const owner = { timedOutIn: null, onDeadline: () => {} };
  return { outlet: new Outlet(conn, wheel, owner) } as Connection;
}

const IDENTITY = { requestIdKey: "x-request-id" };
const TIMEOUTS = { requestBodyIdleMs: 1_000, responseHeadMs: 5_000 };
/** The end of a chunked `ToldBody`, with its trailer. */
const END = "0\r\nx-end: 1\r\n\r\n";

const never = () => new Promise<never>(() => {});

/** A client that has announced a body and sends none of it. */
const silent: Body = { length: 5, read: never, takeWhole: () => null, copyWhole: () => -1, cancel: () => {} };

Deno.test("a head that goes ahead of its body, and that nobody takes, runs into the limit of sending", async () => {
  const time = new StillTime();
  const { wheel } = time;
  const late: string[] = [];
  const owner = { timedOutIn: null, onDeadline: (phase: string) => late.push(phase) };
  const outlet = new Outlet({ write: never } as unknown as Deno.TcpConn, wheel, owner);
  new RequestBody(silent, 1_024, 0, IDENTITY).send(
    { outlet } as Connection,
    latin1("a head"),
    TIMEOUTS,
    wheel,
  );
  await time.pass(50);
  assertEquals(late, []);
  await time.pass(1_050);
  assertEquals(late, ["send"]);
});

for (const sends of [false, true]) {
  const what = sends ? "is still sending a piece" : "waits for another piece";
  Deno.test(`an attempt that ${what} takes nothing more once another follows it`, async () => {
    const source = new ToldBody(null);
    const body = new RequestBody(source, sends ? 1_024 : 5, 0, IDENTITY);
    const room = Promise.withResolvers<void>();
    const [first, second]: [string[], string[]] = [[], []];
    const one = body.send(connectionTo(first, room.promise), latin1("one "), TIMEOUTS, new StillTime().wheel);
    source.tell("first");
    if (!sends) room.resolve();
    await settled();
    const two = body.send(connectionTo(second), latin1("two "), TIMEOUTS, new StillTime().wheel);
    await settled();
    source.tell("second", null);
    for (let round = 0; round < 3; round++) await settled();
    room.resolve();
    await settled();
    assertEquals(first.join(""), "one 5\r\nfirst\r\n");
    assertEquals(second.join(""), `two 5\r\nfirst\r\n6\r\nsecond\r\n${END}`);
    await Promise.all([one, two]);
  });
}

for (const ahead of [false, true]) {
  const what = ahead ? "is still sending a head that goes ahead" : "still waits for its first piece";
  Deno.test(`an attempt that ${what} takes nothing from the one that follows it`, async () => {
    const time = new StillTime();
    const { wheel } = time;
    const source = new ToldBody(null);
    const body = new RequestBody(source, 0, 0, IDENTITY);
    const room = Promise.withResolvers<void>();
    const [first, second]: [string[], string[]] = [[], []];
    const one = body.send(connectionTo(first, room.promise), latin1("one "), TIMEOUTS, wheel);
    await time.pass(ahead ? 50 : 0);
    const two = body.send(connectionTo(second), latin1("two "), TIMEOUTS, wheel);
    room.resolve();
    source.tell("first", "second", null);
    await Promise.all([one, two]);
    assertEquals(first, ahead ? ["one "] : []);
    assertEquals(second.join(""), `two 5\r\nfirst\r\n6\r\nsecond\r\n${END}`);
  });
}

Deno.test("an attempt that is given up takes nothing before the next one begins", async () => {
  const { wheel } = new StillTime();
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
  assertEquals(second.join(""), `two 5\r\nfirst\r\n6\r\nsecond\r\n${END}`);
});

/** What is written, write by write, when `body` is sent with the head `h `. */
async function written(body: RequestBody): Promise<string[]> {
  const sent: string[] = [];
  await body.send(connectionTo(sent), latin1("h "), TIMEOUTS, new StillTime().wheel);
  return sent;
}

interface Source {
  readonly length: number | null;
  readonly pieces: readonly string[];
  readonly trailers?: readonly string[];
}

function told({ length, pieces, trailers }: Source): ToldBody {
  const source = new ToldBody(length);
  if (trailers !== undefined) Object.assign(source, { trailers });
  source.tell(...pieces, null);
  return source;
}

Deno.test("a body that ends before its length is not sent as if it were whole", async () => {
  const sent: string[] = [];
  const body = new RequestBody(told({ length: 5, pieces: ["ab", "c"] }), 1_024, 0, IDENTITY);
  const sending = body.send(connectionTo(sent), latin1("h "), TIMEOUTS, new StillTime().wheel);
  assertEquals((await assertRejects(() => sending, BodyError)).kind, "truncated");
  assertEquals(sent, ["h ab", "c"]);
});

const large = "x".repeat(16_384);
const writes: Record<string, readonly [source: Source, writes: readonly string[]]> = {
  "a body of a length": [{ length: 5, pieces: ["ab", "cde"] }, ["h ab", "cde"]],
  "a chunked body": [
    { length: null, pieces: ["ab", "cde"] },
    ["h 2\r\nab\r\n", "3\r\ncde\r\n", END],
  ],
  "a chunked body of nothing": [{ length: null, pieces: [] }, [`h ${END}`]],
  "no trailers": [{ length: null, pieces: [], trailers: [] }, ["h 0\r\n\r\n"]],
  "pieces of nothing, which would end it": [{ length: null, pieces: ["", "ab", ""] }, ["h 2\r\nab\r\n", END]],
  "a first piece that is large": [{ length: 16_384, pieces: [large] }, [`h ${large}`]],
  "a later piece that is as large": [{ length: 16_387, pieces: ["ab", `${large}x`] }, ["h ab", `${large}x`]],
  "a first piece that is too large to be copied": [
    { length: 16_385, pieces: [`${large}x`] },
    ["h ", `${large}x`],
  ],
};

for (const [what, [source, expected]] of Object.entries(writes)) {
  Deno.test(`RequestBody.send() sends ${what}`, async () => {
    const body = new RequestBody(told(source), 1_024, 0, IDENTITY);
    assertEquals(await written(body), expected);
    assertEquals(body.bytesRead, source.pieces.join("").length);
  });
}

Deno.test("RequestBody.send() sends a body that is all here together with its head, again and again", async () => {
  const body = new RequestBody(new WholeBody(latin1("abc")), 3, 0, IDENTITY);
  assertEquals([await written(body), await written(body), body.bytesRead], [["h abc"], ["h abc"], 3]);
});

for (const [keptBytesMax, replayable] of [[5, true], [4, false]] as const) {
  Deno.test(`a body of 5 bytes ${replayable ? "can" : "cannot"} be sent again with ${keptBytesMax} kept`, async () => {
    const body = new RequestBody(told({ length: 5, pieces: ["ab", "cde"] }), keptBytesMax, 0, IDENTITY);
    assertEquals(await written(body), ["h ab", "cde"]);
    assertEquals(body.replayable, replayable);
    if (replayable) assertEquals(await written(body), ["h abcde"]);
  });
}

Deno.test("a body of large pieces is kept whole for another attempt, and freed as it is sent when it is not kept", async () => {
  for (const keptBytesMax of [20_000, 19_999]) {
    const pieces = ["a", "b"].map((letter) => latin1(letter.repeat(10_000)));
    const body = new RequestBody(
      { ...silent, ...takingTurns(pieces), length: 20_000 },
      keptBytesMax,
      0,
      IDENTITY,
    );
    const whole = `h ${"a".repeat(10_000)}${"b".repeat(10_000)}`;
    assertEquals((await written(body)).join(""), whole);
    const kept = keptBytesMax === 20_000;
    assertEquals(body.replayable, kept);
    assertEquals(pieces.map(({ length }) => length), kept ? [10_000, 10_000] : [10_000, 0]);
    if (kept) assertEquals((await written(body)).join(""), whole);
  }
});

function takingTurns(pieces: readonly Uint8Array[]): Pick<Body, "read"> {
  let next = 0;
  return { read: () => Promise.resolve(pieces[next++] ?? null) };
}

Deno.test("RequestBody.wholeAt is when the last of it had come: its last byte, or the end where only that tells", async () => {
  for (const [length, wholeAt] of [[4, 100], [null, 200]] as const) {
    const time = new StillTime();
    const { wheel } = time;
    const source = new ToldBody(length);
    const body = new RequestBody(source, 1_024, 0, IDENTITY);
    const conn = { write: (bytes: Uint8Array) => Promise.resolve(bytes.length) } as Deno.TcpConn;
    const outlet = new Outlet(conn, wheel, { timedOutIn: null, onDeadline: () => {} });
    const sending = body.send({ outlet } as Connection, latin1("h "), TIMEOUTS, wheel);
    source.tell("ab");
    await settled();
    assertEquals(body.wholeAt, Infinity);
    source.tell("cd");
    await time.pass(100);
    source.tell(null);
    await time.pass(100);
    await sending;
    assertEquals(body.wholeAt, wholeAt);
  }
});

for (const how of ["in pieces", "at once"] as const) {
  Deno.test(`a body ${how} may be as large as the limit, and no attempt sends more of a larger one`, async () => {
    const bodyOf = (text: string) => {
      const length = text.length;
      const pieces = [text.slice(0, 3), text.slice(3)];
      const source = how === "at once" ? new WholeBody(latin1(text)) : told({ length, pieces });
      return new RequestBody(source, 1_024, 5, IDENTITY);
    };
    assertEquals((await written(bodyOf("abcde"))).join(""), "h abcde");
    const body = bodyOf("abcdef");
    const error = await assertRejects(() => written(body), BodyError, "larger than 5 bytes");
    assertEquals([error.kind, body.bytesRead], ["tooLarge", 6]);
    if (how === "in pieces") assertEquals(await assertRejects(() => written(body)), error);
  });
}

Deno.test("every attempt hears of the client that broke off", async () => {
  const source = new ToldBody(5);
  source.tell("ab", new BodyError("clientGone", "left"));
  const body = new RequestBody(source, 1_024, 0, IDENTITY);
  for (let attempt = 0; attempt < 2; attempt++) await assertRejects(() => written(body), BodyError, "left");
});

Deno.test("an attempt that is behind sends what it has not, when no more is kept", async () => {
  const source = new ToldBody(8);
  const body = new RequestBody(source, 2, 0, IDENTITY);
  const [first, second]: [string[], string[]] = [[], []];
  const one = body.send(connectionTo(first, never()), latin1("one "), TIMEOUTS, new StillTime().wheel);
  source.tell("ab");
  await settled();
  const two = body.send(connectionTo(second), latin1("two "), TIMEOUTS, new StillTime().wheel);
  source.tell("cde", "fgh", null);
  await two;
  void one;
  assertEquals([first, second, body.replayable], [["one ab"], ["two ab", "cde", "fgh"], false]);
});

Deno.test("a head that went ahead is sent once, and what follows it has its time to come", async () => {
  const time = new StillTime();
  const { wheel } = time;
  const [sent, late]: [string[], string[]] = [[], []];
  const write = (bytes: Uint8Array) => Promise.resolve(sent.push(fromLatin1(bytes)) && bytes.length);
  const owner = { timedOutIn: null, onDeadline: (phase: string) => late.push(phase) };
  const outlet = new Outlet({ write } as unknown as Deno.TcpConn, wheel, owner);
  const source = new ToldBody(5);
  const sending = new RequestBody(source, 1_024, 0, IDENTITY)
    .send({ outlet } as Connection, latin1("h "), TIMEOUTS, wheel);
  await time.pass(50);
  assertEquals(sent, ["h "]);
  source.tell("ab");
  await settled();
  assertEquals([sent, late], [["h ", "ab"], []]);
  await time.pass(1_050);
  assertEquals(late, ["request"]);
  source.tell("cde", null);
  await sending;
  assertEquals(sent, ["h ", "ab", "cde"]);
});

Deno.test("small pieces that were sent are kept in few, and sent again whole", async () => {
  const { wheel } = new StillTime();
  const content = Array.from({ length: 10_000 }, (_, i) => "abcdefghij"[i % 10]!);
  const source = new ToldBody(content.length);
  const body = new RequestBody(source, 65_536, 0, IDENTITY);
  const [first, second]: [string[], string[]] = [[], []];
  source.tell(...content, null);
  await body.send(connectionTo(first), latin1("one "), TIMEOUTS, wheel);
  await body.send(connectionTo(second), latin1("two "), TIMEOUTS, wheel);
  assertEquals(first.join(""), `one ${content.join("")}`);
  assertEquals(second.join(""), `two ${content.join("")}`);
  assert(second.length < 10, `${second.length} pieces`);
});

Deno.test("whatever the pieces are and wherever attempts break off, each sends the body from its beginning", async () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3_000 })), {
    minLength: 1,
    maxLength: 60,
  });
  const breaks = fc.array(fc.nat(60), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(sizes, breaks, async (sizes, breaks) => {
      const pieces = sizes.map((size, i) => String.fromCharCode(97 + i % 26).repeat(size));
      const content = pieces.join("");
      const source = new ToldBody(content.length);
      const body = new RequestBody(source, 1_000_000, 0, IDENTITY);
      let told = 0;
      const abandoned: Promise<void>[] = [];
      const attempt = () => {
        const sent: string[] = [];
        const sending = body.send(connectionTo(sent), latin1(""), TIMEOUTS, new StillTime().wheel);
        return { sent, sending };
      };
      for (const end of breaks.filter((end) => end < sizes.length).sort((a, b) => a - b)) {
        const { sent, sending } = attempt();
        source.tell(...pieces.slice(told, end));
        told = end;
        for (let turn = 0; turn < 3; turn++) await settled();
        assertEquals(sent.join(""), pieces.slice(0, end).join(""));
        body.giveUpAttempt();
        abandoned.push(sending);
      }
      const { sent, sending } = attempt();
      source.tell(...pieces.slice(told), null);
      await Promise.all([...abandoned, sending]);
      assertEquals(sent.join(""), content);
    }),
    { seed: 1, numRuns: 100 },
  );
});
