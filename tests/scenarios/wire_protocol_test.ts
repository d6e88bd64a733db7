// What HTTP/1.1 gives two neighbours on one connection, end to end, where the listener can: case, order of lines,
// interim answers, trailers, old clients.

import { assertEquals } from "@std/assert";
import type { Header } from "../support/raw_http.ts";
import { ask, requestText } from "../support/raw_client.ts";
import {
  afterHead,
  chunk,
  chunked,
  close,
  Gate,
  head,
  interim,
  readBody,
  reply,
  replyRaw,
  scene,
  wait,
} from "../support/raw_origin.ts";
import { ALL_BUT_SERVE, scenario } from "../support/scenario.ts";

const WIRE = { listeners: ALL_BUT_SERVE };

const LINES = [["X-b", "1"], ["x-A", "2"], ["X-B", "3"], ["ETag", '"x"'], ["x-A", ""]] as Header[];

function ofThese(all: readonly Header[]): Header[] {
  return all.filter(([name]) => /^(x-[ab]|etag)$/i.test(name));
}

scenario("names of a request keep their case, its lines their order and repeats", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  await ask(weir.url, { headers: LINES });
  assertEquals(ofThese((await origin.request(1)).headers), LINES);
});

scenario("an answer keeps its lines as they are, and the words of its reason", async (props) => {
  const origin = await props.origin(reply(200, { headers: LINES, reason: "Quite Fine" }));
  const weir = await props.loop({ upstreams: origin.url });
  const answer = await ask(weir.url);
  assertEquals(answer.reason, "Quite Fine");
  assertEquals(ofThese(answer.headers), LINES);
}, WIRE);

scenario(
  "interim answers reach the client before the final one, but no client of HTTP/1.0",
  async (props) => {
    const hints = interim(103, [["Link", "</a.css>; rel=preload"]]);
    const origin = await props.origin(afterHead(hints, interim(102), readBody(), reply(200)));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send(requestText("GET", "/"));
    const early = await client.response();
    assertEquals([early.status, early.header("link")], [103, "</a.css>; rel=preload"]);
    assertEquals((await client.response()).status, 102);
    assertEquals((await client.response()).status, 200);
    const old = await props.client(weir);
    await old.send("GET / HTTP/1.0\r\n\r\n");
    assertEquals((await old.response()).status, 200);
  },
  WIRE,
);

scenario("an origin refuses an upload before its body is sent, by Expect", async (props) => {
  const origin = await props.origin(afterHead(reply(413, { body: "no" }), close()));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  assertEquals([(await client.response()).status, await client.untilClosed()], [413, ""]);
  assertEquals((await origin.request(1)).header("expect"), "100-continue");
}, WIRE);

scenario("a client that names its Expect in Connection gets its 100 all the same", async (props) => {
  const origin = await props.origin(afterHead(interim(100), readBody(), reply(200)));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  const lines = "Host: a.test\r\nContent-Length: 4\r\nConnection: Expect\r\nExpect: 100-continue\r\n";
  await client.send(`PUT / HTTP/1.1\r\n${lines}\r\n`);
  assertEquals((await origin.request(1)).header("expect"), "100-continue");
  assertEquals((await client.response()).status, 100);
  await client.send("body");
  assertEquals([(await client.response()).status, await (await origin.request(1)).text()], [200, "body"]);
}, WIRE);

scenario("trailers pass in both directions", async (props) => {
  const headers = [["Trailer", "X-Sum, Server-Timing"]] as const;
  const trailers = [["X-Sum", "7"], ["Server-Timing", "a"]] as const;
  const origin = await props.origin(chunked(["x"], { headers: [...headers], trailers: [...trailers] }));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  const upload = `${chunk("body")}0\r\nX-Digest: abc\r\n\r\n`;
  const lines = "Host: a.test\r\nTE: trailers\r\nTrailer: X-Digest\r\nTransfer-Encoding: chunked\r\n";
  await client.send(`POST / HTTP/1.1\r\n${lines}\r\n${upload}`);
  const answer = await client.response();
  assertEquals([answer.header("trailer"), answer.trailers], ["X-Sum, Server-Timing", [...trailers]]);
  const request = await origin.request(1);
  assertEquals([await request.text(), request.trailers], ["body", [["X-Digest", "abc"]]]);
  assertEquals(["te", "connection", "trailer"].map((name) => request.header(name)), [
    "trailers",
    "TE",
    "X-Digest",
  ]);
}, WIRE);

scenario("trailers that Connection names stay behind, in both directions", async (props) => {
  const hop = [["Connection", "close, X-Hop"], ["connection", "x-HOP-2"]] as const;
  const trailers = [["X-Hop", "1"], ["x-hop-2", "1"], ["X-Sum", "7"]] as const;
  const origin = await props.origin(chunked(["x"], { headers: [...hop], trailers: [...trailers] }));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  const lines = (list: readonly (readonly [string, string])[]) =>
    list.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await client.send(
    `POST / HTTP/1.1\r\nHost: a.test\r\n${lines(hop)}Transfer-Encoding: chunked\r\n\r\n${chunk("body")}0\r\n${
      lines(trailers)
    }\r\n`,
  );
  assertEquals((await client.response()).trailers, [["X-Sum", "7"]]);
  const request = await origin.request(1);
  assertEquals([await request.text(), request.trailers], ["body", [["X-Sum", "7"]]]);
}, WIRE);

scenario("a request's trailers hold no name that Weir vouches for in its head", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  const names = ["X-Request-Id", "x_request_id", "X-Forwarded-For", "X_Forwarded_For", "X_Real-IP", "Via"];
  const trailers = ["X-Sum", ...names, "X_Sum"].map((name) => `${name}: 8\r\n`).join("");
  await client.send(
    `POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${
      chunk("body")
    }0\r\n${trailers}\r\n`,
  );
  assertEquals((await client.response()).status, 200);
  const request = await origin.request(1);
  assertEquals([await request.text(), request.trailers], ["body", [["X-Sum", "8"], ["X_Sum", "8"]]]);
}, WIRE);

scenario(
  "a client of HTTP/1.0 gets its answer by length or until the end, and keeps alive on request",
  async (props) => {
    const origin = await props.origin([
      reply(200, { body: "known" }),
      chunked(["un", "known"]),
    ]);
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    await client.send("GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n");
    const known = await client.response();
    assertEquals([known.text, known.header("connection")], ["known", "keep-alive"]);
    await client.send("GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n");
    const unknown = await client.response();
    assertEquals([unknown.header("transfer-encoding"), unknown.header("connection")], [undefined, "close"]);
    assertEquals([unknown.text, unknown.ended], ["unknown", "clean"]);
  },
  WIRE,
);

scenario("a client that half-closes after its last request gets the answer", async (props) => {
  const gate = new Gate();
  const origin = await props.origin(scene(wait(gate), reply(200, { body: "late" })));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", [["Connection", "close"]]));
  await client.halfClose();
  await origin.request(1);
  gate.open();
  assertEquals((await client.response()).text, "late");
  assertEquals([await client.untilClosed(), client.ending], ["", "end"]);
}, WIRE);

scenario("a last answer is read whole by a client that is still sending", async (props) => {
  const origin = await props.origin(afterHead(reply(413, { body: "x".repeat(200_000) })));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 90000000\r\n\r\n");
  const sending = (async () => {
    for (let i = 0; i < 20; i++) await client.send(new Uint8Array(65_536));
  })();
  const answer = await client.response();
  assertEquals([answer.status, answer.body.length, answer.ended], [413, 200_000, "clean"]);
  assertEquals(answer.header("connection"), "close");
  await sending;
}, WIRE);

scenario("what cannot be read is answered, logged and counted like any request", async (props) => {
  const origin = await props.origin(replyRaw(""));
  const weir = await props.weir({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("GET / HTTP/1.1\nHost: a.test\n\n");
  const answer = await client.response();
  assertEquals([answer.status, answer.header("proxy-status")], [400, "weir; error=http_request_error"]);
  const line = JSON.parse(await weir.line(/"status":400/));
  assertEquals([line.client, line.cause], ["127.0.0.1", "http_request_error"]);
  assertEquals(await weir.metric("weir_bad_requests_total"), 1);
  assertEquals(await weir.metric("weir_requests_total"), 1);
}, WIRE);

scenario("a GET and a HEAD with a body reach the origin whole", async (props) => {
  const origin = await props.origin(scene(readBody(), head(200, [["Content-Length", "0"]])));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const [n, method] of ["GET", "HEAD"].entries()) {
    await client.send(requestText(method, "/", [], "query"));
    assertEquals((await client.response(method)).status, 200);
    assertEquals(await (await origin.request(n + 1)).text(), "query");
  }
}, WIRE);
