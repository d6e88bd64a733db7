// Long-lived answers and uploads: every piece goes on when it comes, in both directions.

import { assertEquals } from "@std/assert";
import { type RawClient, requestText } from "../support/raw_client.ts";
import { fromLatin1 } from "../support/raw_http.ts";
import {
  afterHead,
  chunk,
  chunked,
  Gate,
  head,
  interim,
  readBody,
  reply,
  replyRaw,
  scene,
  wait,
} from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const EVENTS = 100;
const event = (n: number) => `id: ${n}\ndata: event ${n}\n\n`;

scenario("each server-sent event is seen before the next is sent", async (props) => {
  const gate = new Gate();
  const sends = Array.from({ length: EVENTS }, (_, n) => scene(wait(gate), replyRaw(chunk(event(n)))));
  const stream = head(200, [["Content-Type", "text/event-stream"], ["Transfer-Encoding", "chunked"]]);
  const origin = await props.origin(scene(stream, ...sends, replyRaw("0\r\n\r\n")));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/events", [["Accept", "text/event-stream"]]));
  await client.head();
  for (let n = 0; n < EVENTS; n++) {
    gate.open(1);
    assertEquals(await nextChunk(client), event(n));
  }
  assertEquals(fromLatin1(await client.read(5)), "0\r\n\r\n");
});

/** Its content; the size may have zeros before it (RFC 9112 7.1). */
async function nextChunk(client: RawClient): Promise<string> {
  let line = "";
  while (!line.endsWith("\r\n")) line += fromLatin1(await client.read(1));
  const content = fromLatin1(await client.read(parseInt(line, 16)));
  assertEquals(fromLatin1(await client.read(2)), "\r\n");
  return content;
}

scenario("a long poll is answered whenever its origin answers", async (props) => {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200, { body: "at last" })));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/poll"));
  await origin.request(1);
  gate.open();
  assertEquals((await client.response()).text, "at last");
});

scenario("a request's head does not wait for its body", async (props) => {
  for (const framing of ["Content-Length: 4", "Transfer-Encoding: chunked"]) {
    const early = afterHead(interim(103), head(200, [["Content-Length", "2"]]), readBody(), replyRaw("ok"));
    const origin = await props.origin(early);
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(`POST / HTTP/1.1\r\nHost: a.test\r\n${framing}\r\n\r\n`);
    const request = await origin.request(1);
    assertEquals(request.bodyBytes, 0);
    await client.send(framing.startsWith("C") ? "body" : chunk("body") + "0\r\n\r\n");
    assertEquals(await request.text(), "body");
    let answer = await client.response();
    while (answer.status < 200) answer = await client.response();
    assertEquals([answer.status, answer.text], [200, "ok"]);
  }
});

scenario("an upload reaches the origin piece by piece", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
  const request = await origin.request(1);
  for (let n = 1; n <= 10; n++) {
    await client.send(chunk("0123456789"));
    await until(`piece ${n} is there`, () => request.bodyBytes === n * 10);
  }
  await client.send("0\r\n\r\n");
  assertEquals((await client.response()).status, 200);
});

scenario("multipart, ranges and 304 pass as they are", async (props) => {
  const boundary = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n";
  const part = { headers: [["Content-Range", "bytes 2-4/10"], ["ETag", '"v1"']] as const, body: "234" };
  const origin = await props.origin([
    reply(201),
    reply(206, part),
    reply(416, { headers: [["Content-Range", "bytes */10"]] }),
    reply(304, { headers: [["ETag", '"v1"']] }),
    chunked(["mixed"], { headers: [["Content-Type", "multipart/byteranges; boundary=x"]], status: 206 }),
  ]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(
    requestText("POST", "/", [["Content-Type", "multipart/form-data; boundary=x"]], boundary),
  );
  assertEquals((await client.response()).status, 201);
  const form = await origin.request(1);
  assertEquals(form.header("content-type"), "multipart/form-data; boundary=x");
  assertEquals(await form.text(), boundary);

  await client.send(requestText("GET", "/", [["Range", "bytes=2-4"], ["If-Range", '"v1"']]));
  const ranged = await client.response();
  assertEquals([ranged.status, ranged.text, ranged.header("content-range")], [206, "234", "bytes 2-4/10"]);
  assertEquals((await origin.request(2)).header("range"), "bytes=2-4");
  assertEquals((await origin.request(2)).header("if-range"), '"v1"');
  await client.send(requestText("GET", "/", [["Range", "bytes=20-"]]));
  const beyond = await client.response();
  assertEquals([beyond.status, beyond.header("content-range")], [416, "bytes */10"]);
  await client.send(requestText("GET", "/", [["If-None-Match", '"v1"']]));
  const fresh = await client.response();
  assertEquals([fresh.status, fresh.header("etag"), fresh.text], [304, '"v1"', ""]);
  await client.send(requestText("GET", "/", [["Range", "bytes=0-0,2-2"]]));
  const several = await client.response();
  assertEquals([several.status, several.text], [206, "mixed"]);
  assertEquals(several.header("content-type"), "multipart/byteranges; boundary=x");
});
