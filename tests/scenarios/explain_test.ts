// Why a request goes, or went, where it does: told by a running Weir, over HTTP and on the command line.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Authority } from "../support/certificates.ts";
import { ask } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { needs } from "../support/tools.ts";
import { until } from "../support/until.ts";
import { type RunningWeir, runWeir } from "../support/weir.ts";

const json = async (weir: RunningWeir, query: string) => {
  const accept: [string, string] = ["Accept", "application/json"];
  return JSON.parse((await ask(weir.adminUrl, { target: `/explain?${query}`, headers: [accept] })).text);
};

/** `weir explain` against a running one. */
function explainCommand(weir: RunningWeir, ...flags: string[]) {
  const { hostname, port } = new URL(weir.adminUrl);
  return runWeir(["explain", "--admin-host", hostname, "--admin-port", port, ...flags]);
}

scenario("explain tells the route, those passed over, and each candidate with its score", async (props) => {
  const [a, b, spare] = [await props.origin(), await props.origin(), await props.origin()];
  const weir = await props.weir({
    workers: 2,
    config: {
      upstreams: {
        api: {
          endpoints: [a.url, b.url, { url: spare.url, backup: true }],
          balance: { policy: "least_request", choices: "all" },
          health: { kind: "off" },
        },
      },
      routes: [
        { name: "orders", match: { path: "/api/orders/*" }, respond: { status: 204 } },
        { name: "api", match: { path: "/api/*" }, upstream: "api" },
      ],
    },
  });
  const told = await json(weir, "path=/api/x");
  assertEquals([told.route, told.upstream], ["api", "api"]);
  assertEquals(told.passedOver.map(({ route }: { route: string }) => route), ["orders"]);
  const of = ({ url }: { url: string }) =>
    told.candidates.find(({ endpoint }: { endpoint: string }) => endpoint === url);
  assertEquals([of(a).score, of(b).score, of(spare).score], [0, 0, undefined]);
  assertEquals(of(spare).whyNot, "a backup: enough primaries serve");
  assertEquals(told.why, "least_request over 2 of 3 endpoints");
  assertEquals([a.url, b.url].includes(told.pick), true);
  const { code, stdout } = await explainCommand(weir, "--path", "/api/x");
  assertEquals(code, 0);
  assertMatch(stdout, /^route api\n {2}not orders: .+\nupstream api\n/);
  assertStringIncludes(stdout, "not picked: a backup: enough primaries serve");
});

scenario("the story of a retried request tells both attempts", async (props) => {
  const failing = await props.origin(reply(503));
  const serving = await props.origin(reply(200, { body: "fine" }));
  const weir = await props.weir({
    workers: 2,
    config: {
      headers: { requestIdFrom: "anyone" },
      upstreams: {
        api: {
          endpoints: [failing.url, { url: serving.url, backup: true }],
          retry: { onStatus: [503] },
          health: { kind: "off" },
          ejection: { enabled: false },
        },
      },
    },
  });
  await ask(weir.url, { target: "/x", headers: [["X-Request-Id", "first-of-many"]] });
  // The client has its answer before Weir has the story.
  const told = () => json(weir, "id=first-of-many");
  await until("the story is there", async () => (await told()).kind === "story");
  const story = await told();
  assertEquals(story.attempts.length >= 2, true, JSON.stringify(story));
  assertEquals(story.attempts[0].outcome, "503");
  assertMatch(story.attempts[0].retryVerdict, /^yes/);
  const { code, stdout } = await explainCommand(weir, "--id", "first-of-many");
  assertEquals(code, 0);
  assertStringIncludes(stdout, `attempt 1: ${failing.url}`);
  assertStringIncludes(stdout, "attempt 2: ");
});

scenario("explain says so when it knows nothing of a request", async (props) => {
  const origin = await props.origin();
  const weir = await props.weir({ upstreams: origin.url });
  const { code } = await explainCommand(weir, "--id", "never-seen");
  assertEquals(code, 1);
  const wrong = await explainCommand(weir, "--pth", "/x");
  assertEquals(wrong.code, 64);
});

scenario(
  "explain tells what a route answers by itself, how it splits, and what it makes of the target",
  async (props) => {
    const origin = await props.origin();
    const weir = await props.weir({
      config: {
        upstreams: { app: { endpoints: [origin.url] }, canary: { endpoints: [origin.url] } },
        routes: [
          { match: { path: "/old/*" }, redirect: { to: "https://{host}{path}", status: 301 } },
          { match: { path: "/closed" }, respond: { status: 403 } },
          {
            name: "new",
            match: { path: "/new/*" },
            split: [{ upstream: "app", weight: 9 }, { upstream: "canary", weight: 1 }],
            splitSticky: true,
            rewrite: { stripPrefix: "/new" },
          },
          { name: "all", split: [{ upstream: "app", weight: 1 }, { upstream: "canary", weight: 0 }] },
        ],
      },
    });
    const why = async (query: string) => (await json(weir, query)).why;
    assertEquals(
      await why("path=/old/a&host=app.test"),
      "the route answers by itself: 301 to https://app.test/old/a",
    );
    assertEquals(await why("path=/closed"), "the route answers by itself: 403");
    const { stdout: sticky } = await explainCommand(weir, "--path", "/new/a?b");
    assertMatch(
      sticky,
      /^ {2}splits app 9, canary 1: by client address\n {2}rewrites the target: \/a\?b\nupstream /m,
    );
    const { stdout: byTurn } = await explainCommand(weir, "--path", "/");
    assertMatch(byTurn, /^ {2}splits app 1, canary 0: by turn\nupstream app$/m);
    assertEquals(byTurn.includes("target"), false);
  },
);

for (
  const [query, why] of [
    ["path=/&method=TRACE", "refused before any route is looked for: 405, TRACE is not allowed"],
    ["path=/&method=OPTIONS&header=Max-Forwards:0", "answered by Weir itself: OPTIONS with no forwards left"],
    ["path=/ready", "answered by Weir itself: listen.readyPath"],
  ] as const
) {
  scenario(`explain knows what Weir answers without a route: ${query}`, async (props) => {
    const origin = await props.origin();
    const weir = await props.weir({ upstreams: origin.url, config: { listen: { readyPath: "/ready" } } });
    const told = await json(weir, query);
    assertEquals([told.route, told.candidates, told.pick, told.why], [null, [], null, why]);
  });
}

scenario(
  "explain knows what the listener refuses and which bodies are too large, as traffic finds",
  async (props) => {
    const origin = await props.origin(...Array(8).fill(reply(200)));
    const weir = await props.weir({
      config: {
        listen: { headBytesMax: 2_048, headerLinesMax: 100 },
        limits: { requestBodyBytesMax: 4 },
        upstreams: { default: { endpoints: [origin.url], health: { kind: "off" } } },
        routes: [
          { name: "large", match: { path: "/large" }, upstream: "default", requestBodyBytesMax: 5 },
          { name: "all", upstream: "default" },
        ],
      },
    });
    const before = (refusal: string) => [null, `refused before any route is looked for: ${refusal}`];
    const picked = (route: string) => [route, "round_robin over 1 of 1 endpoints"];
    const wire = props.listener === "wire";
    const lines = (count: number) => Array(count).fill("X: 1").join("\r\n");
    const malformed = before("400, Transfer-Encoding does not end in chunked");
    const coded = before("501, Transfer-Encoding other than chunked is not implemented");
    for (
      const [method, path, header, body, status, told] of [
        [
          "GET",
          "/",
          "Expect: more",
          "",
          wire ? 417 : 200,
          wire ? before("417, Expect is not 100-continue") : picked("all"),
        ],
        ["POST", "/", "Transfer-Encoding: gzip", "", 400, malformed],
        ["POST", "/", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n", 501, coded],
        ["POST", "/", "Content-Length: 5", "12345", 413, [
          "all",
          "the body is refused: 413, request body larger than 4 bytes",
        ]],
        ["POST", "/large", "Content-Length: 5", "12345", 200, picked("large")],
        [
          "POST",
          "/large",
          "Content-Length: 5\r\nContent-Length: 5",
          "12345",
          wire ? 400 : 200,
          wire ? before("400, more than one Content-Length") : picked("large"),
        ],
        [
          "GET",
          "/large",
          "Content-Length: 5",
          "12345",
          wire ? 200 : 501,
          wire ? picked("large") : before(
            "501, a GET request with a body cannot pass this listener; the wire listener relays it",
          ),
        ],
        [
          "CONNECT",
          "/",
          "X: 1",
          "",
          wire ? 501 : 400,
          before(
            wire
              ? "501, CONNECT is not for a gateway"
              : "400, Deno takes CONNECT for a host and port only, not for a path",
          ),
        ],
        [
          "POST",
          "/",
          "Connection: x, Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0",
          "",
          wire ? 200 : 400,
          wire ? picked("all") : before("400, Deno takes no Upgrade on a request with a body"),
        ],
        ["GET", "/", "Connection: Upgrade\r\nUpgrade: h2c", "", 200, picked("all")],
        ["GET", "/", lines(99), "", 200, picked("all")],
        [
          "GET",
          "/",
          lines(100),
          "",
          wire ? 431 : 200,
          wire ? before("431, more than 100 header lines") : picked("all"),
        ],
        [
          "GET",
          "/",
          lines(128),
          "",
          wire ? 431 : 400,
          before(wire ? "431, more than 100 header lines" : "400, Deno takes no more than 128 header lines"),
        ],
        // Beside the value a head has 32 bytes.
        ["GET", "/", `X: ${"x".repeat(2_016)}`, "", 200, picked("all")],
        [
          "GET",
          "/",
          `X: ${"x".repeat(2_017)}`,
          "",
          wire ? 431 : 200,
          wire ? before("431, request head larger than 2048 bytes") : picked("all"),
        ],
        [
          "GET",
          `/${"x".repeat(2_100)}`,
          "X: 1",
          "",
          wire ? 414 : 200,
          wire ? before("414, request line longer than 2048 bytes") : picked("all"),
        ],
      ] as const
    ) {
      const asked = header.split("\r\n").map((line) => ["header", line]);
      const query = new URLSearchParams([["method", method], ["host", "h"], ["path", path], ...asked]);
      const { route, why } = await json(weir, String(query));
      const what = `${method} ${path} ${header}`.slice(0, 80);
      assertEquals([route, why], told, what);
      const client = await props.client(weir);
      await client.send(`${method} ${path} HTTP/1.1\r\nHost: h\r\n${header}\r\n\r\n${body}`);
      assertEquals((await client.response(method)).status, status, what);
    }
    assertEquals(
      (await json(weir, "path=/&host=h:99999")).why,
      before("400, Host is not a host and port")[1],
    );
  },
);

scenario("explain says which upgrades are refused, as traffic finds", async (props) => {
  const origin = await props.origin(reply(200));
  const weir = await props.weir({
    config: {
      unknownUpgrade: "refuse",
      upstreams: { default: { endpoints: [origin.url], health: { kind: "off" } } },
      routes: [
        { match: { path: "/games/*" }, upstream: "default", upgrade: ["chess"] },
        { match: { path: "/*" }, upstream: "default" },
      ],
    },
  });
  const unknown = "501, an upgrade to chess cannot pass here";
  const key = ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];
  for (
    const [path, upgrade, lines, refused] of [
      ["/", "websocket", [], "400, the WebSocket version is not 13"],
      ["/", "websocket", ["Sec-WebSocket-Version: 8"], "426, the WebSocket version is not 13"],
      ["/", "websocket", key.slice(1), "400, Sec-WebSocket-Key is not 16 bytes in base64"],
      ["/", "websocket", key, null],
      ["/", "chess", [], unknown],
      ["/games/1", "chess", [], props.listener === "wire" ? null : unknown],
    ] as const
  ) {
    const headers = ["Connection: Upgrade", `Upgrade: ${upgrade}`, ...lines];
    const query = new URLSearchParams([["path", path], ...headers.map((line) => ["header", line])]);
    const told = await json(weir, String(query));
    const expected = refused === null
      ? [origin.url, "round_robin over 1 of 1 endpoints"]
      : [null, `the upgrade is refused: ${refused}`];
    assertEquals([told.pick, told.why], expected, `${query}`);
    const sent = headers.map((line) => line.split(": ") as [string, string]);
    const { status } = await ask(weir.url, { target: path, headers: sent });
    assertEquals(String(status), refused?.slice(0, 3) ?? "200", `${query}`);
  }
});

scenario("explain names a route's rate limit and spends nothing of it", async (props) => {
  const origin = await props.origin();
  const route = { name: "slow", match: { path: "/slow" }, upstream: "default" };
  const gate = { name: "gate", match: { path: "/gate" }, respond: { status: 204 } };
  const weir = await props.weir({
    config: {
      upstreams: { default: { endpoints: [origin.url] } },
      routes: [
        { ...route, rateLimit: { requestsPerSecond: 0.001, burst: 1 } },
        { ...gate, rateLimit: { requestsPerSecond: 2.5, key: { header: "X-Key" } } },
      ],
    },
  });
  const limited = ["limits the rate to 0.001 a second, 1 at once, by client address: 429 beyond it"];
  for (const status of [200, 429, 429]) {
    for (let i = 0; i < 3; i++) assertEquals((await json(weir, "path=/slow")).notes, limited);
    assertEquals((await ask(weir.url, { target: "/slow" })).status, status);
  }
  const own = await json(weir, "path=/gate");
  assertEquals(own.notes, ["limits the rate to 2.5 a second, 3 at once, by header X-Key: 429 beyond it"]);
  assertEquals(own.why, "the route answers by itself: 204");
});

scenario("explain knows that clients come by https", async (props) => {
  await using authority = await Authority.create();
  const tls = await authority.install("site", await authority.issue());
  const origin = await props.origin();
  const weir = await props.weir({
    config: {
      listen: { tls },
      upstreams: { default: { endpoints: [origin.url] } },
      routes: [{ name: "whole", match: { host: "app.test:443" }, upstream: "default" }],
    },
  });
  assertEquals((await json(weir, "path=/&host=app.test")).route, "whole");
}, needs("openssl"));
