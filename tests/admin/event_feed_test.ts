import { assert, assertEquals, assertRejects, unreachable } from "@std/assert";
import { EventFeed } from "../../src/admin/event_feed.ts";
import { settled } from "../support/settled.ts";

async function textOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  return await new Response(stream).text();
}

Deno.test("EventFeed.open() begins with the greeting and goes on with what is broadcast", async () => {
  const feed = new EventFeed();
  const reader = feed.open(() => [{ event: "history", data: "[]", retry: 2000 }])!;
  feed.broadcast({ event: "status", data: "1\n2" });
  feed.close();
  assertEquals(
    await textOf(reader),
    "event:history\ndata:[]\nretry:2000\n\nevent:status\ndata:1\ndata:2\n\n",
  );
  assertEquals(feed.size, 0);
});

Deno.test("EventFeed.open() refuses a reader too many without a greeting, until one leaves", async () => {
  const feed = new EventFeed({ readersMax: 1, waitingMax: 2 });
  const first = feed.open(() => [])!;
  // Nobody makes a greeting that nobody gets.
  assertEquals(feed.open(unreachable), null);
  await first.cancel();
  // The news of a reader that left travels through two streams.
  await settled();
  assertEquals(feed.size, 0);
  const second = feed.open(() => []);
  assert(second !== null);
  feed.close();
  await textOf(second);
});

Deno.test("EventFeed.broadcast() drops a reader that does not read, and nobody else", async () => {
  const feed = new EventFeed({ readersMax: 2, waitingMax: 3 });
  const slow = feed.open(() => [{ data: "hello" }])!;
  const quick = feed.open(() => [{ data: "hello" }])!;
  const reading = quick.getReader();
  let seen = 0;
  for (let i = 0; i < 20; i++) {
    feed.broadcast({ data: String(i) });
    await reading.read();
    seen++;
  }
  assertEquals([feed.size, seen], [1, 20]);
  await assertRejects(() => textOf(slow), Error, "fell behind");
  await reading.cancel();
});

Deno.test("EventFeed.close() ends every stream, and has nothing to end the second time", async () => {
  const feed = new EventFeed();
  const streams = [feed.open(() => [{ data: "a" }])!, feed.open(() => [{ data: "b" }])!];
  feed.close();
  feed.close();
  feed.broadcast({ data: "nobody" });
  assertEquals(await Promise.all(streams.map(textOf)), ["data:a\n\n", "data:b\n\n"]);
});
