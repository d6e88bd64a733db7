// Clients that speak HTTP/2, by ALPN or by prior knowledge; the origin is spoken to in HTTP/1.1.

import http2 from "node:http2";
import { assertEquals } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { curl, curlWith } from "../support/curl.ts";
import { type Answer, hang, reply, replyRaw } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";

// The wire listener speaks HTTP/1.1 only.
const options = { ...needs("curl"), listeners: ["serve"] as const };
const withTls = { ...needs("curl", "openssl"), listeners: ["serve"] as const };
const H2C = "--http2-prior-knowledge";
/** RFC 9113 8.2.2. */
const CONNECTION_FIELDS = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

scenario("over HTTP/2, :authority becomes Host, and cookie crumbs become one line", async (props) => {
  const origin = await props.origin();
  const loop = await props.loop({ upstreams: origin.url });
  const { host } = new URL(loop.url);
  const answer = await curl(H2C, "-H", "Cookie: a=1", "-H", "Cookie: b=2", `${loop.url}/x?y`);
  assertEquals([answer.status, answer.version], [200, "2"]);
  const request = await origin.request(1);
  assertEquals(request.head.firstLine, "GET /x?y HTTP/1.1");
  assertEquals(request.headerAll("host"), [host]);
  assertEquals(request.headerAll("cookie"), ["a=1; b=2"]);
  assertEquals(request.headerAll("via").map((via) => via.split(" ")[0]), ["2"]);
}, options);

scenario(
  "a route for the header Host has its requests over HTTP/1.1 and HTTP/2, and explain says so",
  async (props) => {
    const config = {
      upstreams: { app: { endpoints: ["http://127.0.0.1:9"], health: { kind: "off" } } },
      routes: [
        { name: "by-host", match: { headers: { host: "a.test" } }, respond: { status: 200, body: "a.test" } },
        { name: "rest", match: {}, upstream: "app" },
      ],
    };
    const weir = await props.weir({ config });
    for (const version of [H2C, "--http1.1"]) {
      assertEquals((await curl(version, "-H", "Host: a.test", `${weir.url}/`)).body, "a.test");
    }
    assertEquals((await weir.admin("/explain?path=/&host=a.test")).split("\n")[0], "route by-host");
  },
  options,
);

scenario("no field that is about one connection crosses between HTTP/1.1 and HTTP/2", async (props) => {
  const headers: Answer["headers"] = [
    ["Connection", "keep-alive, x-hop, upgrade"],
    ["Keep-Alive", "timeout=5"],
    ["X-Hop", "1"],
    ["Upgrade", "h2c"],
  ];
  const origin = await props.origin(reply(426, { headers, body: "ok" }));
  const loop = await props.loop({ upstreams: origin.url, config: { limits: { targetBytesMax: 64 } } });
  loop.send({ kind: "leave" });
  const relayed = await curl(H2C, "-H", "TE: trailers", `${loop.url}/`);
  assertEquals([relayed.status, relayed.body], [426, "ok"]);
  const refused = await curl(H2C, "-X", "TRACE", `${loop.url}/`);
  assertEquals(refused.status, 405);
  const tooLong = await curl(H2C, `${loop.url}/${"x".repeat(100)}`);
  assertEquals(tooLong.status, 414);
  for (const { headers } of [relayed, refused, tooLong]) {
    const names = headers.map(([name]) => name);
    assertEquals(names.filter((name) => CONNECTION_FIELDS.includes(name) || name === "x-hop"), []);
  }
  const request = await origin.request(1);
  assertEquals(["te", "connection", "upgrade"].flatMap((name) => request.headerAll(name)), []);
}, options);

scenario("a head over HTTP/2 has 16 KiB at most: more is refused by Deno, not by Weir", async (props) => {
  const origin = await props.origin();
  const loop = await props.loop({ upstreams: origin.url });
  for (const [bytes, status] of [[17_000, 431], [15_000, 200]] as const) {
    assertEquals((await curl(H2C, "-H", `X-Long: ${"x".repeat(bytes)}`, `${loop.url}/`)).status, status);
  }
  await until("it is logged", () => loop.log.length > 0);
  assertEquals([origin.requests.length, JSON.parse(loop.log[0]!).status], [1, 200]);
}, options);

scenario("a body over HTTP/2 arrives whole, whether its length was declared or not", async (props) => {
  const origin = await props.origin();
  const loop = await props.loop({ upstreams: origin.url });
  const text = "0123456789".repeat(30_000);
  const undeclared = await curlWith(text, H2C, "-T", "-", `${loop.url}/undeclared`);
  assertEquals(undeclared.status, 200);
  const streamed = await origin.request(1);
  assertEquals(streamed.headerAll("transfer-encoding"), ["chunked"]);
  assertEquals((await streamed.text()) === text, true);
  await curlWith(text, H2C, "--data-binary", "@-", `${loop.url}/declared`);
  const declared = await origin.request(2);
  assertEquals(declared.headerAll("content-length"), [String(text.length)]);
  assertEquals((await declared.text()) === text, true);
}, options);

scenario("a request over HTTP/2 without a body has none upstream", async (props) => {
  const origin = await props.origin();
  const loop = await props.loop({ upstreams: origin.url });
  for (const method of ["GET", "DELETE", "POST"]) {
    assertEquals((await curl(H2C, "-X", method, `${loop.url}/`)).status, 200, method);
  }
  for (const number of [1, 2, 3]) {
    const request = await origin.request(number);
    const expected = request.method === "POST" ? ["0"] : [];
    assertEquals(request.headerAll("content-length"), expected, request.method);
    assertEquals(request.headerAll("transfer-encoding"), [], request.method);
  }
}, options);

scenario("a body over HTTP/2 that does not come is waited for like any other", async (props) => {
  const origin = await props.origin();
  const endpoints = [origin.url];
  const loop = await props.loop({
    config: {
      upstreams: { default: { endpoints, timeouts: { requestBodyIdleMs: 100 } } },
      limits: { inFlightMax: 1 },
    },
  });
  const session = http2.connect(loop.url);
  const statuses = [1, 2].map(() => {
    const stream = session.request({ ":method": "POST", ":path": "/" }, { endStream: false });
    return new Promise<number>((resolve, reject) => {
      stream.on("error", reject).on("response", (head) => resolve(head[":status"]!)).resume();
    });
  });
  assertEquals((await Promise.all(statuses)).sort(), [408, 503]);
  session.destroy();
}, options);

/** RFC 9113 4.1, on a stream below 256 or, with 0, on the connection. */
function frame(type: number, flags: number, stream: number, payload = ""): string {
  const bytes = [0, payload.length >> 8, payload.length & 0xff, type, flags, 0, 0, 0, stream];
  return String.fromCharCode(...bytes) + payload;
}

const END_HEADERS = 4;
const END_STREAM = 1;
const NO_ERROR = 0;
const CANCEL = 8;

function reset(stream: number, code: number): string {
  return frame(3, 0, stream, `\0\0\0${String.fromCharCode(code)}`);
}

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0);

/** A connection's first request, a POST with these lengths, of which a part comes. */
function beginningOfPost(authority: string, ...lengths: string[]): string {
  return PREFACE + partOfPost(1, authority, ...lengths);
}

/** Its fields as literals (RFC 7541 6.2.2). */
function partOfPost(stream: number, authority: string, ...lengths: string[]): string {
  const fields = [
    [":method", "POST"],
    [":scheme", "http"],
    [":authority", authority],
    [":path", "/"],
    ...lengths.map((length) => ["content-length", length]),
  ];
  const text = (value: string) => String.fromCharCode(value.length) + value;
  const block = fields.map(([name, value]) => `\0${text(name!)}${text(value!)}`).join("");
  return frame(1, END_HEADERS, stream, block) + frame(0, 0, stream, "part");
}

scenario("an upload over HTTP/2 that its client cancels never looks whole to an origin", async (props) => {
  const origin = await props.origin([hang(), hang()]);
  const loop = await props.loop({ upstreams: origin.url });
  for (const [number, code] of [CANCEL, NO_ERROR].entries()) {
    const client = await props.client(loop);
    await client.send(beginningOfPost(new URL(loop.url).host));
    const request = await origin.request(number + 1);
    await client.send(reset(1, code));
    assertEquals(await request.arrived, false);
  }
}, options);

scenario(
  "uploads over HTTP/2 that their client cancels all at once do not look whole, either",
  async (props) => {
    const streams = Array.from({ length: 120 }, (_, n) => 2 * n + 1);
    const origin = await props.origin(streams.map(() => hang()));
    const loop = await props.loop({ upstreams: origin.url });
    const client = await props.client(loop);
    const { host } = new URL(loop.url);
    await client.send(PREFACE + streams.map((stream) => partOfPost(stream, host)).join(""));
    await origin.request(streams.length);
    await client.send(streams.map((stream) => reset(stream, CANCEL)).join(""));
    const arrived = await Promise.all(origin.requests.map((request) => request.arrived));
    assertEquals(arrived.filter((whole) => whole).length, 0);
  },
  options,
);

scenario("two lengths over HTTP/2 that differ are refused, and equal ones go on as one", async (props) => {
  const origin = await props.origin();
  const loop = await props.loop({ upstreams: origin.url });
  const table: [string[], number][] = [
    [["4", "5"], 400],
    [["4", "4", "5"], 400],
    [["4", "4"], 200],
  ];
  for (const [number, [lengths]] of table.entries()) {
    const client = await props.client(loop);
    await client.send(beginningOfPost(new URL(loop.url).host, ...lengths) + frame(0, END_STREAM, 1));
    await until("it is logged", () => loop.log.length > number);
  }
  assertEquals(loop.log.map((line) => JSON.parse(line).status), table.map(([, status]) => status));
  assertEquals(origin.requests.length, 1);
  const request = await origin.request(1);
  assertEquals([request.headerAll("content-length"), await request.text()], [["4"], "part"]);
}, options);

scenario(
  "blanks around a value over HTTP/2 hide it from no route that its origin would read it for",
  async (props) => {
    const origin = await props.origin(reply(200));
    const routes = [
      { match: { headers: { "x-role": "admin" } }, respond: { status: 403 } },
      { match: {}, upstream: "default" },
    ];
    const loop = await props.loop({
      config: { upstreams: { default: { endpoints: [origin.url] } }, routes },
    });
    const session = http2.connect(loop.url);
    for (const [role, expected] of [["admin", 403], [" \tadmin\t ", 403], ["\u00a0admin", 200]] as const) {
      const stream = session.request({ ":path": "/", "x-role": role }).resume();
      const status = new Promise((resolve, reject) =>
        stream.on("error", reject).on("response", (head) => resolve(head[":status"]))
      );
      assertEquals(await status, expected, role);
    }
    session.destroy();
  },
  options,
);

scenario("a 205 over HTTP/2 is relayed, without a body", async (props) => {
  const origin = await props.origin(reply(205, { body: "hello" }));
  const loop = await props.loop({ upstreams: origin.url });
  const answer = await curl(H2C, "-X", "POST", `${loop.url}/`);
  assertEquals([answer.status, answer.body, answer.code], [205, "", 0]);
  assertEquals(answer.headers.filter(([name]) => name === "content-length"), []);
}, options);

scenario("an answer to HEAD over HTTP/2 ends, whether it has a Content-Length or not", async (props) => {
  const bodiless = "HTTP/1.1 200 OK\r\n";
  const origin = await props.origin([
    replyRaw(`${bodiless}Transfer-Encoding: chunked\r\n\r\n`),
    replyRaw(`${bodiless}\r\n`),
    replyRaw(`${bodiless}Content-Length: 5\r\n\r\n`),
  ]);
  const loop = await props.loop({ upstreams: origin.url });
  const session = http2.connect(loop.url);
  for (const expected of [undefined, undefined, "5"]) {
    const stream = session.request({ ":method": "HEAD", ":path": "/" });
    const length = new Promise((resolve) => stream.on("response", (head) => resolve(head["content-length"])));
    const ended = new Promise((resolve, reject) => stream.on("error", reject).on("end", resolve).resume());
    assertEquals(await length, expected);
    await ended;
  }
  session.destroy();
}, options);

scenario("a target over HTTP/2 that is not visible ASCII is refused, counted and logged", async (props) => {
  const origin = await props.origin();
  const weir = await props.weir({ upstreams: origin.url });
  for (const target of ["/\u010d\u010ax:\u0120y", "/\u00e9", "/\u0085"]) {
    const answer = await curl(H2C, "--request-target", target, `${weir.url}/`);
    assertEquals([answer.status, answer.version], [400, "2"], target);
    assertEquals(
      answer.body,
      "400 Bad Request: request target holds a space, a control or a non-ASCII byte\n",
    );
  }
  await until(
    "all are logged",
    () => weir.stdout.filter((line) => line.includes('"status":400')).length === 3,
  );
  assertEquals(await weir.metric("weir_requests_total"), 3);
  assertEquals(origin.requests.length, 0);
}, options);

scenario("over HTTP/2, `*` stands for a path in OPTIONS only", async (props) => {
  const origin = await props.origin();
  const loop = await props.loop({ upstreams: origin.url });
  const asterisk = (method: string) =>
    curl(H2C, "-X", method, "-H", "Host: a.test", "--request-target", "*", `${loop.url}/`);
  assertEquals((await asterisk("GET")).status, 400);
  assertEquals((await asterisk("OPTIONS")).status, 200);
  assertEquals(origin.requests.map(({ head }) => head.firstLine), ["OPTIONS * HTTP/1.1"]);
}, options);

scenario("clients agree on HTTP/2 or HTTP/1.1 by ALPN, and are told to stay with TLS", async (props) => {
  await using authority = await Authority.create();
  const files = await authority.install("site", await authority.issue());
  const origin = await props.origin(reply(200, { body: "ok" }));
  const tls = { ...files, hstsMaxAgeS: 600 };
  const weir = await props.weir({
    config: { listen: { tls }, upstreams: { default: { endpoints: [origin.url] } } },
  });
  const ca = ["--cacert", authority.caFile];
  for (const [flag, version] of [["--http2", "2"], ["--http1.1", "1.1"]] as const) {
    const answer = await curl(...ca, flag, weir.url);
    assertEquals([answer.version, answer.status, answer.body, answer.code], [version, 200, "ok", 0]);
    const hsts = answer.headers.filter(([name]) => name === "strict-transport-security");
    assertEquals(hsts, [["strict-transport-security", "max-age=600"]]);
  }
  assertEquals((await origin.request(1)).headerAll("x-forwarded-proto"), ["https"]);
}, withTls);

scenario("a listener leaves although a request without a body came by HTTP/2", async (props) => {
  const origin = await props.origin();
  const loop = await props.loop({ upstreams: origin.url });
  assertEquals((await curl(H2C, "-X", "DELETE", `${loop.url}/`)).status, 200);
  await loop.leave();
}, options);
