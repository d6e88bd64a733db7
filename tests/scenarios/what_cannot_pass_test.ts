// What cannot pass is refused in words, before any origin sees it; what can do without is served without.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import type { Header } from "../support/raw_http.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { handshake } from "../support/websocket.ts";

scenario("a WebSocket handshake that is not one is refused before the origin sees it", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const invalid: readonly [text: string, status: number, says: string][] = [
    [handshake("/", [["Sec-WebSocket-Version", "8"]]), 426, "version is not 13"],
    [handshake("/", [["Sec-WebSocket-Version", ""]]), 400, "version is not 13"],
    [
      handshake("/", [["Sec-WebSocket-Version", "13"], ["sec-websocket-version", "8"]]),
      400,
      "version is not 13",
    ],
    [handshake("/", [["Sec-WebSocket-Key", ""]]), 400, "not 16 bytes"],
    [handshake("/", [["Sec-WebSocket-Key", "c2hvcnQ="]]), 400, "not 16 bytes"],
    [handshake("/", [["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR=="]]), 400, "not 16 bytes"],
    [handshake("/", [], "PUT"), 400, "is a GET"],
  ];
  for (const [text, status, says] of invalid) {
    const client = await props.client(weir);
    await client.send(text);
    const answer = await client.response();
    assertEquals(answer.status, status, text);
    assertStringIncludes(answer.text, says);
    if (says.startsWith("version")) assertEquals(answer.header("sec-websocket-version"), "13");
    const offer = [...answer.headerAll("upgrade"), ...answer.headerAll("connection")];
    assertEquals(offer, says.startsWith("version") ? ["websocket", "Upgrade"] : []);
  }
  assertEquals(origin.requests.length, 0);
});

const H2C: readonly Header[] = [
  ["Connection", "Upgrade, HTTP2-Settings"],
  ["Upgrade", "h2c"],
  ["HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"],
];

scenario("another upgrade is served without it", async (props) => {
  const origin = await props.origin(reply(200, { body: "plain" }));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", H2C));
  const answer = await client.response();
  assertEquals([answer.status, answer.text, answer.header("upgrade")], [200, "plain", undefined]);
  const request = await origin.request(1);
  for (const name of ["upgrade", "connection", "http2-settings"]) {
    assertEquals(request.header(name), undefined);
  }
});

scenario("another upgrade is refused with 501 where the operator says so", async (props) => {
  const origin = await props.origin(reply(200));
  const upstreams = { default: { endpoints: [origin.url] } };
  const weir = await props.loop({ config: { upstreams, unknownUpgrade: "refuse" } });
  const client = await props.client(weir);
  await client.send(requestText("GET", "/", H2C));
  const answer = await client.response();
  assertEquals(answer.status, 501);
  assertStringIncludes(answer.text, "an upgrade to h2c cannot pass");
  await client.send(requestText("GET", "/", [["Connection", "Upgrade"], ["Upgrade", "\xfc".repeat(4_000)]]));
  assertStringIncludes(
    (await client.response()).text,
    `an upgrade to ${"\\xfc".repeat(64)}... cannot pass here\n`,
  );
  await client.send(requestText("GET", "/", [["Upgrade", "h2c"]]));
  assertEquals((await client.response()).status, 200, "without Connection: upgrade nobody asked");
  assertEquals(origin.requests.length, 1);
});

scenario("gRPC is refused in its own words, gRPC-Web passes", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const type of ["application/grpc", "application/grpc+proto", "Application/GRPC; charset=x"]) {
    await client.send(requestText("POST", "/pkg.Service/Call", [["Content-Type", type]], ""));
    const answer = await client.response();
    assertEquals([answer.status, answer.header("grpc-status"), answer.text], [501, "12", ""], type);
    assertEquals(answer.header("content-type"), "application/grpc");
    assertStringIncludes(answer.header("grpc-message")!, "HTTP/2");
  }
  for (const type of ["application/grpc-web", "application/grpc-web+proto"]) {
    await client.send(requestText("POST", "/pkg.Service/Call", [["Content-Type", type]], "frame"));
    assertEquals((await client.response()).status, 200, type);
  }
});

scenario("what speaks no HTTP/1.1 is answered with its first line", async (props) => {
  const origin = await props.origin(reply(200));
  const loop = await props.loop({ upstreams: origin.url });
  for (
    const beginning of [
      "GET /\r\n",
      "SSH-2.0-OpenSSH_9.6\r\n",
      "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
      "GET / HTTP/1.1\r\nHost : a.test\r\n",
    ]
  ) {
    const client = await props.client(loop);
    await client.send(requestText("GET", "/"));
    assertEquals((await client.response()).status, 200);
    await client.send(beginning);
    assertEquals((await client.response()).status, 400, beginning);
    assertEquals(await client.untilClosed(), "");
  }
});
