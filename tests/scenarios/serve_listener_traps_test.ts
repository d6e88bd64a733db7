// What Deno.serve does with requests and answers on its own account must not show on either side of Weir.

import { assert, assertEquals } from "@std/assert";
import { ask, requestText } from "../support/raw_client.ts";
import { hang, head, reply, replyRaw, scene } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const post = (lines: string, body: string) => `POST / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n${body}`;

const ambiguous: Record<string, string> = {
  "a length and chunked": post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
  "chunked and a length": post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
  "two lengths that differ": post("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"),
  "a list of lengths": post("Content-Length: 2, 2\r\n", "ab"),
  "a length with a sign": post("Content-Length: +2\r\n", "ab"),
  "a coding that is not chunked": post("Transfer-Encoding: identity\r\n", "ab"),
  "a coding under chunked": post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
  "a space before the colon": post("X-A : 1\r\nContent-Length: 2\r\n", "ab"),
  "a folded line": post("X-A: 1\r\n 2\r\nContent-Length: 2\r\n", "ab"),
  "another scheme": requestText("GET", "ftp://a.test/"),
};

scenario("requests that two readers could read differently are refused", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  for (const [what, text] of Object.entries(ambiguous)) {
    const client = await props.client(weir);
    await client.send(text);
    const { status } = await client.response();
    assert(status === 400 || status === 501, `${what}: ${status}`);
  }
  assertEquals(origin.requests.length, 0);
});

scenario("chunks that are none are answered 400, counted and logged", async (props) => {
  const origin = await props.origin(hang());
  const weir = await props.weir({ upstreams: origin.url });
  for (const [n, chunks] of ["5\r\nhelloX\r\n", "5\r\nhello\r\nZZ\r\n"].entries()) {
    const client = await props.client(weir);
    await client.send(post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n"));
    const request = await origin.request(n + 1);
    await client.send(chunks);
    const answer = await client.response();
    assertEquals([answer.status, answer.text], [400, "400 Bad Request: the request body is malformed\n"]);
    assertEquals(await request.arrived, false);
  }
  await weir.line(/"status":400.*"end":"complete"/);
  await until("both are counted", async () => await weir.metric("weir_bad_requests_total") === 2);
});

scenario("two equal lengths are refused or sent on as one", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"));
  const { status } = await client.response();
  if (status !== 400) assertEquals((await origin.request(1)).headerAll("content-length"), ["2"]);
});

scenario("Weir invents no Content-Type, no Server, no second Date, no encoding", async (props) => {
  const plain = [["Date", "Wed, 21 Oct 2015 07:28:00 GMT"], ["Content-Length", "100"]] as const;
  const origin = await props.origin(scene(head(200, plain), replyRaw("w".repeat(100))));
  const weir = await props.weir({ upstreams: origin.url, env: { DENO_SERVE_AUTOMATIC_COMPRESSION: "1" } });
  const answer = await ask(weir.url, { headers: [["Accept-Encoding", "gzip, br"]] });
  assertEquals(answer.headerAll("date"), ["Wed, 21 Oct 2015 07:28:00 GMT"]);
  for (const name of ["content-type", "server", "content-encoding", "vary", "etag"]) {
    assertEquals([name, answer.header(name)], [name, undefined]);
  }
  assertEquals(answer.text, "w".repeat(100));
});

scenario("a Date is added where the origin sent none", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  assert(!Number.isNaN(Date.parse((await ask(weir.url)).header("date") ?? "")));
});

scenario("statuses that cannot be sent on become 502", async (props) => {
  const origin = await props.origin([reply(600), replyRaw("HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n")]);
  const weir = await props.loop({ upstreams: origin.url });
  for (let n = 0; n < 2; n++) {
    assertEquals((await ask(weir.url, { method: "POST", body: "x" })).status, 502);
  }
}, { listeners: ["serve"] });

const resets: Record<string, string> = {
  "a length of 0": "Content-Length: 0\r\n\r\n",
  "a body all the same": "Content-Length: 5\r\n\r\nhello",
  "an empty chunked body": "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
};

scenario("a 205 ends, and the next answer is the next request's", async (props) => {
  for (const [what, rest] of Object.entries(resets)) {
    for (const method of ["POST", "HEAD"]) {
      const reset = replyRaw(`HTTP/1.1 205 Reset Content\r\n${method === "HEAD" ? "\r\n" : rest}`);
      const origin = await props.origin([reset, reply(200, { body: "second" })]);
      const weir = await props.loop({ upstreams: origin.url });
      const client = await props.client(weir);
      await client.send(requestText(method, "/form", [], ""));
      await client.send(requestText("GET", "/next"));
      const first = await client.response(method);
      assertEquals([first.status, first.text], [204, ""], what);
      assertEquals([first.header("content-length"), first.header("transfer-encoding")], [
        undefined,
        undefined,
      ]);
      assertEquals((await client.response()).text, "second", what);
    }
  }
}, { listeners: ["serve"] });

scenario("a client of HTTP/1.0 that keeps its connection passes for none of HTTP/2", async (props) => {
  const origin = await props.origin([reply(205), reply(200, { body: "second" })]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  const next = "GET /next HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  await client.send(`POST /form HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n`);
  assertEquals((await client.response()).status, 204);
  await client.send(next);
  assertEquals((await client.response()).text, "second");
  assertEquals((await origin.request(2)).header("via")!.split(" ")[0], "1.1");
}, { listeners: ["serve"] });

scenario("variables that steer Deno or clients do not steer Weir", async (props) => {
  const origin = await props.origin(reply(200, { body: "reached" }));
  const nowhere = "http://127.0.0.1:9";
  const env = {
    HTTP_PROXY: nowhere,
    http_proxy: nowhere,
    ALL_PROXY: nowhere,
    DENO_SERVE_ADDRESS: "tcp:127.0.0.1:9",
  };
  const weir = await props.weir({ upstreams: origin.url, env });
  assertEquals((await ask(weir.url)).text, "reached");
});

scenario("bytes above 0x7f in fields pass both ways", async (props) => {
  const origin = await props.origin(reply(200, { headers: [["X-Odd", "\u00ff\u0080\u00e9"]] }));
  const weir = await props.loop({ upstreams: origin.url });
  const answer = await ask(weir.url, { headers: [["X-Odd", "\u00e9\u0080\u00ff"]] });
  assertEquals(answer.header("x-odd"), "\u00ff\u0080\u00e9");
  assertEquals((await origin.request(1)).header("x-odd"), "\u00e9\u0080\u00ff");
});

scenario("watching whether clients leave makes Deno warn operators of nothing", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.weir({ upstreams: origin.url });
  const upgrade = [["Connection", "Upgrade"], ["Upgrade", "x"]] as const;
  assertEquals((await ask(weir.url, { headers: upgrade })).status, 200);
  await weir.stop();
  assertEquals(weir.stderr, []);
}, { listeners: ["serve"] });
