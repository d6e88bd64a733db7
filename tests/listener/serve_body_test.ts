import { setImmediate } from "node:timers";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { BodyError } from "../../src/exchange.ts";
import { passesFor } from "../../src/listener/serve_cancel.ts";
import { objectsInHeap } from "../support/heap.ts";
import { RawClient } from "../support/raw_client.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";
import { serveBody } from "../support/serve_body.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

/** A body of which nothing says whether there is one, on a clock that only the test moves. */
function undeclared(requests = 1) {
  const time = new StillTime();
  let stream!: ReadableStreamDefaultController<Uint8Array>;
  let ends = 0;
  const client = new AbortController();
  const source = new ReadableStream<Uint8Array>({ start: (it) => void (stream = it) });
  const body = serveBody(source, null, { wheel: time.wheel, onEnd: () => ends++, client, requests });
  return {
    body,
    client,
    stream,
    isNone: body.isNone(),
    ends: () => ends,
    time,
  };
}

Deno.test("ServeBody.isNone() is true for what ends without a byte", async () => {
  const { isNone, stream, ends } = undeclared();
  stream.enqueue(new Uint8Array());
  stream.close();
  assertEquals([await isNone, ends()], [true, 1]);
});

Deno.test("ServeBody.isNone() is true for what has ended, though the time is over before the turn", async () => {
  const { isNone, time, stream } = undeclared();
  stream.close();
  await settled();
  time.pass(20);
  assertEquals(await isNone, true);
});

Deno.test("ServeBody.isNone() is false for what begins, and loses nothing of it", async () => {
  const { body, isNone, stream } = undeclared();
  stream.enqueue(latin1("all"));
  stream.close();
  assertEquals(await isNone, false);
  assertEquals([await body.read(), await body.read()], [latin1("all"), null]);
});

Deno.test("ServeBody.isNone() is false for what takes longer, and loses nothing of it", async () => {
  const { body, isNone, time, stream, ends } = undeclared();
  time.pass(20);
  assertEquals([await isNone, ends()], [false, 0]);
  stream.enqueue(latin1("late"));
  stream.close();
  assertEquals([await body.read(), await body.read(), ends()], [latin1("late"), null, 1]);
});

Deno.test("a client that leaves before its late body is read has not ended it", async () => {
  const { body, isNone, time, stream } = undeclared();
  time.pass(20);
  await isNone;
  stream.error(new Error("BadResource"));
  await settled();
  for (let n = 1; n <= 2; n++) await assertRejects(() => body.read(), BodyError, "client left");
});

Deno.test("ServeBody.read() gives small pieces that hold no more memory than they need", async () => {
  const given = Array.from({ length: 100 }, (_, n) => new Uint8Array(65_536).fill(n));
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const memory of given) controller.enqueue(memory.subarray(0, 1));
      for (const bytes of [9_000, 20_000]) controller.enqueue(new Uint8Array(65_536).subarray(0, bytes));
      controller.close();
    },
  });
  const body = serveBody(stream, null);
  const held = new Set<ArrayBufferLike>();
  for (let n = 0; n < 100; n++) {
    const piece = await body.read();
    assertEquals(piece, new Uint8Array([n]));
    held.add(piece!.buffer);
  }
  const bytesHeld = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0);
  // A slab, and the rest of one that was there before.
  assert(bytesHeld <= 2 * 65_536, `${bytesHeld} bytes`);
  // Nor does what they came in wait for the garbage collector.
  assertEquals(given.reduce((sum, { byteLength }) => sum + byteLength, 0), 0);
  assertEquals((await body.read())!.buffer.byteLength, 9_000);
  // This one is not worth the copy.
  assertEquals((await body.read())!.buffer.byteLength, 65_536);
  assertEquals(await body.read(), null);
});

for (const when of ["before the end", "in the turn of the end"]) {
  Deno.test(`a client that cancels ${when} of its undeclared body has not ended it`, async () => {
    const client = new AbortController();
    let stream!: ReadableStreamDefaultController<Uint8Array>;
    const body = serveBody(new ReadableStream({ start: (it) => void (stream = it) }), null, { client });
    stream.enqueue(latin1("part"));
    assertEquals(await body.read(), latin1("part"));
    if (when === "before the end") client.abort();
    stream.close();
    const end = body.read();
    setImmediate(() => client.abort());
    await assertRejects(() => end, BodyError, "client left");
  });
}

Deno.test("of many undeclared bodies that are cancelled at once each waits until its client can have been told of", async () => {
  for (const requests of [1, 500]) {
    const { body, client, isNone, stream } = undeclared(requests);
    stream.enqueue(latin1("part"));
    assertEquals(await isNone, false);
    assertEquals(await body.read(), latin1("part"));
    stream.close();
    let over = false;
    const end = body.read().finally(() => over = true);
    const { max, next } = passesFor(requests);
    for (let pass = 1; pass < max; pass++) await new Promise<void>(next);
    assertEquals(over, false);
    client.abort();
    await assertRejects(() => end, BodyError, "client left");
  }
});

Deno.test("an undeclared body whose client stays ends", async () => {
  const stream = new ReadableStream<Uint8Array>({ start: (it) => it.close() });
  assertEquals(await serveBody(stream, null, { client: new AbortController() }).read(), null);
});

Deno.test("chunks that are none are the client's fault, and no leaving", async () => {
  const stream = new ReadableStream<Uint8Array>({
    start: (it) => it.error(new Error("invalid HTTP/1 request: Invalid 5")),
  });
  const { kind } = await assertRejects(
    () => serveBody(stream, null).read(),
    BodyError,
  );
  assertEquals(kind, "malformed");
});

/** A body of `length` bytes whose pieces a test hands over one by one. */
function handed(length: number | null, http2 = false) {
  const time = new StillTime();
  let stream!: ReadableStreamDefaultController<Uint8Array>;
  let cancelled = false;
  const source = new ReadableStream<Uint8Array>({
    start: (it) => void (stream = it),
    cancel: () => void (cancelled = true),
  }, { highWaterMark: 0 });
  let ends = 0;
  const body = serveBody(source, length, { wheel: time.wheel, onEnd: () => ends++, http2 });
  const hand = (text: string) => {
    stream.enqueue(latin1(text));
    return settled();
  };
  return { body, cancelled: () => cancelled, ends: () => ends, hand, stream, time };
}

const LONG = 1_000_000;

Deno.test("an upload that its answer comes before is read on once the end of that is out", async () => {
  const { body, hand, stream, time } = handed(LONG);
  const reading = body.read();
  let parted = false;
  const parting = body.part().then(() => parted = true);
  await settled();
  assertEquals(parted, false, "a read is under way");
  await hand("one");
  await parting;
  assertEquals(await reading, latin1("one"));
  body.read();
  body.cancel();
  await hand("two");
  assertEquals(stream.desiredSize, -1, "nobody reads yet");
  await time.pass(20);
  assertEquals(stream.desiredSize, 0, "what came was read");
});

Deno.test("an answer waits no longer than a moment for a client that sends nothing", async () => {
  const { body, time } = handed(LONG);
  body.read();
  const parting = body.part();
  await time.pass(20);
  await parting;
});

for (const http2 of [false, true]) {
  for (const length of [100, LONG, null]) {
    Deno.test(`a body of ${length} bytes that is left while it is read is ${http2 ? "cancelled" : "read on"} (HTTP/${http2 ? 2 : 1})`, async () => {
      const { body, cancelled, ends, hand, stream } = handed(length, http2);
      const reading = body.read().catch(() => null);
      body.cancel();
      body.cancel();
      assertEquals([cancelled(), ends()], [http2, 1]);
      if (http2) return;
      for (const piece of ["awaited", "wanted by nobody"]) {
        await hand(piece);
        assertEquals(stream.desiredSize, 0);
      }
      stream.close();
      await reading;
      assertEquals([cancelled(), ends()], [false, 1]);
    });
  }
}

Deno.test("a body that has ended does not end again when its answer is cut", async () => {
  const { body, ends, hand, stream } = handed(4);
  const reading = body.read();
  await hand("body");
  stream.close();
  assertEquals([await reading, await body.read()], [latin1("body"), null]);
  let cut = false;
  body.cutAnswer(() => cut = true);
  assertEquals([ends(), cut], [1, true]);
});

Deno.test("of bodies that nobody reads, only a short one, or one over HTTP/2, is cancelled", () => {
  const cases = [[65_536, false], [65_537, false], [null, false], [LONG, true]] as const;
  const cancelled = cases.map(([length, http2]) => {
    const { body, cancelled } = handed(length, http2);
    body.cancel();
    return cancelled();
  });
  assertEquals(cancelled, [true, false, false, true]);
});

Deno.test("a short body of which some was read is read on", async () => {
  const { body, cancelled, hand } = handed(100);
  const reading = body.read();
  await hand("some");
  await reading;
  body.cancel();
  assertEquals(cancelled(), false);
});

Deno.test("of a body that nobody wants no piece waits for the garbage collector", async () => {
  const { body, stream } = handed(null);
  body.cancel();
  const piece = new Uint8Array(65_536);
  stream.enqueue(piece);
  await settled();
  assertEquals(piece.buffer.byteLength, 0);
});

Deno.test("a body that nobody wants is read on for half a minute, then its client is cut", async () => {
  const { body, cancelled, hand, time } = handed(null);
  body.cancel();
  await time.pass(29_999);
  await hand("still");
  assertEquals(cancelled(), false);
  await time.pass(1);
  await hand("too late");
  assertEquals(cancelled(), true);
});

Deno.test("nothing is kept of uploads that were left while they were read, once their clients have left", async () => {
  const uploads = 10;
  const reads: Promise<unknown>[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const body = serveBody(request.body!, 100);
    await body.read();
    reads.push(body.read().catch(() => null));
    await new Promise<void>((resolve) => setImmediate(resolve));
    body.cancel();
    return new Response("early");
  });
  const before = await objectsInHeap("ReadableStream");
  for (let n = 0; n < uploads; n++) {
    const client = await RawClient.connect(`127.0.0.1:${server.addr.port}`);
    await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nsome");
    assertEquals((await client.response()).text, "early");
    await client.reset();
  }
  await Promise.all(reads);
  assertLess(await objectsInHeap("ReadableStream") - before, uploads);
});

/** How reads of a body end that is asked to arrive while its pieces come. */
async function arriving(length: number, pieces: readonly string[], then: "end" | "fail" = "end") {
  let ends = 0;
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(latin1(piece));
      if (then === "end") controller.close();
    },
    pull: () => then === "fail" ? Promise.reject(new Error("BadResource")) : Promise.resolve(),
  }, { highWaterMark: 0 });
  const body = serveBody(source, length, { onEnd: () => ends++ });
  await body.arrive();
  return { body, ends: () => ends };
}

Deno.test("a short body that is there at once is taken whole, and has ended", async () => {
  const { body, ends } = await arriving(4, ["body"]);
  assertEquals([body.takeWhole(), body.takeWhole()], [latin1("body"), null]);
  await settled();
  assertEquals([await body.read(), ends()], [null, 1]);
});

Deno.test("a short body that is there at once is read like any other", async () => {
  const { body, ends } = await arriving(4, ["body"]);
  assertEquals([await body.read(), await body.read(), body.takeWhole(), ends()], [
    latin1("body"),
    null,
    null,
    1,
  ]);
});

Deno.test("a short body that is there at once may be followed by a failure, which nobody has to hear of", async () => {
  const { body, ends } = await arriving(4, ["body"], "fail");
  assertEquals(body.takeWhole(), latin1("body"));
  await settled();
  assertEquals(ends(), 1);
});

Deno.test("a short body that two attempts wait for comes once", async () => {
  const { body, stream } = handed(4);
  const first = body.arrive();
  stream.enqueue(latin1("body"));
  await body.arrive();
  const piece = await body.read();
  await first;
  assertEquals([piece, body.takeWhole()], [latin1("body"), null]);
  stream.close();
  assertEquals(await body.read(), null);
});

Deno.test("of a body that is not all there at once nothing is taken, and nothing lost", async () => {
  for (const [length, pieces] of [[8, ["two ", "more"]], [65_537, ["x".repeat(65_537)]]] as const) {
    const { body, ends } = await arriving(length, pieces);
    assertEquals(body.takeWhole(), null);
    let text = "";
    for (let piece = await body.read(); piece !== null; piece = await body.read()) text += fromLatin1(piece);
    assertEquals([text, ends()], [pieces.join(""), 1]);
  }
});

Deno.test("a client that leaves a short body has not ended it, whenever it does", async () => {
  for (const pieces of [[], ["bo"]]) {
    const { body } = await arriving(4, pieces);
    assertEquals(body.takeWhole(), null);
    const readAll = async () => {
      while (await body.read() !== null);
    };
    await assertRejects(readAll, BodyError, "client left");
  }
});

Deno.test("a client that leaves a short body that nobody reads on is no failure of the worker's", async () => {
  const { body, ends } = await arriving(4, [], "fail");
  await settled();
  body.cancel();
  assertEquals([body.takeWhole(), ends()], [null, 1]);
});

Deno.test("a short body over HTTP/2 that was waited for arrives whole", async () => {
  const { body, hand, stream } = handed(6, true);
  const begun = body.begins();
  await hand("abc");
  assertEquals(await begun, true);
  await body.arrive();
  stream.enqueue(latin1("def"));
  assertEquals([await body.read(), await body.read()], [latin1("abc"), latin1("def")]);
});

Deno.test("a short body that takes longer holds nothing up, and comes when it does", async () => {
  const { body, hand, stream } = handed(4);
  await body.arrive();
  const reading = body.read();
  await hand("body");
  assertEquals(await reading, latin1("body"));
  stream.close();
  assertEquals(await body.read(), null);
});
