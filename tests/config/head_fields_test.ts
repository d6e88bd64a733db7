import { assertEquals } from "@std/assert";
import { parseNameServer } from "../../src/config/name_server.ts";
import { loaded, refusals } from "./helpers.ts";

const api = "upstreams: {api: {endpoints: ['http://a']}}\n";
const route = (settings: string) => `${api}routes: [{upstream: api, ${settings}}]`;
const upstream = (settings: string) => `upstreams: {api: {endpoints: ['http://a'], ${settings}}}`;

Deno.test("headers.requestId takes no name that has a meaning of its own", async () => {
  const names = [
    "transfer-encoding",
    "Content-Length",
    "host",
    "connection",
    "X-Forwarded-For",
    "via",
    "date",
    "expect",
    "content_length",
    "accept",
    "Accept-Encoding",
    "Authorization",
    "content-encoding",
    "content-range",
    "content_type",
    "cookie",
    "idempotency-key",
    "origin",
    "range",
    "set-cookie",
    "traceparent",
    "tracestate",
    "user-agent",
  ];
  for (const name of names) {
    assertEquals(await refusals({ file: `headers: {requestId: ${name}}` }), [
      `headers.requestId is "${name}", which has a meaning of its own, must be a name of its own, like ` +
      "x-request-id (config.yaml:1:22)",
    ]);
  }
  for (const name of ["x-request-id", "X-Correlation-ID", "request_id", "amzn-trace"]) {
    await loaded({ file: `headers: {requestId: ${name}}` });
  }
});

Deno.test("edits of headers leave framing, what belongs to one connection, and Host to Weir", async () => {
  const framing = "which belongs to one connection and is written by Weir, must be left out";
  const table: [file: string, expected: string][] = [
    [
      route("requestHeaders: {set: {Transfer-Encoding: gzip}}"),
      `routes[0].requestHeaders.set.Transfer-Encoding changes Transfer-Encoding, ${framing} (config.yaml:2:49)`,
    ],
    [
      route("responseHeaders: {add: {content-length: '1'}}"),
      `routes[0].responseHeaders.add.content-length changes content-length, ${framing} (config.yaml:2:50)`,
    ],
    [
      route("responseHeaders: {remove: [server, Connection]}"),
      `routes[0].responseHeaders.remove[1] changes Connection, ${framing} (config.yaml:2:61)`,
    ],
    [
      route("requestHeaders: {set: {Host: a}}"),
      "routes[0].requestHeaders.set.Host changes Host, which a request has once, must be left to hostHeader of the " +
      "upstream: endpoint, or a fixed =name (config.yaml:2:49)",
    ],
    [
      route("requestHeaders: {add: {expect: 100-continue}}"),
      "routes[0].requestHeaders.add.expect changes expect, which only a client can ask of an endpoint, must be left " +
      "out (config.yaml:2:49)",
    ],
    [
      route("requestHeaders: {set: {X-A: a, b: b, x-a: c}}"),
      "routes[0].requestHeaders.set.x-a is the same name as X-A, must be written once, in any case (config.yaml:2:63)",
    ],
    [
      route("match: {headers: {X-A: a, x-a: b}}"),
      "routes[0].match.headers.x-a is the same name as X-A, must be written once, in any case (config.yaml:2:52)",
    ],
  ];
  for (const [file, expected] of table) assertEquals(await refusals({ file }), [expected]);
  const names = ["keep-alive", "proxy-connection", "te", "trailer", "upgrade", "http2-settings"];
  for (const name of names) {
    assertEquals((await refusals({ file: route(`requestHeaders: {add: {${name}: a}}`) })).length, 1, name);
  }
  assertEquals((await refusals({ file: route("requestHeaders: {remove: [1, null]}") })).length, 2);
  await loaded({ file: route("responseHeaders: {set: {host: a, expect: b}}") });
  for (const edits of ["{set: {X-A: a, x-b: b}, add: {x-a: c, X-A: d}, remove: [via, X-A]}"]) {
    await loaded({ file: route(`requestHeaders: ${edits}, responseHeaders: ${edits}`) });
  }
});

/** The key, what it takes, what it does not, and what it says then. */
const fields: [
  key: string,
  file: (value: string) => string,
  good: string[],
  bad: string[],
  accepted: string,
][] = [
  [
    "upstreams.api.hostHeader",
    (value) => upstream(`hostHeader: ${value}`),
    ["client", "endpoint", "=a", "=app_1.example.org:8080", "=[::1]", "=[::1]:80", "=10.0.0.1"],
    ["=a b", "=a\r\nX: y", "=a\u0000", "=", "=a/b", "=a:b", "=\u00fc.org", "=a@b", "=::1"],
    'must be one of client, endpoint, or "=" and a host, or host and port, like "=app.example.org"',
  ],
  [
    "upstreams.api.health.host",
    (value) => upstream(`health: {host: ${value}}`),
    ["a", "a.example.org:80", "[::1]:80"],
    ["a b", "a\nb", "", " a", "a/"],
    'must be a host, or host and port, like "app.example.org:8080"',
  ],
  [
    "upstreams.api.tls.serverName",
    (value) => upstream(`tls: {serverName: ${value}}`),
    ["a", "A_b.Example.org", "10.0.0.1", "fd00::1"],
    ["a b", "a\nb", "a:80", "[::1]", "10.1", "1.2.3", "-a", "*.a.org", "\u00fc.org"],
    "must be a name or an IP address, without brackets and port",
  ],
  [
    "upstreams.api.discovery.nameServer",
    (value) => upstream(`discovery: {nameServer: ${value}}`),
    ["10.0.0.1", "10.0.0.1:5353", "fd00::1", "[fd00::1]", "[fd00::1]:5353"],
    [
      "",
      "dns.example.org",
      "10.0.0.1:",
      "10.0.0.1:0",
      "10.0.0.1:65536",
      "[10.0.0.1]",
      "[::1]x",
      "10.1",
      "fe80::1%eth0",
    ],
    "must be an IP address, with a port or without: 10.0.0.2, 10.0.0.2:53 or [fd00::2]:53",
  ],
  [
    "routes[0].redirect.to",
    (value) => `routes: [{redirect: {to: ${value}}}]`,
    ["https://{host}{path}", "/a?b=%20"],
    ["", "/a b", "/a\n", "https://\u00fc.org", "https://\u0440\u0444/"],
    "must be text in visible ASCII, without blanks",
  ],
  [
    "upstreams.api.balance.hashOn.cookie",
    (value) => upstream(`balance: {hashOn: {cookie: ${value}}}`),
    ["a", "a[b]"],
    ["", "a b", "a=b", "a;b", "a\n"],
    "must be a cookie's name, without blanks, '=' and ';'",
  ],
  [
    "routes[0].upgrade[0]",
    (value) => route(`upgrade: [${value}]`),
    ["tcp", "acme/2"],
    ["", "a b", "a,b", "a/", "a/1/2"],
    'must be a protocol, like "tcp" or "acme/2"',
  ],
  [
    "listen.readyPath",
    (value) => `listen: {readyPath: ${value}}`,
    ["/", "/ready?now"],
    ["ready", "/a b", "/\u00fc"],
    'must be text that starts with "/", in visible ASCII without "#"',
  ],
];

Deno.test("what comes to stand in a head, or names whom to ask, has the form that it needs there", async () => {
  for (const [key, file, good, bad, accepted] of fields) {
    for (const value of good) await loaded({ file: file(JSON.stringify(value)) });
    for (const value of bad) {
      const [finding, ...more] = await refusals({ file: file(JSON.stringify(value)) });
      const line = /^(.*?) is (?:"|\().*?, (must .*) \(config\.yaml:\d+:\d+\)$/s.exec(finding ?? "");
      assertEquals([line?.[1], line?.[2], more], [key, accepted, []], `${key} ${value}: ${finding}`);
    }
  }
});

Deno.test("parseNameServer() reads an address with and without a port", () => {
  const table: [text: string, ipAddr: string, port: number][] = [
    ["10.0.0.1", "10.0.0.1", 53],
    ["10.0.0.1:5353", "10.0.0.1", 5353],
    ["fd00::1", "fd00::1", 53],
    ["[fd00::1]", "fd00::1", 53],
    ["[fd00::1]:5353", "fd00::1", 5353],
  ];
  for (const [text, ipAddr, port] of table) assertEquals(parseNameServer(text), { ipAddr, port });
});
