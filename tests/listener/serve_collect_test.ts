import { assertEquals, assertRejects } from "@std/assert";
import type { Delivery } from "../../src/exchange.ts";
import { PIECES } from "../../src/http1/buffers.ts";
import type { ServeBody } from "../../src/listener/serve_body.ts";
import { collectedAnswer, isCollected } from "../../src/listener/serve_collect.ts";
import type { Content } from "../../src/listener/serve_content.ts";
import { serveBody } from "../support/serve_body.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { ToldBody } from "../support/told_body.ts";

const decoder = new TextDecoder();

/** A body that gives memory of its own, whatever room it is offered. */
class OwnMemory extends ToldBody {
  override read(): Promise<Uint8Array | null> {
    return super.read();
  }
}

/** An answer that is put together, on a clock that only the test moves. */
function collecting(body: ToldBody, upload: ServeBody | null = null) {
  const time = new StillTime();
  const sent: BodyInit[] = [];
  const send = (content: Content) => {
    // A Response has a copy of the bytes that it is made of.
    sent.push(content instanceof Uint8Array ? decoder.decode(content) : content);
  };
  return { body, delivery: collectedAnswer(body, upload, time.wheel, send), sent, time };
}

/** One that has taken too long after "first", and its reader. */
async function streaming(upload: ServeBody | null = null) {
  const { body, delivery, sent, time } = collecting(new ToldBody(12), upload);
  body.tell("first");
  await settled();
  await time.pass(20);
  return { body, delivery, reader: (sent[0] as ReadableStream<Uint8Array>).getReader(), sent };
}

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | null> {
  const { value } = await reader.read();
  return value === undefined ? null : decoder.decode(value);
}

for (const [body, text] of [[new ToldBody(9), "one piece"], [new OwnMemory(9), "own bytes"]] as const) {
  Deno.test(`an answer that comes in a moment is sent once, in one piece (${text})`, async () => {
    const { delivery, sent, time } = collecting(body);
    body.tell(text.slice(0, 4));
    await time.pass(9);
    assertEquals(sent, []);
    body.tell(text.slice(4));
    assertEquals<Delivery>(await delivery, { kind: "complete", bytes: 9 });
    await time.pass(20);
    assertEquals(sent, [text]);
  });
}

Deno.test("the memory in which an answer was put together is used again", async () => {
  const { body, delivery } = collecting(new ToldBody(65_536));
  const { kept } = PIECES;
  body.tell("x".repeat(65_536));
  await delivery;
  assertEquals(PIECES.kept, kept + 1);
});

Deno.test("an answer that takes longer begins with what has come, and goes on as it comes", async () => {
  const { body, delivery, reader, sent } = await streaming();
  assertEquals(await next(reader), "first");
  for (const piece of ["sec", "ond!"]) {
    body.tell(piece);
    assertEquals(await next(reader), piece);
  }
  assertEquals<Delivery>(await delivery, { kind: "complete", bytes: 12 });
  assertEquals([await next(reader), sent.length], [null, 1]);
});

Deno.test("what comes of an answer while a client takes nothing is handed out in one piece", async () => {
  const { body, delivery, reader } = await streaming();
  // The first piece, and what came before the next was asked for.
  for (const piece of ["s", "e", "c", "o", "n", "d"]) {
    body.tell(piece);
    await settled();
  }
  assertEquals([await next(reader), await next(reader)], ["first", "second"]);
  body.tell("!");
  assertEquals<Delivery>(await delivery, { kind: "complete", bytes: 12 });
  assertEquals([await next(reader), await next(reader)], ["!", null]);
});

Deno.test("an answer that breaks off before it is sent is cut, and not sent as if it were whole", async () => {
  const { body, delivery, sent } = collecting(new ToldBody(12));
  const error = new Error("reset");
  body.tell("first", error);
  await settled();
  const reader = (sent[0] as ReadableStream<Uint8Array>).getReader();
  assertEquals(await next(reader), "first");
  await assertRejects(() => reader.read(), Error, "reset");
  assertEquals<Delivery>(await delivery, { kind: "truncated", bytes: 5, error });
  assertEquals(sent.length, 1);
});

Deno.test("an answer that breaks off before any of it has come is cut at once", async () => {
  const { body, delivery, sent } = collecting(new ToldBody(12));
  const error = new Error("reset");
  body.tell(error);
  assertEquals<Delivery>(await delivery, { kind: "truncated", bytes: 0, error });
  await assertRejects(() => new Response(sent[0]!).text(), Error, "reset");
});

Deno.test("a client that leaves with what has come of an answer that breaks off ends it", async () => {
  const { body, delivery, sent } = collecting(new ToldBody(12));
  body.tell("first", new Error("reset"));
  await settled();
  await (sent[0] as ReadableStream<Uint8Array>).cancel();
  assertEquals<Delivery>(await delivery, { kind: "clientGone", bytes: 5 });
});

Deno.test("an answer that breaks off while it streams is cut", async () => {
  const { body, delivery, reader } = await streaming();
  assertEquals(await next(reader), "first");
  const error = new Error("reset");
  body.tell(error);
  assertEquals<Delivery>(await delivery, { kind: "truncated", bytes: 5, error });
  await assertRejects(() => reader.read(), Error, "reset");
});

Deno.test("an answer that breaks off is cut once its upload is left", async () => {
  let stream!: ReadableStreamDefaultController<Uint8Array>;
  const source = new ReadableStream<Uint8Array>({ start: (it) => void (stream = it) });
  const upload = serveBody(source, 100);
  const reading = upload.read();
  const { body, delivery, reader } = await streaming(upload);
  await reader.read();
  body.tell(new Error("reset"));
  await delivery;
  let cut = false;
  const end = reader.read().catch(() => cut = true);
  await settled();
  assertEquals(cut, false);
  stream.enqueue(new Uint8Array(1));
  await Promise.all([reading, end]);
  assertEquals([cut, upload.ended], [true, true]);
});

for (const then of ["more", new Error("given up")]) {
  Deno.test(`a client that leaves an answer as it streams ends it, whatever comes then (${then})`, async () => {
    const { body, delivery, reader } = await streaming();
    assertEquals(await next(reader), "first");
    await reader.cancel();
    assertEquals(body.cancelled, true);
    body.tell(then);
    assertEquals<Delivery>(await delivery, { kind: "clientGone", bytes: 5 });
  });
}

Deno.test("thirty-two megabytes are put together at a time, and whatever becomes of them makes room again", async () => {
  const body = new ToldBody(65_536);
  const others = Array.from({ length: 512 }, () => collecting(new ToldBody(65_536)));
  assertEquals(isCollected(body), false);
  others.forEach((other, n) => other.body.tell(n % 2 === 0 ? new Error("reset") : null));
  for (const { delivery, sent } of others) {
    await delivery;
    if (sent[0] instanceof ReadableStream) await sent[0].cancel().catch(() => {});
  }
  assertEquals([isCollected(body), isCollected(new ToldBody(65_537))], [true, false]);
});

Deno.test("an answer that became a stream does not end over a read of its upload", async () => {
  let client!: ReadableStreamDefaultController<Uint8Array>;
  const source = new ReadableStream<Uint8Array>({ start: (it) => void (client = it) });
  const upload = serveBody(source, 100);
  upload.read();
  const { body, delivery, reader } = await streaming(upload);
  assertEquals(await next(reader), "first");
  body.tell(" second");
  const last = next(reader);
  let given = false;
  last.then(() => given = true);
  await settled();
  assertEquals(given, false);
  client.enqueue(new Uint8Array(1));
  assertEquals([await last, await delivery], [" second", { kind: "complete", bytes: 12 }]);
});
