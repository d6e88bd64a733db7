// What a route does to a request, end to end: where it goes, how it changes on its way, who answers it.

import { assertEquals, assertMatch } from "@std/assert";
import { ask } from "../support/raw_client.ts";
import { afterHead, hang, type RawOrigin, readBody, reply, scene } from "../support/raw_origin.ts";
import { type Props, scenario } from "../support/scenario.ts";

type Routes = readonly Record<string, unknown>[];

/** Upstreams `a` and `b`, one origin each that answers with its name, behind these routes. */
async function stage(props: Props, routes: Routes) {
  const [a, b] = [await named(props, "a"), await named(props, "b")];
  const upstreams = { a: { endpoints: [a.url] }, b: { endpoints: [b.url] } };
  const loop = await props.loop({ config: { upstreams, routes } });
  return { a, b, loop };
}

function named(props: Props, name: string): Promise<RawOrigin> {
  return props.origin(reply(200, { body: name, headers: [["X-Origin", name], ["Server", "s"]] }));
}

scenario("requests go where host, path, method, header and query say", async (props) => {
  const { loop } = await stage(props, [
    { match: { host: "a.test" }, upstream: "a" },
    { match: { host: "*.b.test", path: "/users/{id}/orders" }, upstream: "b" },
    { match: { host: "m.test", path: "/x", method: ["GET"] }, upstream: "a" },
    { match: { host: "m.test", path: "/x", method: ["POST"] }, upstream: "b" },
    { match: { host: "h.test", headers: { "x-canary": "1" } }, upstream: "b" },
    { match: { host: "h.test", query: { beta: { present: true } } }, upstream: "b" },
    { match: { host: "h.test" }, upstream: "a" },
  ]);
  const table: [string, string, string, [string, string][], string | number][] = [
    ["GET", "a.test", "/anything", [], "a"],
    ["GET", "A.TEST.:8080", "/", [], "a"],
    ["GET", "x.y.b.test", "/users/7/orders?z", [], "b"],
    ["GET", "x.b.test", "/users/7/8/orders", [], 404],
    ["GET", "b.test", "/users/7/orders", [], 421],
    ["GET", "m.test", "/x", [], "a"],
    ["POST", "m.test", "/x", [], "b"],
    ["PUT", "m.test", "/x", [], 405],
    ["GET", "h.test", "/", [], "a"],
    ["GET", "h.test", "/?beta", [], "b"],
    ["GET", "h.test", "/", [["X-Canary", "1"]], "b"],
  ];
  for (const [method, host, target, headers, expected] of table) {
    const answer = await ask(loop.url, { method, target, headers: [["Host", host], ...headers] });
    const got = typeof expected === "string" ? answer.header("x-origin") : answer.status;
    assertEquals(got, expected, `${method} ${host}${target}`);
    if (expected === 405) assertEquals(answer.header("allow"), "GET, POST");
  }
});

scenario("targets and header lines change as the route says, and in no other way", async (props) => {
  const { a, loop } = await stage(props, [
    {
      match: { path: "/api/*" },
      upstream: "a",
      rewrite: { stripPrefix: "/api" },
      requestHeaders: { set: { "x-set": "new" }, add: { "x-add": "2" }, remove: ["x-gone", "user-agent"] },
      responseHeaders: { set: { "x-origin": "hidden" }, add: { "x-more": "1" }, remove: ["server"] },
    },
    { match: { path: "/old/*" }, upstream: "a", rewrite: { replacePrefix: { from: "/old", to: "/new" } } },
  ]);
  const headers: [string, string][] = [["X-Set", "1"], ["x-set", "2"], ["X-Add", "1"], ["X-Gone", "1"]];
  const answer = await ask(loop.url, { target: "/api/x%2Fy?q=/api", headers });
  const request = await a.request(1);
  assertEquals(request.target, "/x%2Fy?q=/api");
  assertEquals(request.headerAll("x-set"), ["new"]);
  assertEquals(request.headerAll("x-add"), ["1", "2"]);
  assertEquals(request.headerAll("x-gone"), []);
  assertEquals(["x-origin", "x-more", "server"].map((name) => answer.header(name)), [
    "hidden",
    "1",
    undefined,
  ]);
  await ask(loop.url, { target: "/old/x" });
  assertEquals((await a.request(2)).target, "/new/x");
});

scenario("a route that takes the endpoint's cookies away leaves Weir's own", async (props) => {
  const cookies: [string, string][] = [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]];
  const origin = await props.origin(reply(200, { headers: cookies }));
  const upstreams = { a: { endpoints: [origin.url], sticky: { cookie: "srv" } } };
  const routes = [{ upstream: "a", responseHeaders: { remove: ["set-cookie"] } }];
  const loop = await props.loop({ config: { upstreams, routes } });
  const [line, ...others] = (await ask(loop.url)).headerAll("set-cookie");
  assertMatch(line!, /^srv=/);
  assertEquals(others, []);
});

scenario("redirects and fixed answers need no upstream", async (props) => {
  const { a, b, loop } = await stage(props, [
    { match: { path: "/moved/*" }, redirect: { to: "https://{host}{path}", status: 307 } },
    {
      match: { path: "/teapot" },
      respond: { status: 418, body: "short and stout", contentType: "text/plain" },
      responseHeaders: { set: { "x-kind": "pot" } },
    },
    { match: { path: "/empty" }, respond: { status: 204 } },
    { match: { path: "/reset" }, respond: { status: 205, body: "RFC 9110 15.3.6 has none" } },
  ]);
  const moved = await ask(loop.url, { target: "/moved/x?y" });
  assertEquals([moved.status, moved.header("location")], [307, "https://weir.test/moved/x?y"]);
  const pot = await ask(loop.url, { target: "/teapot" });
  assertEquals([pot.status, pot.text, pot.header("x-kind")], [418, "short and stout", "pot"]);
  const head = await ask(loop.url, { method: "HEAD", target: "/teapot" });
  assertEquals([head.status, head.text, head.header("content-length")], [418, "", "15"]);
  const empty = await ask(loop.url, { target: "/empty" });
  assertEquals(
    ["content-length", "content-type"].map((name) => empty.header(name)).concat(String(empty.status)),
    [undefined, undefined, "204"],
  );
  // Deno.serve ends no 205.
  if (props.listener !== "serve") {
    const reset = await ask(loop.url, { target: "/reset" });
    assertEquals([reset.status, reset.text, reset.header("content-length")], [205, "", "0"]);
  }
  assertEquals([...a.requests, ...b.requests], []);
});

scenario("a small upload that a route answers itself leaves the client its connection", async (props) => {
  const { loop } = await stage(props, [
    { match: { path: "/moved" }, redirect: { to: "https://{host}{path}", status: 307 } },
    { match: { path: "/fixed" }, respond: { status: 200, body: "hi" } },
    { match: {}, upstream: "a" },
  ]);
  const client = await props.client(loop);
  for (const [target, status] of [["/moved", 307], ["/fixed", 200], ["/", 200]] as const) {
    await client.send(`POST ${target} HTTP/1.1\r\nHost: x.test\r\nContent-Length: 4\r\n\r\nbody`);
    const answer = await client.response();
    assertEquals([answer.status, answer.header("connection")], [status, undefined]);
  }
});

scenario("so does one that comes after its answer", async (props) => {
  const { loop } = await stage(props, [{ match: {}, respond: { status: 200, body: "hi" } }]);
  const client = await props.client(loop);
  for (let n = 1; n <= 2; n++) {
    await client.send("POST / HTTP/1.1\r\nHost: x.test\r\nContent-Length: 4\r\n\r\n");
    const answer = await client.response();
    assertEquals([answer.status, answer.header("connection")], [200, undefined]);
    await client.send("body");
  }
}, { listeners: ["serve"] });

scenario("a route's own timeouts, attempts and limits stand before the upstream's", async (props) => {
  const slow = await props.origin(hang());
  const failing = await props.origin(reply(503));
  const upload = await props.origin(afterHead(scene(readBody(), reply(200))));
  const upstreams = {
    slow: { endpoints: [slow.url], retry: { attemptsMax: 1 } },
    failing: { endpoints: [failing.url, failing.url.replace("127.0.0.1", "localhost")] },
    upload: { endpoints: [upload.url] },
  };
  const routes = [
    { match: { path: "/slow" }, upstream: "slow", timeouts: { responseHeadMs: 50 } },
    { match: { path: "/once" }, upstream: "failing" },
    { match: { path: "/again" }, upstream: "failing", retry: { attemptsMax: 2, onStatus: [503] } },
    { match: { path: "/small" }, upstream: "upload", requestBodyBytesMax: 10 },
    { match: { path: "/large" }, upstream: "upload", requestBodyBytesMax: 0 },
  ];
  const limits = { requestBodyBytesMax: 100 };
  const loop = await props.loop({ config: { upstreams, routes, limits } });
  assertEquals((await ask(loop.url, { target: "/slow" })).status, 504);
  await ask(loop.url, { target: "/once" });
  assertEquals(failing.requests.length, 1);
  await ask(loop.url, { target: "/again" });
  assertEquals(failing.requests.length, 3);
  const post = async (target: string, bytes: number) =>
    (await ask(loop.url, { method: "POST", target, body: "x".repeat(bytes) })).status;
  assertEquals([await post("/small", 10), await post("/small", 11)], [200, 413]);
  assertEquals(await post("/large", 1_000), 200);
});
