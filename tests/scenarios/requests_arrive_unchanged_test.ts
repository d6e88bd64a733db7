// What a client asks reaches the origin as it was: the target byte for byte, the body, fields Weir knows
// nothing of.

import { assertEquals } from "@std/assert";
import { ask, requestText } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

scenario("targets are never normalised", async (props) => {
  const targets = [
    "/a%2Fb",
    "/a/../b",
    "/a/./b",
    "/%2e%2e/x",
    "//x",
    "/a//b",
    "/a\\b",
    "/?",
    "/??a=b",
    "/a?b=c?d=/../e",
    "/%zz%",
    "/a;b=c/d",
    '/"<>^`{|}',
    "/a#b",
    "/*",
  ];
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const target of targets) {
    await client.send(requestText("GET", target));
    assertEquals([target, (await client.response()).status], [target, 200]);
  }
  assertEquals(origin.requests.map(({ target }) => target), targets);
});

scenario("the authority of an absolute-form target wins over Host", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  // RFC 9110 4.2.3: schemes are compared without case.
  for (const scheme of ["http", "HTTP", "Https"]) {
    await client.send(requestText("GET", `${scheme}://one.test/a?b`, [["Host", "two.test"]]));
    assertEquals((await client.response()).status, 200, scheme);
    const request = origin.requests.at(-1)!;
    assertEquals([request.target, request.headerAll("host")], ["/a?b", ["one.test"]], scheme);
  }
});

scenario("a URL with a fragment in place of a path is relayed as it came, or refused", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  for (const fragment of ["#x", "#x/", "#"]) {
    const { status } = await ask(weir.url, { target: `http://one.test${fragment}` });
    if (status !== 400) assertEquals([status, origin.requests.at(-1)?.target], [200, `/${fragment}`]);
  }
});

scenario("a URL without a host is refused, or relayed as a path", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const { status } = await ask(weir.url, { target: "http:///x" });
  const targets = origin.requests.map(({ target }) => target);
  assertEquals([status, targets], props.listener === "wire" ? [400, []] : [200, ["/http:///x"]]);
});

scenario("bodies of known length and chunked ones arrive whole, framed as they were", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("POST", "/", [], "known"));
  await client.response();
  await client.send("PUT / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
  await client.send("3\r\nchu\r\n4;x=y\r\nnked\r\n0\r\n\r\n");
  await client.response();
  const [known, chunked] = [await origin.request(1), await origin.request(2)];
  assertEquals([await known.text(), known.headerAll("content-length")], ["known", ["5"]]);
  assertEquals(known.header("transfer-encoding"), undefined);
  assertEquals([await chunked.text(), chunked.headerAll("transfer-encoding")], ["chunked", ["chunked"]]);
  assertEquals(chunked.header("content-length"), undefined);
});

scenario("requests without a body get none", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const method of ["GET", "DELETE", "OPTIONS", "PATCH", "QUERY", "get"]) {
    await client.send(requestText(method, "/"));
    assertEquals((await client.response()).status, 200);
    const request = origin.requests.at(-1)!;
    assertEquals([request.method, request.header("transfer-encoding")], [method, undefined]);
    assertEquals(request.bodyBytes, 0);
  }
});

scenario(
  "that there is no content is said by every method whose client says it, but for GET and HEAD",
  async (props) => {
    const origin = await props.origin(reply(200));
    const weir = await props.loop({ upstreams: origin.url });
    const client = await props.client(weir);
    for (
      const [method, told, passed] of [
        ["GET", ["0"], []],
        ["HEAD", ["0"], []],
        ["DELETE", ["0"], ["0"]],
        ["DELETE", [], []],
        ["PROPFIND", ["0"], ["0"]],
        ["PROPFIND", [], []],
        ["POST", ["0"], ["0"]],
        ["POST", [], ["0"]],
      ] as const
    ) {
      await client.send(requestText(method, "/", told.map((length) => ["Content-Length", length])));
      assertEquals((await client.response(method)).status, 200);
      assertEquals(
        origin.requests.at(-1)!.headerAll("content-length"),
        [...passed],
        `${method} with ${told}`,
      );
    }
  },
);
