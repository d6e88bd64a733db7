import { assertEquals, assertRejects } from "@std/assert";
import type { Delivery } from "../../src/exchange.ts";
import type { ServeBody } from "../../src/listener/serve_body.ts";
import { responseStream } from "../../src/listener/serve_stream.ts";
import { serveBody } from "../support/serve_body.ts";
import { settled } from "../support/settled.ts";
import { ToldBody } from "../support/told_body.ts";

const MEGABYTE = 1_048_576;

/** What a test tells, and which room it was asked for. */
class Asked extends ToldBody {
  readonly rooms: (number | undefined)[] = [];

  override read(into?: Uint8Array): Promise<Uint8Array | null> {
    this.rooms.push(into?.length);
    return super.read(into);
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
  const { body, reader } = streamed(300_000);
  const piece = "x".repeat(150_000);
  body.tell(piece, piece, null);
  while (!(await reader.read()).done);
  assertEquals(body.rooms, [262_144, 150_001, undefined]);
});

for (const how of ["end", "break off", "are left", "are left as they are read"]) {
  Deno.test(`sixty-four bodies have large pieces at a time, and others once they ${how}`, async () => {
    const all = Array.from({ length: 64 }, () => streamed(MEGABYTE));
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
      if (how === "are left as they are read") await reader.cancel();
      body.tell("x".repeat(40_000), how === "end" ? null : new Error("reset"));
    }
    await Promise.all(reads);
    for (const { reader } of all) {
      if (how === "are left") await reader.cancel();
      else await reader.read().catch(() => {});
    }
    assertEquals(await another(), 262_144);
  });
}
