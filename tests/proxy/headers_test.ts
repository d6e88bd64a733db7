// What of a head passes Weir, in both directions, line by line.

import { assertEquals } from "@std/assert";
import { configSchema } from "../../src/config/schema.ts";
import type { HeaderLines, RequestHead } from "../../src/exchange.ts";
import { parseResponseHead } from "../../src/http1/response_head.ts";
import type { Told } from "../../src/proxy/forwarded_fields.ts";
import {
  type Asker,
  interimToClient,
  isLoop,
  requestIdOf,
  toClient,
  toUpstream,
  trailersToUpstream,
} from "../../src/proxy/headers.ts";
import { Identity } from "../../src/proxy/identity.ts";
import { latin1 } from "../support/raw_http.ts";
import { requestHead, STRANGER } from "../support/request_head.ts";

const TOLD: Told = { client: "192.0.2.1", addresses: "", host: "", proto: "", elements: "" };

function identity(headers: Record<string, unknown> = {}): Identity {
  return new Identity("weir-1", configSchema.parse({ upstreams: {}, headers }).headers);
}

/** `name: value` as a flat list. */
function flat(lines: readonly string[]): HeaderLines {
  return lines.flatMap((line) => /^(.*?): ?(.*)$/.exec(line)!.slice(1));
}

function joined(lines: HeaderLines): string[] {
  return lines.flatMap((name, i) => i % 2 === 0 ? `${name}: ${lines[i + 1]}` : []);
}

function headOf(lines: readonly string[], changes: Partial<RequestHead> = {}): RequestHead {
  return requestHead({ headers: flat(lines), ...changes });
}

/** The lines before those that Weir sets. */
function passing(lines: readonly string[], asker: Partial<Asker> = {}, changes: Partial<RequestHead> = {}) {
  const all = joined(toUpstream(headOf(lines, changes), { ...STRANGER, ...asker }, identity()));
  return all.slice(0, all.findIndex((line) => line.endsWith(" weir-1")));
}

const STAYING = [
  "Host: a.test",
  "Content-Length: 5",
  "Transfer-Encoding: chunked",
  "Connection: x-Hop, X-HOP-2",
  "X-Hop: 1",
  "x-hop-2: 1",
  "Keep-Alive: timeout=5",
  "Proxy-Connection: keep-alive",
  "TE: trailers",
  "Upgrade: websocket",
  "HTTP2-Settings: AAA",
  "X-Forwarded-For: 10.0.0.1",
  "X_Forwarded_For: 10.0.0.1",
  "X-Forwarded-Host: b.test",
  "X-Forwarded-Proto: https",
  "Forwarded: for=10.0.0.1",
  "X-Request-ID: theirs",
  "X_request-ID: theirs",
  "x_real_ip: 10.0.0.1",
  "Content_Length: 5",
];
const PASSING = [
  "via: 1.0 before",
  "Date: today",
  "Trailer: X",
  "Proxy-Authorization: Basic x",
  "X-Hopper: 1",
  "my_own: 1",
  "Accept: a",
  "accept: b",
];

Deno.test("toUpstream() keeps back what is for one hop or Weir's to say, and nothing else", () => {
  for (const line of STAYING.filter((line) => !/^x-hop/i.test(line))) assertEquals(passing([line]), [], line);
  for (const line of PASSING) assertEquals(passing([line]), [line]);
  assertEquals(passing([...STAYING, ...PASSING]), PASSING);
  assertEquals(passing([...PASSING, ...STAYING]), PASSING);
});

Deno.test("toUpstream() keeps back whatever Connection names, what else would pass too", () => {
  for (const line of [...PASSING, "Max-Forwards: 7"]) {
    const name = line.substring(0, line.indexOf(":"));
    assertEquals(passing([`Connection: close, ${name.toUpperCase()}`, line]), [], line);
  }
});

Deno.test("toUpstream() believes X-Real-IP and the rest of X-Forwarded-* of a trusted peer only", () => {
  const rest = ["By", "Port", "Prefix", "Scheme", "Server", "Ssl"].map((name) => `X-Forwarded-${name}: a`);
  const lines = ["X-Real-IP: 10.0.0.1", ...rest];
  for (const line of lines) assertEquals(passing([line, line.replaceAll("-", "_")]), [], line);
  assertEquals(passing(lines, { told: TOLD }), lines);
});

Deno.test("toUpstream() passes Expect where an endpoint's 100 reaches the client", () => {
  const lines = ["Expect: 100-continue"];
  assertEquals(passing(lines), lines);
  assertEquals(passing(lines, {}, { version: "2" }), lines);
  assertEquals(passing(lines, {}, { version: "1.0" }), []);
  assertEquals(passing(lines, { informs: false }), []);
});

Deno.test("toUpstream() asks for trailers where the client does and can get them", () => {
  const asked = ["TE: trailers", "Connection: TE"];
  for (
    const [lines, passed] of [
      [["TE: trailers"], asked],
      [["TE: gzip;q=0.5 , Trailers", "Connection: close, TE"], asked],
      [["TE: gzip", "te: trailers", "TE: trailers"], asked],
      [["TE: gzip"], []],
      [["TE: "], []],
      [["TE: x-trailers"], []],
      [[], []],
    ] as const
  ) {
    assertEquals(passing(lines, { relaysTrailers: true }), passed, lines.join());
    assertEquals(passing(lines), [], lines.join());
  }
});

Deno.test("toUpstream() counts Max-Forwards down where it means something", () => {
  for (
    const [method, value, left] of [
      ["OPTIONS", "7", "6"],
      ["TRACE", "10", "9"],
      ["GET", "7", "7"],
      ["OPTIONS", "007", "6"],
      ["OPTIONS", "0", "0"],
      ["OPTIONS", "x1", "x1"],
      ["OPTIONS", "1x", "1x"],
      ["OPTIONS", "1234567890", "1234567890"],
    ] as const
  ) assertEquals(passing([`Max-Forwards: ${value}`], {}, { method }), [`Max-Forwards: ${left}`]);
});

for (
  const [what, told, forwarded, lines] of [
    ["nobody", null, false, ["192.0.2.1", "a.test", "http"]],
    ["nobody, in Forwarded too", null, true, [
      "192.0.2.1",
      "a.test",
      "http",
      'for=192.0.2.1;host="a.test";proto=http',
    ]],
    ["a peer that tells nothing", TOLD, false, ["192.0.2.1", "a.test", "http"]],
    [
      "a peer that tells all",
      { client: "10.0.0.9", addresses: "10.0.0.9", host: "b.test", proto: "https", elements: "" },
      false,
      ["10.0.0.9, 192.0.2.1", "b.test", "https"],
    ],
    [
      "a peer that tells all, in Forwarded too",
      { client: "10.0.0.9", addresses: "10.0.0.9", host: "b.test", proto: "https", elements: "for=10.0.0.9" },
      true,
      ["10.0.0.9, 192.0.2.1", "b.test", "https", 'for=10.0.0.9, for=192.0.2.1;host="a.test";proto=http'],
    ],
    [
      "a peer that tells in Forwarded, which is passed on",
      { ...TOLD, elements: "for=10.0.0.9" },
      false,
      ["192.0.2.1", "a.test", "http", "for=10.0.0.9"],
    ],
    [
      "a peer that tells no address",
      { ...TOLD, host: "b.test", proto: "https" },
      true,
      ["192.0.2.1", "b.test", "https", 'for=192.0.2.1;host="b.test";proto=https'],
    ],
  ] as const
) {
  Deno.test(`toUpstream() says whom it stands before, by the word of ${what}`, () => {
    const [addresses, host, proto, list] = lines;
    const said = joined(toUpstream(headOf([]), { ...STRANGER, told }, identity({ forwarded })));
    assertEquals(said, [
      "Via: 1.1 weir-1",
      `X-Forwarded-For: ${addresses}`,
      `X-Forwarded-Host: ${host}`,
      `X-Forwarded-Proto: ${proto}`,
      "x-request-id: id-1",
      ...(list === undefined ? [] : [`Forwarded: ${list}`]),
    ]);
  });
}

Deno.test("trailersToUpstream() keeps back every name that Weir vouches for in a head", () => {
  const passing = flat(["Digest: a", "X-Hop: 1", "my_own: 1"]);
  assertEquals(
    trailersToUpstream([...flat(STAYING.filter((line) => !/^x-hop/i.test(line))), ...passing], identity()),
    passing,
  );
});

Deno.test("requestIdOf() takes one plain word of whom the operator believes", () => {
  const make = () => "made";
  const id = (lines: readonly string[], trusted = true, requestIdFrom = "trusted") =>
    requestIdOf(headOf(lines), identity({ requestIdFrom }), trusted, make);
  assertEquals(id(["X-REQUEST-id: theirs"]), "theirs");
  assertEquals(id(["A: x", "X-Request-Id: theirs", "B: x-request-id"]), "theirs");
  assertEquals(id(["X-Request-Idea: theirs"]), "made");
  assertEquals(id(["X-Request-Id: theirs"], false), "made");
  assertEquals(id(["X-Request-Id: theirs"], false, "anyone"), "theirs");
  assertEquals(id([]), "made");
  assertEquals(id(["X-Request-Id: a", "x-request-id: a"]), "made");
  for (const value of ["!", "~", "a".repeat(128), "a;b=c:d/e"]) {
    assertEquals(id([`X-Request-Id: ${value}`]), value);
  }
  for (const value of ["", "a".repeat(129), "a b", "a\x7f", "é", 'a"', "a'", "a\\", "a,b", "\x1f"]) {
    assertEquals(
      requestIdOf({ ...headOf([]), headers: ["X-Request-Id", value] }, identity(), true, make),
      "made",
    );
  }
});

Deno.test("isLoop() finds Weir itself among those that a request came through", () => {
  for (const via of ["1.1 weir-1", "1.0 a, 1.1 weir-1 (Weir)", "1.1 a,HTTP/2\tweir-1", "2  weir-1"]) {
    assertEquals(isLoop(headOf(["Via: 1.1 other", `via: ${via}`]), "weir-1"), true, via);
  }
  for (const via of ["1.1 weir-10", "weir-1", "1.1 a (weir-1)", "1.1 weir"]) {
    assertEquals(isLoop(headOf([`Via: ${via}`, "X: 1.1 weir-1"]), "weir-1"), false, via);
  }
});

/** The lines of an answer that the client gets. */
function answered(lines: readonly string[], status = "200 OK"): string[] {
  const bytes = latin1([`HTTP/1.1 ${status}`, ...lines, "", ""].join("\r\n"));
  return joined(toClient(parseResponseHead(bytes, 0, bytes.length, "GET"), () => 0));
}

const DATE = "Date: Wed, 01 Jan 2025 00:00:00 GMT";

Deno.test("toClient() keeps back what is for one hop, and adds a Date that is missing", () => {
  assertEquals(answered([DATE, "A: 1", "Set-Cookie: a", "set-cookie: b"]), [
    DATE,
    "A: 1",
    "Set-Cookie: a",
    "set-cookie: b",
  ]);
  assertEquals(answered(["A: 1"]), ["A: 1", "Date: Thu, 01 Jan 1970 00:00:00 GMT"]);
  const forOneHop = [
    "Connection: x-HOP, close",
    "X-Hop: 1",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: close",
    "TE: trailers",
    "Transfer-Encoding: chunked",
    "Upgrade: h2c",
  ];
  const others = [DATE, "Trailer: X-Sum", "X-Hopper: 1"];
  assertEquals(answered([...forOneHop, ...others]), others);
});

Deno.test("toClient() says one length, and none of an answer that has no content", () => {
  assertEquals(answered([DATE, "Content-Length: 5, 5", "content-length: 5"]), [DATE, "Content-Length: 5"]);
  assertEquals(answered([DATE, "Content-Length: 5 ,5"]), [DATE, "Content-Length: 5"]);
  assertEquals(answered([DATE, "Content-Length: 5", "A: 1"], "204 No Content"), [DATE, "A: 1"]);
  assertEquals(answered([DATE, "Content-Length: 5"], "304 Not Modified"), [DATE, "Content-Length: 5"]);
});

Deno.test("interimToClient() keeps back what is for one hop, and framing", () => {
  const lines = [
    "Link: </a>",
    "Connection: x-hop",
    "X-Hop: 1",
    "Content-Length: 5",
    "Keep-Alive: 1",
    "Date: x",
  ];
  const { status, reason, headers } = interimToClient({ status: 103, reason: "Early", headers: flat(lines) });
  assertEquals([status, reason, joined(headers)], [103, "Early", ["Link: </a>", "Date: x"]]);
  const plain = { status: 103, reason: "Early", headers: ["Link", "</a>", "X-Hop", "1"] };
  assertEquals(interimToClient(plain), plain);
});
