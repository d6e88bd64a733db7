// Fields that are about one connection end there, in both directions (RFC 9110 7.6.1).

import { assertEquals } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { type Answer, reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const hopByHop: Answer["headers"] = [
  ["Connection", "keep-alive, X-Private"],
  ["connection", "X-Also-Private"],
  ["Keep-Alive", "timeout=5"],
  ["Proxy-Connection", "keep-alive"],
  ["TE", "gzip"],
  ["Upgrade", "h2c"],
  ["X-Private", "1"],
  ["x-also-private", "1"],
];
const names = hopByHop.map(([name]) => name);

scenario("hop-by-hop fields of a request stay with the client's connection", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", [...hopByHop, ["X-Public", "1"]]));
  assertEquals((await client.response()).status, 200);
  const request = await origin.request(1);
  assertEquals(names.flatMap((name) => request.headerAll(name)), []);
  assertEquals(request.header("x-public"), "1");
});

scenario("hop-by-hop fields of an answer stay with the origin's connection", async (props) => {
  const origin = await props.origin(reply(200, { headers: [...hopByHop, ["X-Public", "1"]] }));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  const answer = await client.response();
  const passed = names.filter((name) => !/^connection$/i.test(name)).flatMap((name) =>
    answer.headerAll(name)
  );
  assertEquals(passed, []);
  assertEquals(answer.headerAll("connection").filter((value) => /private/i.test(value)), []);
  assertEquals(answer.header("x-public"), "1");
});

scenario("a 426 says what its origin wants to be upgraded to, as nothing else does", async (props) => {
  const headers: Answer["headers"] = [
    ["Date", "Sat, 28 Nov 2026 03:00:00 GMT"],
    ["Connection", "upgrade, X-Private"],
    ["X-Private", "1"],
    ["Upgrade", "TLS/1.0"],
    ["Upgrade", "HTTP/1.1"],
  ];
  const simple = headers.filter(([name]) => !/private|connection/i.test(name));
  const origin = await props.origin([
    reply(426, { headers }),
    reply(426, { headers: simple }),
    reply(400, { headers }),
  ]);
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const offer of ["TLS/1.0, HTTP/1.1", "TLS/1.0, HTTP/1.1", ""]) {
    await client.send(requestText("GET", "/"));
    const answer = await client.response();
    assertEquals([answer.headerAll("upgrade").join(", "), answer.header("x-private")], [offer, undefined]);
    // RFC 9110 7.8.
    assertEquals(answer.headerAll("connection"), offer === "" ? [] : ["Upgrade"]);
  }
});

scenario("a client may not name Host, Content-Length or X-Forwarded-For as its own", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(
    requestText("POST", "/", [["Connection", "Host, Content-Length, X-Forwarded-For"]], "hi"),
  );
  assertEquals((await client.response()).status, 200);
  const request = await origin.request(1);
  assertEquals([request.header("host"), request.header("x-forwarded-for")], ["weir.test", "127.0.0.1"]);
  assertEquals(await request.text(), "hi");
});
