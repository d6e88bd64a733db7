import { assertEquals, assertRejects } from "@std/assert";
import type { Delivery } from "../../src/exchange.ts";
import { LengthBody } from "../../src/http1/body.ts";
import { Inlet } from "../../src/http1/inlet.ts";
import type { ServeBody } from "../../src/listener/serve_body.ts";
import { responseStream } from "../../src/listener/serve_stream.ts";
import { serveBody } from "../support/serve_body.ts";
import { settled } from "../support/settled.ts";
import { ToldBody } from "../support/told_body.ts";

const MEGABYTE = 1_048_576;

/** What a test tells, and which room it was asked for. */
class Asked extends ToldBody {
  readonly rooms: (number | undefined)[] = [];
  /** The last of them. */
  room: Uint8Array | undefined;
  /** Some of it came with the head. */
  ready = false;
  /** Gives memory of its own. */
  own = false;

  override read(into?: Uint8Array): Promise<Uint8Array | null> {
    this.rooms.push(into?.length);
    this.room = into;
    this.ready = false;
    return super.read(this.own ? undefined : into);
  }
}

/** An answer of `length` bytes as Deno reads it. */
function streamed(length: number | null, upload: ServeBody | null = null) {
  const body = new Asked(length);
  const deliveries: Delivery[] = [];
  const stream = responseStream(body, upload, (delivery) => deliveries.push(delivery));
  return { body, deliveries, reader: stream.getReader() };
}

Deno.test("a stream gives every piece as it comes, and tells at its end how much that was", async () => {
  const { body, deliveries, reader } = streamed(null);
  for (const piece of ["a", "piece"]) {
    body.tell(piece);
    assertEquals(new TextDecoder().decode((await reader.read()).value), piece);
  }
  assertEquals(deliveries, []);
  body.tell(null);
  assertEquals([(await reader.read()).done, deliveries], [true, [{ kind: "complete", bytes: 6 }]]);
});

for (const length of [6, null]) {
  Deno.test(`a stream of ${length} bytes does not end over a read of its upload`, async () => {
    let client!: ReadableStreamDefaultController<Uint8Array>;
    const source = new ReadableStream<Uint8Array>({ start: (it) => void (client = it) });
    const upload = serveBody(source, 100);
    upload.read();
    const { body, deliveries, reader } = streamed(length, upload);
    body.tell("first");
    assertEquals((await reader.read()).value?.length, 5);
    body.tell(...(length === null ? [] : ["!"]), null);
    const last = reader.read();
    let given = false;
    last.then(() => given = true);
    await settled();
    assertEquals(given, false);
    client.enqueue(new Uint8Array(1));
    assertEquals((await last).done, length === null);
    assertEquals((await reader.read()).done, true);
    assertEquals(deliveries, [{ kind: "complete", bytes: length ?? 5 }]);
  });
}

Deno.test("a stream whose body breaks off is cut", async () => {
  const { body, deliveries, reader } = streamed(null);
  const error = new Error("reset");
  body.tell("piece", error);
  await reader.read();
  await assertRejects(() => reader.read(), Error, "reset");
  assertEquals(deliveries, [{ kind: "truncated", bytes: 5, error }]);
});

Deno.test("a stream whose body breaks off is cut once its upload is left", async () => {
  let client!: ReadableStreamDefaultController<Uint8Array>;
  let left = false;
  const source = new ReadableStream<Uint8Array>({
    start: (it) => void (client = it),
    cancel: () => void (left = true),
  });
  const upload = serveBody(source, 100);
  const reading = upload.read();
  const { body, reader } = streamed(null, upload);
  let cut = false;
  const end = reader.read().catch(() => cut = true);
  body.tell(new Error("reset"));
  await settled();
  assertEquals([left, cut], [false, false]);
  client.enqueue(new Uint8Array(1));
  await Promise.all([reading, end]);
  assertEquals([left, cut, upload.ended], [true, true, true]);
});

Deno.test("a client that leaves a stream ends its body, though a read is under way", async () => {
  const { body, deliveries, reader } = streamed(null);
  body.tell("piece");
  await reader.read();
  const last = reader.read();
  await settled();
  await reader.cancel();
  assertEquals([body.cancelled, deliveries], [true, [{ kind: "clientGone", bytes: 5 }]]);
  body.tell("late");
  assertEquals((await last).done, true);
});

Deno.test("a piece that Deno has taken does not wait for the garbage collector", async () => {
  const { body, reader } = streamed(null);
  const piece = "x".repeat(65_536);
  body.tell(piece);
  const { value } = await reader.read();
  assertEquals(value!.byteLength, piece.length);
  body.tell("next");
  await reader.read();
  assertEquals(value!.byteLength, 0);
});

Deno.test("a large body is read into large pieces, with room for a byte too many", async () => {
  const { body, reader } = streamed(400_000);
  const piece = "x".repeat(200_000);
  body.tell(piece, piece, null);
  while (!(await reader.read()).done);
  assertEquals(body.rooms, [327_680, 200_001, undefined]);
});

Deno.test("behind a large piece that came all but empty, the next one is small", async () => {
  const { body, reader } = streamed(MEGABYTE);
  for (const bytes of [32_767, 32_767, 32_768, 40_000]) {
    body.tell("x".repeat(bytes));
    await reader.read();
  }
  assertEquals(body.rooms, [327_680, undefined, 327_680, 327_680]);
});

/** A large answer of which `beginning` came with the head. */
function begun(beginning: string, length = 300_000) {
  const answer = streamed(length);
  answer.body.ready = true;
  answer.body.tell(beginning);
  return answer;
}

Deno.test("what is here behind what came with the head goes out with it", async () => {
  const { body, deliveries, reader } = begun("a".repeat(10_000));
  body.tell("b".repeat(290_000), null);
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "a".repeat(10_000) + "b".repeat(290_000));
  assertEquals([(await reader.read()).done, deliveries], [true, [{ kind: "complete", bytes: 300_000 }]]);
  assertEquals(body.rooms, [300_001, 290_001, undefined]);
});

Deno.test("what an endpoint's connection has goes out together", async () => {
  const inlet = new Inlet(new Uint8Array(16_384).fill(1), {
    read: (into) => Promise.resolve(into.fill(2).length - 1),
  });
  inlet.end = 10_000;
  const body = new LengthBody(inlet, 300_000, { bodyEnded() {} }, true);
  const stream = responseStream(body, null, () => {});
  const { value } = await stream.getReader().read();
  assertEquals(value, new Uint8Array(300_000).fill(1, 0, 10_000).fill(2, 10_000));
});

Deno.test("behind what fills a piece by itself nothing is read", async () => {
  const { body, deliveries, reader } = begun("a".repeat(327_680), 400_000);
  assertEquals((await reader.read()).value!.length, 327_680);
  assertEquals(body.rooms, [327_680]);
  body.tell("b".repeat(72_320), null);
  assertEquals(new TextDecoder().decode((await reader.read()).value), "b".repeat(72_320));
  assertEquals([(await reader.read()).done, deliveries], [true, [{ kind: "complete", bytes: 400_000 }]]);
});

Deno.test("what a body gives in memory of its own goes out together, too", async () => {
  const { body, reader } = begun("a".repeat(10_000));
  body.own = true;
  body.tell("b".repeat(290_000));
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "a".repeat(10_000) + "b".repeat(290_000));
});

Deno.test("what came with the head does not wait for what is still to come", async () => {
  const { body, deliveries, reader } = begun("a".repeat(100));
  const first = (await reader.read()).value!;
  assertEquals([first.length, body.rooms], [100, [300_001, 299_901]]);
  const second = reader.read();
  await settled();
  // It is in the memory that the rest is read into.
  assertEquals(first.length, 100);
  body.tell("b".repeat(299_900), null);
  assertEquals(new TextDecoder().decode((await second).value), "b".repeat(299_900));
  assertEquals([(await reader.read()).done, deliveries], [true, [{ kind: "complete", bytes: 300_000 }]]);
  assertEquals([first.byteLength, (await second).value!.byteLength], [0, 0]);
});

for (const asked of [false, true]) {
  const who = asked ? "a client that waits for more and leaves" : "a client that leaves as more is awaited";
  Deno.test(`${who} leaves the memory that it is read into`, async () => {
    const { body, deliveries, reader } = begun("a".repeat(10_000));
    await reader.read();
    const second = asked ? reader.read() : null;
    await settled();
    await reader.cancel();
    await second;
    assertEquals([body.cancelled, deliveries], [true, [{ kind: "clientGone", bytes: 10_000 }]]);
    assertEquals(body.room!.length, 290_001);
  });
}

Deno.test("what came with the head goes out before the answer is cut", async () => {
  const { body, deliveries, reader } = begun("a".repeat(10_000));
  const error = new Error("reset");
  body.tell(error);
  assertEquals((await reader.read()).value!.length, 10_000);
  await assertRejects(() => reader.read(), Error, "reset");
  assertEquals(deliveries, [{ kind: "truncated", bytes: 10_000, error }]);
});

Deno.test("a body that ends with what came with its head is no more than that", async () => {
  const { body, deliveries, reader } = begun("a".repeat(10_000));
  body.tell(null, null);
  assertEquals((await reader.read()).value!.length, 10_000);
  assertEquals([(await reader.read()).done, deliveries], [true, [{ kind: "complete", bytes: 10_000 }]]);
});

for (
  const how of ["end", "break off", "are left", "are left as they are read", "are left as more is awaited"]
) {
  Deno.test(`sixty-four bodies have large pieces at a time, and others once they ${how}`, async () => {
    const all = Array.from(
      { length: 64 },
      () => how === "are left as more is awaited" ? begun("x", MEGABYTE) : streamed(MEGABYTE),
    );
    const reads = all.map(({ reader }) => reader.read());
    await settled();
    const another = async () => {
      const { body, reader } = streamed(MEGABYTE);
      const read = reader.read();
      await settled();
      const [room] = body.rooms;
      body.tell(null);
      await read;
      return room;
    };
    assertEquals(await another(), undefined);
    for (const { body, reader } of all) {
      if (how.startsWith("are left as")) await reader.cancel();
      body.tell("x".repeat(40_000), how === "end" ? null : new Error("reset"));
    }
    await Promise.all(reads);
    for (const { reader } of all) {
      if (how === "are left") await reader.cancel();
      else await reader.read().catch(() => {});
    }
    assertEquals(await another(), 327_680);
  });
}
