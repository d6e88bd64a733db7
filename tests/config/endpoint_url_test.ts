import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import {
  addressId,
  type EndpointAddress,
  parseEndpointAddress,
  parseEndpointEntry,
  splitAddresses,
} from "../../src/config/endpoint_url.ts";

const plain = { weight: 1, backup: false, drain: false };

const accepted: readonly [string, EndpointAddress][] = [
  ["k8s://api:http", {
    kind: "k8s",
    scheme: "http",
    service: "api",
    namespace: null,
    port: "http",
    ...plain,
  }],
  ["http://10.0.0.1:8080", { kind: "static", scheme: "http", host: "10.0.0.1", port: 8080, ...plain }],
  ["http://origin", { kind: "static", scheme: "http", host: "origin", port: 80, ...plain }],
  ["https://origin/", { kind: "static", scheme: "https", host: "origin", port: 443, ...plain }],
  ["HTTP://Origin.Example.ORG:1", {
    kind: "static",
    scheme: "http",
    host: "origin.example.org",
    port: 1,
    ...plain,
  }],
  ["http://[2001:DB8:0::1]:80", { kind: "static", scheme: "http", host: "2001:db8::1", port: 80, ...plain }],
  ["http://[::1]", { kind: "static", scheme: "http", host: "::1", port: 80, ...plain }],
  ["http://a:1;weight=1000;backup", {
    kind: "static",
    scheme: "http",
    host: "a",
    port: 1,
    weight: 1000,
    backup: true,
    drain: false,
  }],
  ["http://a:1/;drain", { kind: "static", scheme: "http", host: "a", port: 1, ...plain, drain: true }],
  ["dns+http://origin:80", { kind: "dns", scheme: "http", host: "origin", port: 80, ...plain }],
  ["dns+https://origin.:8443", { kind: "dns", scheme: "https", host: "origin.", port: 8443, ...plain }],
  ["dns+http://_http._tcp.origin", {
    kind: "dns",
    scheme: "http",
    host: "_http._tcp.origin",
    port: null,
    ...plain,
  }],
  ["k8s://api.shop:8080", {
    kind: "k8s",
    scheme: "http",
    service: "api",
    namespace: "shop",
    port: 8080,
    ...plain,
  }],
  ["k8s://api.shop:http-web;weight=2", {
    kind: "k8s",
    scheme: "http",
    service: "api",
    namespace: "shop",
    port: "http-web",
    ...plain,
    weight: 2,
  }],
];

/** An address and a part of each refusal it gets, in order. */
const refused: readonly [string, string[]][] = [
  ["", ["it has no scheme"]],
  ["10.0.0.1:8080", ["it has no scheme"]],
  ["ftp://a", ['its scheme is "ftp"']],
  ["htp://a", ["did you mean http"]],
  ["http://", ["it has no host"]],
  ["http://:80", ["it has no host"]],
  ["http://a:80/v1", ["routes[].rewrite"]],
  ["http://a:80//", ["routes[].rewrite"]],
  ["http://a\\b", ["routes[].rewrite"]],
  ["http://user:pass@a:80", ["requestHeaders"]],
  ["http://user@a", ["requestHeaders"]],
  ["http://a?x=1", ["it has a query"]],
  ["http://a/b?x=1#y", ["it has a path", "it has a query"]],
  ["http://a#y", ["it has a fragment"]],
  ["http://a:", ["its port is empty"]],
  ["http://a:0", ["from 1 to 65535"]],
  ["http://a:65536", ["from 1 to 65535"]],
  ["http://a:+80", ["from 1 to 65535"]],
  ["http://a b", ["its host is"]],
  ["http://-a", ["its host is"]],
  ["http://ä.example", ["punycode"]],
  ["http://a..b", ["its host is"]],
  ["http://256.0.0.1", ["its IPv4 address is not one"]],
  ["http://127.1", ["its IPv4 address is not one"]],
  ["http://::1:80", ["cannot be told apart"]],
  ["http://[::g]:80", ["its IPv6 address is not one"]],
  ["http://[fe80::1%25eth0]:80", ["its IPv6 address is not one"]],
  ["http://[::1]x", ["cannot be told apart"]],
  ["http://a;weight=0", ["from 1 to 1000, or ;drain to take no new clients"]],
  ["http://a;weight=1001", ["from 1 to 1000"]],
  ["http://a;weight", ["from 1 to 1000"]],
  ["http://a;wieght=2", ["did you mean weight"]],
  ["http://a;backup=1", ["must be ;backup alone"]],
  ["http://a;backup=", ["must be ;backup alone"]],
  ["http://a;weight=2=3", ['its weight is "2=3"']],
  ["http://a;backup;backup", ["twice"]],
  ["http://a;", ["empty parameter"]],
  ["http://a:1,http://b:1", ["holds several addresses, must be one"]],
  ["http://a:1;http://b:1", ["holds several addresses, must be one"]],
  ["https://http://a:1", ["k8s://service.namespace:port; did you mean http://a:1"]],
  ["http://https://a/x", ["its scheme stands twice"]],
  ["http://a:1/go?to=http://b", ["it has a path", "it has a query"]],
  ["http://a:1 - http://b:1", ["holds several addresses, must be one"]],
  ["http://a/x;weight=0;foo", ["weight from 1 to 1000", '"foo" is not a known parameter', "it has a path"]],
  ["dns+http://a", ["it has no port"]],
  ["dns+http://10.0.0.1:80", ["needs no resolving"]],
  ["dns+http://[::1]:80", ["needs no resolving"]],
  ["dns+http://0x7f.1:80", ["its IPv4 address is not one"]],
  ["dns+http://0x7f000001:80", ["its IPv4 address is not one"]],
  ["http://0X7f.1", ["its IPv4 address is not one"]],
  ["http://0x7f000001:80", ["its IPv4 address is not one"]],
  ["dns+http://_http._tcp.", ["it has no port"]],
  ["dns+http://_http._tcp.a:80", ["SRV records give the ports"]],
  ["k8s://Api:80", ["service.namespace"]],
  ["k8s://api.shop.svc.cluster.local:80", ["service.namespace"]],
  ["k8s://api.shop", ["it has no port"]],
  ["k8s://api.shop:0", ["or the name of one"]],
];

Deno.test("parseEndpointAddress() reads every form of address", () => {
  for (const [text, address] of accepted) {
    assertEquals(parseEndpointAddress(text), { ok: true, address }, text);
  }
});

Deno.test("parseEndpointAddress() refuses with what is wrong and what is accepted, all at once", () => {
  for (const [text, parts] of refused) {
    const parsed = parseEndpointAddress(text);
    assertFalse(parsed.ok, text);
    if (parsed.ok) continue;
    const refusals = parsed.problems.map((p) => `${p.state}, ${p.accepted}; did you mean ${p.nearest}`);
    assertEquals(refusals.length, parts.length, `${text}: ${refusals.join("\n")}`);
    parts.forEach((part) =>
      assert(refusals.some((refusal) => refusal.includes(part)), `${text}: ${refusals}`)
    );
  }
});

Deno.test("parseEndpointAddress() never repeats a user name or password", () => {
  for (
    const text of [
      "http://u:hunter2@a",
      "http://u:hunt/er2;x@y@a:1/p?q",
      "u:hunter2@a:80",
      "ftp://hunter2@a;z",
    ]
  ) {
    assertFalse(/hunter|hunt\/er|u:/.test(JSON.stringify(parseEndpointAddress(text))), text);
  }
});

Deno.test("parseEndpointEntry() takes parameters as keys, and then none in the address", () => {
  assertEquals(parseEndpointEntry({ url: "http://a:1", weight: 3, drain: true }), {
    ok: true,
    address: { kind: "static", scheme: "http", host: "a", port: 1, weight: 3, backup: false, drain: true },
  });
  const both = parseEndpointEntry({ url: "http://a:1;weight=2", weight: 3 });
  assertFalse(both.ok);
  if (!both.ok) assertStringIncludes(both.problems[0]?.accepted ?? "", "as keys beside url");
});

Deno.test("parseEndpointEntry() takes what is not written for weight 1, and refuses what the address alone would", () => {
  const address = { kind: "static", scheme: "http", host: "a", port: 1, ...plain } as const;
  for (const entry of ["http://a:1", { url: "http://a:1" }]) {
    assertEquals(parseEndpointEntry(entry), { ok: true, address });
  }
  assertEquals(parseEndpointEntry({ url: "http://a:1", backup: true }), {
    ok: true,
    address: { ...address, backup: true },
  });
  assertEquals(parseEndpointEntry({ url: "http://a:0", weight: 3 }), parseEndpointAddress("http://a:0"));
});

const label = "a".repeat(63);
/** The longest and the highest that are taken, and one past each. */
const edges: readonly (readonly [within: string, past: string])[] = [
  ["http://a:1", "http://a:0"],
  ["http://a:65535", "http://a:65536"],
  ["http://a;weight=1", "http://a;weight=0"],
  ["http://a;weight=1000", "http://a;weight=1001"],
  [`http://${label}.b`, `http://a${label}.b`],
  [
    `http://${label}.${label}.${label}.${"a".repeat(61)}.`,
    `http://${label}.${label}.${label}.${"a".repeat(62)}.`,
  ],
  [`k8s://${label}.shop:80`, `k8s://a${label}.shop:80`],
  ["k8s://api:fifteen-letters", "k8s://api:sixteen-letters1"],
  ["k8s://api:65535", "k8s://api:65536"],
  ["k8s://api:8080x", "k8s://api:8080-"],
  ["http://a;drain;backup", "http://a;drain;drain"],
  ["http://a;drain", "http://a;drain=true"],
  ["http://a:1/", "http://a:1/?"],
  ["http://a-b_c.d", "http://a-.d"],
  ["http://255.255.255.255", "http://255.255.255.256"],
  ["http://[::ffff:10.0.0.1]", "http://[::ffff:10.0.0.256]"],
  ["dns+http://_http._tcp.a", "dns+http://_http._sctp.a"],
];

Deno.test("parseEndpointAddress() takes what is just within its limits, and refuses what is just past them", () => {
  for (const [within, past] of edges) {
    assertEquals([parseEndpointAddress(within).ok, parseEndpointAddress(past).ok], [true, false], past);
  }
});

Deno.test("parseEndpointAddress() writes the scheme where nothing else is missing", () => {
  const nearest = (text: string) => {
    const parsed = parseEndpointAddress(text);
    return parsed.ok ? "" : parsed.problems[0]!.nearest;
  };
  for (const text of ["10.0.0.1:8080", "localhost:3000", "app;weight=2", "[::1]:80"]) {
    assertEquals(nearest(text), `http://${text}`);
  }
  for (
    const text of ["", "unix:/run/app.sock", "10.0.0.1:80 weight=3", "me:pw@app:80", "http:/app", "//app"]
  ) {
    assertEquals(nearest(text), undefined, text);
  }
});

Deno.test("parseEndpointAddress() repeats no more than the first 120 characters", () => {
  for (
    const parsed of [
      parseEndpointAddress(`http://a/${"x".repeat(500)}`),
      parseEndpointEntry({ url: `http://a;${"x".repeat(500)}` }),
    ]
  ) {
    const { state } = parsed.ok ? { state: "" } : parsed.problems[0]!;
    assertEquals(/x+/.exec(state)![0].length, 111);
  }
});

Deno.test("addressId() is the same for two spellings of one endpoint", () => {
  const same: readonly [string, string, string][] = [
    ["http://A", "http://a:80/;weight=3", "http://a:80"],
    ["http://[::0001]", "http://[::1]:80;backup", "http://[::1]:80"],
    ["https://a", "https://a:443", "https://a:443"],
    ["dns+http://_http._tcp.A", "dns+http://_http._tcp.a", "dns+http://_http._tcp.a"],
    ["k8s://a.b:http", "k8s://a.b:http;weight=2", "k8s://a.b:http"],
    ["k8s://a:80", "k8s://a:80;backup", "k8s://a:80"],
  ];
  for (const [one, other, id] of same) {
    for (const text of [one, other]) {
      const parsed = parseEndpointAddress(text);
      assertEquals(parsed.ok && addressId(parsed.address), id, text);
    }
  }
});

Deno.test("splitAddresses() separates by commas, white space or both", () => {
  assertEquals(splitAddresses(" http://a,http://b\n\thttp://c , ,http://d,"), [
    "http://a",
    "http://b",
    "http://c",
    "http://d",
  ]);
  assertEquals(splitAddresses(" ,\n"), []);
});

Deno.test("parseEndpointAddress() gives an address or problems for any text, and throws for none", () => {
  const piece = fc.constantFrom(
    "http",
    "dns+",
    "k8s",
    "://",
    ":",
    "/",
    "@",
    "[",
    "]",
    ";",
    "weight=",
    "?",
    "#",
    ".",
    "_tcp.",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.oneof(piece, fc.string())).map((parts) => parts.join("")),
  );
  fc.assert(fc.property(text, (value) => {
    const parsed = parseEndpointAddress(value);
    assert(parsed.ok || parsed.problems.length > 0);
  }));
});

Deno.test("parseEndpointAddress() takes a parameter by a name that every object has for unknown, not for twice there", () => {
  const parsed = parseEndpointAddress("http://10.0.0.1;constructor");
  assertEquals(parsed.ok ? [] : parsed.problems.map(({ state }) => state), [
    'is "http://10.0.0.1;constructor": "constructor" is not a known parameter',
  ]);
});
