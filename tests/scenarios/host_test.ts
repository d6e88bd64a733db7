// Which Host fields are taken, and which are refused before any origin hears of them (RFC 9112 3.2).

import { assertEquals, assertMatch } from "@std/assert";
import { requestText } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

const refused = [
  "a/evil",
  "a?x",
  "a#x",
  "a b",
  "a<>",
  "a:abc",
  "a:99999",
  "user@a",
  "[::1",
  "::1",
  "a\\b",
  "caf\u00e9.test",
];

scenario("a Host that is no host[:port] is a bad request", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  for (const host of refused) {
    const client = await props.client(weir);
    await client.send(requestText("GET", "/", [["Host", host]]));
    assertEquals([host, (await client.response()).status], [host, 400]);
  }
  for (const lines of ["Host: a.test\r\nHost: a.test\r\n", "Host: a.test\r\nhost: b.test\r\n"]) {
    const client = await props.client(weir);
    await client.send(`GET / HTTP/1.1\r\n${lines}\r\n`);
    assertEquals([lines, (await client.response()).status], [lines, 400]);
  }
  assertEquals(origin.requests.length, 0);
});

scenario("a Host is passed on as it was", async (props) => {
  const hosts = [
    "a.test",
    "A.Test:8080",
    "192.0.2.1:80",
    "[2001:db8::1]:3000",
    "a_b.test",
    "xn--caf-dma.test",
  ];
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  for (const host of hosts) {
    await client.send(requestText("GET", "/", [["Host", host]]));
    assertEquals([host, (await client.response()).status], [host, 200]);
  }
  assertEquals(origin.requests.map((request) => request.headerAll("host")), hosts.map((host) => [host]));
});

scenario("a client of HTTP/1.0 that names no host asks Weir's own address", async (props) => {
  const origin = await props.origin(reply(200));
  const upstreams = { default: { endpoints: [origin.url] } };
  const redirect = { to: "https://{host}{path}", status: 302 };
  const routes = [{ match: { path: "/old" }, redirect }, { upstream: "default" }];
  const weir = await props.loop({ config: { upstreams, routes } });
  const { port } = new URL(weir.url);
  const ask = async (target: string) => {
    const client = await props.client(weir);
    await client.send(`GET ${target} HTTP/1.0\r\n\r\n`);
    return await client.response();
  };
  assertEquals((await ask("/")).status, 200);
  const request = await origin.request(1);
  const place = request.header("host")!;
  assertMatch(place, new RegExp(`^[a-z0-9.]+:${port}$`));
  assertEquals(request.header("x-forwarded-host"), place);
  assertEquals((await ask("/old")).header("location"), `https://${new URL(`http://${place}`).hostname}/old`);
});

scenario("an empty Host is a bad request", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.loop({ upstreams: origin.url });
  const client = await props.client(weir);
  await client.send("GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n");
  assertEquals([(await client.response()).status, origin.requests.length], [400, 0]);
});
