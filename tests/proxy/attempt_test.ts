// An attempt on a connection that keeps to a script, and takes of a request as much as the test says: whether it serves
// another request after the answer, and who is waited for when the attempt's time is over.

import { assertEquals, assertRejects } from "@std/assert";
import { BodyError } from "../../src/exchange.ts";
import { Attempt, type AttemptInput } from "../../src/proxy/attempt.ts";
import { RequestBody } from "../../src/proxy/request_body.ts";
import { Connection } from "../../src/upstream/connection.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { ToldBody } from "../support/told_body.ts";
import { twoWorkers } from "../support/two_workers.ts";

/** Takes writes, and says something, when the test says so. */
class Conn {
  sent = "";
  closed = false;
  private readonly takes: PromiseWithResolvers<number>[] = [];
  private saying = Promise.withResolvers<string>();
  private readonly ended = Promise.withResolvers<never>();

  constructor() {
    this.ended.promise.catch(() => {});
  }

  write(bytes: Uint8Array): Promise<number> {
    const take = Promise.withResolvers<number>();
    this.takes.push(take);
    return take.promise.then((count) => {
      const taken = bytes.subarray(0, count);
      this.sent += fromLatin1(taken);
      return taken.length;
    });
  }

  /** Takes up to `count` bytes of what is being written. */
  async take(count = Infinity): Promise<void> {
    this.takes.shift()!.resolve(count);
    await settled();
  }

  async read(into: Uint8Array): Promise<number> {
    const said = await Promise.race([this.saying.promise, this.ended.promise]);
    this.saying = Promise.withResolvers();
    into.set(latin1(said));
    return said.length;
  }

  async say(text: string): Promise<void> {
    this.saying.resolve(text);
    await settled();
  }

  async fail(error: Error): Promise<void> {
    this.saying.reject(error);
    await settled();
  }

  close(): void {
    this.closed = true;
    this.ended.reject(new Deno.errors.Interrupted());
  }
}

/** An attempt on a kept connection that has idled for `idleMs`. */
function stage(body: ToldBody | null, limitMs = Infinity, idleMs = 0, attemptMs = 0) {
  const { board, clock: time, first: endpoint } = twoWorkers();
  const { wheel } = time;
  const conn = new Conn();
  const connection = new Connection(conn as unknown as Deno.TcpConn, wheel, 0);
  // It has sent another request.
  connection.outlet.end();
  const before = endpoint.lease()!;
  before.connection = connection;
  before.release(true);
  time.now += idleMs;
  const lease = endpoint.lease()!;
  const input: AttemptInput = {
    request: {
      method: body === null ? "GET" : "PUT",
      target: "/",
      headers: [],
      text: null,
      contentLength: body?.length ?? null,
      chunked: false,
    },
    authority: "a.test",
    body: body === null ? null : new RequestBody(body, 1_024, 0, { requestIdKey: "x-request-id" }),
    timeouts: { ...endpoint.upstream.timeouts, attemptMs },
    responseHeadBytesMax: 4_096,
    handshake: null,
    onInterim: () => {},
  };
  const attempt = new Attempt(lease, input, wheel);
  const outcome = attempt.run(time.now, limitMs);
  const kept = () => board.endpointIdleConnections(0) === 1 && !conn.closed;
  const inFlight = () => endpoint.inFlight();
  const pass = (ms: number) => time.pass(ms);
  return { attempt, conn, endpoint, inFlight, kept, outcome, pass };
}

/** An upload of so many bytes, of which this has come. */
async function upload(length: number, told: readonly (string | null | Error)[], limitMs?: number) {
  const body = new ToldBody(length);
  const put = stage(body, limitMs);
  await settled();
  body.tell(...told);
  await settled();
  return { ...put, body };
}

const NO_CONTENT = "HTTP/1.1 204 No Content\r\n\r\n";

async function statusOf({ outcome }: ReturnType<typeof stage>): Promise<number> {
  const ended = await outcome;
  return ended.kind === "response" ? ended.head.status : 0;
}

Deno.test("a connection that took the whole request is kept after the answer", async () => {
  const get = stage(null);
  await get.conn.take();
  await get.conn.say(NO_CONTENT);
  assertEquals([await statusOf(get), get.kept()], [204, true]);
});

Deno.test("a kept connection whose endpoint no longer takes the client certificate may have lost the request", async () => {
  const put = await upload(4, ["body", null]);
  await put.conn.take();
  await put.conn.fail(new Deno.errors.InvalidData("received fatal alert: CertificateExpired"));
  const detail = "the endpoint refuses the client certificate";
  assertEquals(await put.outcome, {
    ...{ kind: "reset", phase: "head", sent: true, reused: true },
    ...{ answered: false, detail },
  });
});

Deno.test("a connection that took a part of the head by its answer is closed", async () => {
  const get = stage(null);
  await get.conn.take(10);
  await get.conn.say(NO_CONTENT);
  assertEquals([await statusOf(get), get.kept(), get.conn.closed], [204, false, true]);
  assertEquals(get.conn.sent, "GET / HTTP");
});

Deno.test("a connection that took the head in parts is kept once it has all of it", async () => {
  const get = stage(null);
  await get.conn.take(10);
  await get.conn.take();
  await get.conn.say(NO_CONTENT);
  assertEquals([await statusOf(get), get.kept()], [204, true]);
});

for (const [what, head] of [["without", "204 No Content\r\n"], ["with", "200 OK\r\nContent-Length: 2\r\n"]]) {
  Deno.test(`a connection that ends with an answer ${what} a body is closed`, async () => {
    const get = stage(null);
    await get.conn.take();
    await get.conn.say(`HTTP/1.1 ${head}Connection: close\r\n\r\n`);
    const answer = await get.outcome;
    if (answer.kind === "response" && answer.body !== null) {
      const rest = answer.body.read();
      await get.conn.say("ok");
      assertEquals(fromLatin1((await rest)!), "ok");
    }
    assertEquals([get.kept(), get.conn.closed], [false, true]);
  });
}

Deno.test("a connection whose answer nobody reads to its end is closed", async () => {
  const get = stage(null);
  await get.conn.take();
  await get.conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  const answer = await get.outcome;
  if (answer.kind === "response") answer.body!.cancel();
  assertEquals([get.kept(), get.conn.closed], [false, true]);
});

/** What comes on a connection that has idled for a second -> how long those to its endpoint may idle, which were 2 s. */
const lessons = {
  "200 OK\r\nKeep-Alive: timeout=10": 9_000,
  "200 OK": 2_100,
  "408 Request Timeout\r\nConnection: close": 800,
};

for (const [answer, limitMs] of Object.entries(lessons)) {
  Deno.test(`connections to who answers ${answer.replace("\r\n", ", ")} may idle for ${limitMs} ms`, async () => {
    const get = stage(null, Infinity, 1_000);
    const { idleLimit } = get.endpoint;
    idleLimit.learnFromHeader(3_000);
    await get.conn.take();
    await get.conn.say(`HTTP/1.1 ${answer}\r\nContent-Length: 0\r\n\r\n`);
    await statusOf(get);
    assertEquals(idleLimit.ms(4_000), limitMs);
  });
}

for (const end of ["abandon", "expire"] as const) {
  Deno.test(`${end}() after the whole answer leaves the connection to whoever has it now`, async () => {
    const get = stage(null);
    await get.conn.take();
    await get.conn.say(NO_CONTENT);
    assertEquals(await statusOf(get), 204);
    get.attempt[end]();
    assertEquals([get.kept(), get.attempt.excused], [true, false]);
  });
}

Deno.test("abandon() ends the attempt at once, and its endpoint is not to blame", async () => {
  const get = stage(null);
  await get.conn.take();
  assertEquals(get.inFlight(), 1);
  get.attempt.abandon();
  assertEquals([get.inFlight(), get.conn.closed], [0, true]);
  assertEquals((await get.outcome).kind, "clientGone");
});

/** Milliseconds that an attempt may take, and those that it is given -> whose time was over. */
for (
  const [attemptMs, limitMs, phase] of [[300, 300, "attempt"], [300, 200, "request"], [
    0,
    300,
    "request",
  ]] as const
) {
  Deno.test(`an attempt that has ${limitMs} of ${attemptMs} ms is out of the time of the ${phase}`, async () => {
    const get = stage(null, limitMs, 0, attemptMs);
    await get.conn.take();
    await get.pass(limitMs);
    const ended = await get.outcome;
    assertEquals(ended.kind === "timedOut" ? ended.phase : ended.kind, phase);
  });
}

Deno.test("the time for an attempt ends with the head of its answer", async () => {
  const get = stage(null, 1_000);
  await get.conn.take();
  await get.pass(999);
  await get.conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  const answer = await get.outcome;
  await get.pass(1_000);
  if (answer.kind !== "response") throw new Error(answer.kind);
  const rest = answer.body!.read();
  await get.conn.say("ok");
  assertEquals(fromLatin1((await rest)!), "ok");
});

Deno.test("an answer that began before its request was all sent has no time for a head any more", async () => {
  const put = await upload(5, ["some"]);
  await put.conn.take();
  await put.conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  const answer = await put.outcome;
  put.body.tell("!", null);
  await settled();
  await put.conn.take();
  await put.pass(30_000);
  if (answer.kind !== "response") throw new Error(answer.kind);
  const rest = answer.body!.read();
  await put.conn.say("ok");
  assertEquals(fromLatin1((await rest)!), "ok");
});

Deno.test("an answer that is cut because its request stalls is the client's doing", async () => {
  const put = await upload(5, ["some"]);
  await put.conn.take();
  await put.conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  assertEquals(await statusOf(put), 200);
  await put.pass(60_000);
  assertEquals([put.conn.closed, put.attempt.requestBroke, put.attempt.excused], [true, true, true]);
});

/** How a body of five bytes goes on that has begun -> what the attempt comes to, at once. */
const broken: Record<string, readonly [told: Error | null, kind: string]> = {
  "is larger than its limit": [new BodyError("tooLarge", ""), "badRequestBody"],
  "breaks its framing": [new BodyError("malformed", ""), "badRequestBody"],
  "ends too soon": [null, "clientGone"],
};

for (const [what, [told, kind]] of Object.entries(broken)) {
  Deno.test(`an upload that ${what} lets go of its endpoint at once`, async () => {
    const put = await upload(5, ["some", told]);
    await put.conn.take();
    await settled();
    assertEquals([put.conn.closed, (await put.outcome).kind, put.inFlight()], [true, kind, 0]);
  });
}

for (const [status, kind] of [["100 Continue", "badRequestBody"], ["103 Early Hints", "timedOut"]] as const) {
  Deno.test(`who waited for 100 and has got ${status} is ${kind === "timedOut" ? "not " : ""}waited for`, async () => {
    const body = new ToldBody(5);
    body.withheld = true;
    const put = stage(body);
    await settled();
    await put.pass(10);
    await put.conn.take();
    await put.conn.say(`HTTP/1.1 ${status}\r\n\r\n`);
    await put.pass(30_000);
    await put.pass(30_000);
    assertEquals((await put.outcome).kind, kind);
  });
}

/** What has come of a body of five bytes, whether it is taken -> whether the connection is kept. */
const uploads: Record<string, readonly [told: string, ended: boolean, taken: boolean, kept: boolean]> = {
  "the whole of an upload": ["whole", true, true, true],
  "not the end of an upload": ["whole", true, false, false],
  "what has come of an upload": ["some", false, true, false],
};

for (const [what, [told, ended, taken, kept]] of Object.entries(uploads)) {
  Deno.test(`a connection that took ${what} by its answer is ${kept ? "kept" : "closed"}`, async () => {
    const put = await upload(5, [told, ...ended ? [null] : []]);
    await put.conn.take(taken ? Infinity : 10);
    await put.conn.say(NO_CONTENT);
    assertEquals([await statusOf(put), put.kept(), put.conn.closed], [204, kept, !kept]);
  });
}

for (const [what, ended] of [["before", true], ["after", false]] as const) {
  Deno.test(`a connection whose upload ends ${what} an early answer does is ${ended ? "kept" : "closed"}`, async () => {
    const put = await upload(5, ["some"]);
    await put.conn.take();
    await put.conn.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    const answer = await put.outcome;
    assertEquals([answer.kind, put.kept(), put.conn.closed], ["response", false, false]);
    put.body.tell("!", null);
    await settled();
    if (ended) await put.conn.take();
    if (answer.kind !== "response") return;
    const rest = answer.body!.read();
    await put.conn.say("ok");
    assertEquals(fromLatin1((await rest)!), "ok");
    assertEquals([put.kept(), put.conn.closed], [ended, !ended]);
  });
}

/** When an endpoint is given the last piece that it gets of an upload, milliseconds -> who is waited for after 1000. */
for (const [ms, who] of [[600, "client"], [500, "endpoint"], [400, "endpoint"]] as const) {
  Deno.test(`an upload whose last piece so far goes out after ${ms} of 1000 ms waits for its ${who}`, async () => {
    const put = await upload(100, ["some"], 1_000);
    await put.conn.take();
    await put.pass(ms);
    put.body.tell("more");
    await settled();
    await put.pass(1_000 - ms);
    const { kind } = await put.outcome;
    assertEquals(kind, who === "client" ? "badRequestBody" : "timedOut");
  });
}

/** How long an endpoint takes over each of the pieces that are there at once -> who is waited for after 1000 ms. */
for (const [ms, who] of [[99, "client"], [100, "endpoint"]] as const) {
  Deno.test(`an upload whose pieces go out in ${ms} ms each waits for its ${who}`, async () => {
    const put = await upload(100, [..."pieces go out"], 1_000);
    await put.conn.take();
    for (let piece = 0; piece < 10; piece++) {
      await put.pass(ms);
      await put.conn.take();
    }
    put.pass(1_000 - 10 * ms);
    const { kind } = await put.outcome;
    assertEquals(kind, who === "client" ? "badRequestBody" : "timedOut");
  });
}

/** What the endpoint runs out of time with, and how long the client takes nothing of its answer -> whether it is for that. */
const cuts = [["sent", 60_000, true], ["answered", 2_000, false]] as const;

for (const [what, ms, held] of cuts) {
  Deno.test(`an answer that is cut because no more is ${what} was ${held ? "" : "not "}held back by its client`, async () => {
    const put = await upload(100, ["some"]);
    await put.conn.take(held ? 10 : Infinity);
    await put.conn.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    const answer = await put.outcome;
    if (answer.kind !== "response") throw new Error(answer.kind);
    await answer.body!.read();
    await put.pass(ms);
    const rest = answer.body!.read();
    if (!held) put.pass(60_000);
    await assertRejects(() => rest, BodyError, `no progress in time (${held ? "send" : "body"})`);
    assertEquals(put.attempt.heldBack, held);
  });
}
