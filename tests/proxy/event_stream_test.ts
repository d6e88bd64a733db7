// Where a stream of events may be ended, and where not.

import { assertEquals } from "@std/assert";
import { parseResponseHead } from "../../src/http1/response_head.ts";
import { EventStreamBody, isEventStream } from "../../src/proxy/event_stream.ts";
import { ToldBody } from "../support/told_body.ts";

/** A source whose pending read fails when it is cancelled, as a connection's does. */
class Source extends ToldBody {
  override cancel(): void {
    super.cancel();
    this.tell(new Error("cancelled"));
  }
}

function streamOf() {
  const source = new Source(null);
  const heard: string[] = [];
  const body = new EventStreamBody(source, () => heard.push("left"));
  body.onEnd = () => heard.push("end");
  const read = async () => {
    const piece = await body.read();
    return piece === null ? null : new TextDecoder().decode(piece);
  };
  return { source, body, heard, read };
}

Deno.test("isEventStream() tells streams whose events can be seen", () => {
  const of = (...lines: string[]) => {
    const fields = lines.map((word, i) => word + (i % 2 === 0 ? ": " : "\r\n")).join("");
    const bytes = new TextEncoder().encode(`HTTP/1.1 200 OK\r\n${fields}\r\n`);
    return isEventStream(parseResponseHead(bytes, 0, bytes.length, "GET"));
  };
  assertEquals(of("Content-Type", "text/event-stream"), true);
  assertEquals(of("content-type", "Text/Event-Stream; charset=utf-8"), true);
  assertEquals(of("Content-Type", "text/event-streams"), false);
  assertEquals(of("Content-Type", "application/json"), false);
  assertEquals(of(), false);
  assertEquals(of("Content-Type", "text/event-stream", "Content-Encoding", "gzip"), false);
});

for (
  const ends of [
    "\n\n",
    "\r\n\r\n",
    "\r\r",
    "\n\r\n",
    "\n\n:\n",
    "\r\n\r\n: beat\r\n:\r\n",
  ]
) {
  Deno.test(`EventStreamBody.goAway() ends a read that waits after an event ending in ${JSON.stringify(ends)}`, async () => {
    const { source, body, heard, read } = streamOf();
    const first = read();
    source.tell(`data: a${ends}`);
    assertEquals(await first, `data: a${ends}`);
    const second = read();
    body.goAway();
    assertEquals([await second, source.cancelled, heard], [null, true, ["left", "end"]]);
    assertEquals(await read(), null);
  });
}

Deno.test("EventStreamBody.goAway() lets an event that has begun come to its end, over any number of pieces", async () => {
  const { source, body, heard, read } = streamOf();
  for (const [n, piece] of ["data: a\ndata: b\n", "d", "ata: c", "\n", "\n"].entries()) {
    const reading = read();
    if (n === 1) body.goAway();
    source.tell(piece);
    assertEquals(await reading, piece);
  }
  assertEquals([await read(), source.cancelled, heard], [null, true, ["left", "end"]]);
});

Deno.test("EventStreamBody.goAway() ends a read that waits after heartbeats alone, however they came", async () => {
  const { source, body, read } = streamOf();
  for (const piece of ["data: a\r", "\n\r\n", ":\n", ": b\r", "\n:\n"]) {
    const reading = read();
    source.tell(piece);
    assertEquals(await reading, piece);
  }
  const waiting = read();
  body.goAway();
  assertEquals(await waiting, null);
});

Deno.test("EventStreamBody.goAway() before the first read ends at once", async () => {
  const { body, heard, read } = streamOf();
  body.goAway();
  assertEquals([await read(), heard], [null, ["left", "end"]]);
});

Deno.test("EventStreamBody ends once, as its endpoint or its client ends it", async () => {
  const ended = streamOf();
  const reading = ended.read();
  ended.source.tell(null);
  assertEquals([await reading, ended.heard], [null, ["end"]]);
  ended.body.goAway();
  assertEquals(ended.heard, ["end"]);
  const cancelled = streamOf();
  cancelled.body.cancel();
  cancelled.body.cancel();
  assertEquals([cancelled.source.cancelled, cancelled.heard], [true, ["end"]]);
});

Deno.test("EventStreamBody.cancel() leaves no read waiting whose piece was here already", async () => {
  const source = new ToldBody(null);
  const body = new EventStreamBody(source, () => {});
  const reading = body.read();
  source.tell("data: a\n\n");
  body.cancel();
  assertEquals(await reading, null);
});

for (
  const pieces of [
    ["data: a\r\n", "data: b\r\n\r\n"],
    ["data: a\r", "\n", "data: b\n\n"],
    ["data: a\r\n", ": beat\r", "\n", "data: b\r\n\r\n"],
    ["data: a\n", "\r\n"],
    ["\n\nd", "ata: a\r", "\r"],
    ["data: \r\nx", "\n\r"],
    ["data: a\n:\n", ":\n", "\n"],
    ["data: a", ":\n:\n\n"],
    ["data: a\n\n: be", "at\n\n"],
  ]
) {
  Deno.test(`EventStreamBody.goAway() ends no event in its middle: ${JSON.stringify(pieces)}`, async () => {
    const { source, body, read } = streamOf();
    for (const [n, piece] of pieces.entries()) {
      const reading = read();
      source.tell(piece);
      assertEquals(await reading, piece, "not before all of the event has passed");
      if (n === 0) body.goAway();
    }
    assertEquals([await read(), source.cancelled], [null, true]);
  });
}

Deno.test("EventStreamBody: a read that was given up writes nothing into memory that is the reader's again", async () => {
  const given: Uint8Array[] = [];
  const source = new Source(null);
  const read = source.read.bind(source);
  source.read = (into) => {
    given.push(into!);
    return read(into);
  };
  const body = new EventStreamBody(source, () => {});
  const into = new Uint8Array(8);
  const reading = body.read(into);
  body.goAway();
  assertEquals(await reading, null);
  given[0]!.fill(7);
  assertEquals([...into], new Array(8).fill(0));
  assertEquals(given[0]!.length, into.length, "no more is read than the reader has room for");
});
