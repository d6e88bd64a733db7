// What an origin answers reaches the client as it was: status, lines in their order, bytes, framing.

import { assertEquals } from "@std/assert";
import { ask, requestText } from "../support/raw_client.ts";
import { type Answer, chunked, close, head, reply, replyRaw, scene } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const everyByte = new Uint8Array(256).map((_, byte) => byte);

scenario("bodies of known length, chunked ones and those until close arrive whole", async (props) => {
  const untilClose = scene(head(200), replyRaw("to the end"), close());
  const origin = await props.origin([
    reply(200, { body: everyByte }),
    chunked(["two ", "chunks"]),
    untilClose,
  ]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const [body, length] of [[String.fromCharCode(...everyByte), "256"], ["two chunks"], ["to the end"]]) {
    await client.send(requestText("GET", "/"));
    const answer = await client.response();
    assertEquals([answer.text, answer.header("content-length"), answer.ended], [body, length, "clean"]);
  }
});

scenario("chunks that come at once arrive in chunks, and without them over HTTP/1.0", async (props) => {
  const text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntwo \r\n6\r\nchunks\r\n0\r\n\r\n";
  const origin = await props.origin([replyRaw(text), replyRaw(text)]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  const answer = await client.response();
  assertEquals([answer.text, answer.header("transfer-encoding")], ["two chunks", "chunked"]);
  assertEquals([answer.header("content-length"), answer.ended], [undefined, "clean"]);
  await client.send("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
  const old = await client.response();
  assertEquals([old.text, old.header("transfer-encoding"), old.ended], ["two chunks", undefined, "clean"]);
});

scenario("Set-Cookie lines stay apart, and encoded content stays encoded", async (props) => {
  const headers: Answer["headers"] = [
    ["Set-Cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
    ["Set-Cookie", "b=2"],
    ["Content-Encoding", "gzip"],
    ["X-Latin", "caf\u00e9"],
    ["ETag", 'W/"1"'],
    ["Server", "scripted"],
    ["Date", "Wed, 21 Oct 2015 07:28:00 GMT"],
  ];
  const origin = await props.origin(reply(200, { headers, body: "not really gzip" }));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", [["Accept-Encoding", "gzip"]]));
  const answer = await client.response();
  for (const name of new Set(headers.map(([name]) => name))) {
    assertEquals(answer.headerAll(name), headers.filter(([line]) => line === name).map(([, value]) => value));
  }
  assertEquals(answer.text, "not really gzip");
});

scenario("answers without a body end with their head", async (props) => {
  const cases = [
    ["HEAD", reply(200, { headers: [["Content-Length", "1000"]] }), "1000"],
    ["HEAD", head(200, [["Transfer-Encoding", "chunked"]]), undefined],
    ["GET", reply(204), undefined],
    ["GET", reply(304, { headers: [["ETag", '"1"']] }), undefined],
    ["GET", head(304, [["Content-Length", "1000"]]), props.listener === "wire" ? "1000" : undefined],
  ] as const;
  const origin = await props.origin(cases.map(([, step]) => step));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const [method, , length] of cases) {
    await client.send(requestText(method, "/"));
    const answer = await client.response(method);
    assertEquals([answer.header("content-length"), answer.ended, answer.text], [length, "clean", ""]);
  }
});

scenario("a part that the client asked for comes as the origin cut it", async (props) => {
  const part = reply(206, { headers: [["Content-Range", "bytes 2-4/9"]], body: "cde" });
  const origin = await props.origin(part);
  const weir = await props.loop({ upstreams: origin.url });
  const answer = await ask(weir.url, { headers: [["Range", "bytes=2-4"], ["If-Range", '"1"']] });
  assertEquals([answer.status, answer.header("content-range"), answer.text], [206, "bytes 2-4/9", "cde"]);
  const request = await origin.request(1);
  assertEquals([request.header("range"), request.header("if-range")], ["bytes=2-4", '"1"']);
});

scenario("statuses that Weir has never heard of pass", async (props) => {
  for (const status of [207, 299, 418, 499, 599]) {
    const origin = await props.origin(reply(status, { body: "so be it" }));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/"));
    const answer = await client.response();
    assertEquals([answer.status, answer.text], [status, "so be it"]);
  }
});
