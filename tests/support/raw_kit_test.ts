// The kit that every scenario stands on: what it says of the wire must be true.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ask, RawClient, requestText } from "./raw_client.ts";
import {
  afterHead,
  chunked,
  close,
  drip,
  flood,
  Gate,
  hang,
  head,
  idleClose,
  interim,
  readBody,
  reply,
  replyRaw,
  reset,
  scene,
  startOrigin,
} from "./raw_origin.ts";
import { standstill } from "./until.ts";

function kitTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true });
}

kitTest("RawOrigin keeps the request as it stood on the wire", async () => {
  await using origin = await startOrigin([reply(201, { headers: [["X-A", "1"], ["x-a", "2"]], body: "ok" })]);
  const answer = await ask(origin.url, {
    method: "POST",
    target: "/a/../b?%zz",
    headers: [["X-Odd", "é"]],
    body: "hi",
  });
  const request = await origin.request(1);
  assertEquals(
    request.head.text,
    "POST /a/../b?%zz HTTP/1.1\r\nHost: weir.test\r\nX-Odd: é\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
  );
  assertEquals([request.target, request.header("x-odd"), await request.text()], ["/a/../b?%zz", "é", "hi"]);
  assertEquals([answer.statusLine, answer.headerAll("x-a"), answer.text], [
    "HTTP/1.1 201 Created",
    ["1", "2"],
    "ok",
  ]);
  assertEquals(answer.ended, "clean");
});

kitTest("RawOrigin answers pipelined requests in order on one connection", async () => {
  await using origin = await startOrigin([reply(200, { body: "one" }), chunked(["t", "wo"]), reply(204)]);
  await using client = await RawClient.connect(origin.url);
  await client.send(requestText("GET", "/1") + requestText("GET", "/2") + requestText("GET", "/3"));
  assertEquals((await client.response()).text, "one");
  assertEquals((await client.response()).text, "two");
  assertEquals((await client.response()).status, 204);
  assertEquals(origin.connections.length, 1);
  assertEquals(origin.connections[0]!.requests.map(({ target }) => target), ["/1", "/2", "/3"]);
});

kitTest("RawOrigin sends a real reset, before the head and within the body", async () => {
  const gate = new Gate();
  const partial = [head(200, [["Content-Length", "10"]]), replyRaw("half"), drip([""], gate), reset()];
  await using origin = await startOrigin([reset(), scene(...partial)]);
  await using first = await RawClient.connect(origin.url);
  await first.send(requestText("GET", "/"));
  await assertRejects(() => first.response(), Error, "reset");
  await using second = await RawClient.connect(origin.url);
  await second.send(requestText("GET", "/"));
  await second.head();
  assertEquals(await second.read(4), new TextEncoder().encode("half"));
  gate.open();
  assertEquals([await second.untilClosed(), second.ending], ["", "reset"]);
});

kitTest("RawClient tells a clean end from a cut one", async () => {
  const short = scene(head(200, [["Content-Length", "9"]]), replyRaw("four"), close());
  const unended = scene(head(200, [["Transfer-Encoding", "chunked"]]), replyRaw("4\r\nfour\r\n"), close());
  const untilClose = scene(head(200), replyRaw("four"), close());
  await using origin = await startOrigin([
    short,
    unended,
    untilClose,
    chunked(["four"], { trailers: [["T", "1"]] }),
  ]);
  for (const ended of ["cut", "cut", "clean", "clean"] as const) {
    const answer = await ask(origin.url);
    assertEquals([answer.text, answer.ended], ["four", ended]);
  }
});

kitTest("RawOrigin sees how a client leaves", async () => {
  await using origin = await startOrigin(hang());
  for (const [n, how] of [[1, "end"], [2, "reset"]] as const) {
    await using client = await RawClient.connect(origin.url);
    await client.send(requestText("GET", "/"));
    await origin.request(n);
    await (how === "end" ? client.close() : client.reset());
    assertEquals(await (await origin.connection(n)).left, how);
  }
});

kitTest("RawOrigin marks a request whose body did not arrive whole", async () => {
  await using origin = await startOrigin(reply(200));
  await using client = await RawClient.connect(origin.url);
  await client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  const request = await origin.request(1);
  await client.halfClose();
  assertEquals([await request.arrived, request.bodyBytes], [false, 3]);
});

kitTest("RawOrigin can answer before the body, and inform before it answers", async () => {
  const patient = afterHead(interim(100), readBody(), interim(103, [["Link", "</a>"]]), reply(200));
  await using origin = await startOrigin([patient, afterHead(reply(413), close())]);
  await using client = await RawClient.connect(origin.url);
  await client.send("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  assertEquals((await client.response()).status, 100);
  await client.send("hi");
  const early = await client.response();
  assertEquals([early.status, early.header("link")], [103, "</a>"]);
  assertEquals((await client.response()).status, 200);
  await client.send("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n");
  assertEquals((await client.response()).status, 413);
});

kitTest("RawOrigin stops sending while the client does not read", async () => {
  await using origin = await startOrigin(
    scene(head(200, [["Content-Length", "1000000000"]]), flood(1_000_000_000)),
  );
  await using client = await RawClient.connect(origin.url);
  await client.send(requestText("GET", "/"));
  await client.head();
  const connection = await origin.connection(1);
  const sent = await standstill(() => connection.bytesSent);
  assert(sent < 64_000_000, `${sent} bytes sent to nobody`);
});

kitTest("RawOrigin closes an idle connection, stops, and comes back on its address", async () => {
  const gate = new Gate();
  await using origin = await startOrigin(scene(reply(200), idleClose(gate)));
  await using client = await RawClient.connect(origin.url);
  await client.send(requestText("GET", "/"));
  assertEquals((await client.response()).status, 200);
  gate.open();
  assertEquals([await client.untilClosed(), client.ending], ["", "end"]);
  await origin.stop();
  await assertRejects(() => ask(origin.url), Error, "ECONNREFUSED");
  await origin.listen();
  assertEquals((await ask(origin.url)).status, 200);
});
