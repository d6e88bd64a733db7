// What becomes of a request before any route is looked for, or in spite of one: explained as traffic finds it.

import { assertEquals } from "@std/assert";
import { explained } from "../support/explained.ts";
import { ask } from "../support/raw_client.ts";
import { reply } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";

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
    const told = await explained(weir, query);
    assertEquals([told.route, told.candidates, told.pick, told.why], [null, [], null, why]);
  });
}

const before = (refusal: string) => [null, `refused before any route is looked for: ${refusal}`];

/** Method, path, header lines, body -> status that traffic gets, route and reason that explain tells. */
function heads(wire: boolean) {
  const picked = (route: string) => [route, "round_robin over 1 of 1 endpoints"];
  const lines = (count: number) => Array(count).fill("X: 1").join("\r\n");
  const malformed = before("400, Transfer-Encoding does not end in chunked");
  const coded = before("501, Transfer-Encoding other than chunked is not implemented");
  return [
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
  ] as const;
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
    for (const [method, path, header, body, status, told] of heads(props.listener === "wire")) {
      const asked = header.split("\r\n").map((line) => ["header", line]);
      const query = new URLSearchParams([["method", method], ["host", "h"], ["path", path], ...asked]);
      const { route, why } = await explained(weir, String(query));
      const what = `${method} ${path} ${header}`.slice(0, 80);
      assertEquals([route, why], told, what);
      const client = await props.client(weir);
      await client.send(`${method} ${path} HTTP/1.1\r\nHost: h\r\n${header}\r\n\r\n${body}`);
      assertEquals((await client.response(method)).status, status, what);
    }
    assertEquals(
      (await explained(weir, "path=/&host=h:99999")).why,
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
    const told = await explained(weir, String(query));
    const expected = refused === null
      ? [origin.url, "round_robin over 1 of 1 endpoints"]
      : [null, `the upgrade is refused: ${refused}`];
    assertEquals([told.pick, told.why], expected, `${query}`);
    const sent = headers.map((line) => line.split(": ") as [string, string]);
    const { status } = await ask(weir.url, { target: path, headers: sent });
    assertEquals(String(status), refused?.slice(0, 3) ?? "200", `${query}`);
  }
});
