import { assert, assertEquals } from "@std/assert";
import { inUnitOf } from "../../src/config/amounts.ts";
import { jsonSchema } from "../../src/config/json_schema.ts";
import { editDistance, nearest } from "../../src/config/nearest.ts";
import { patternWords } from "../../src/config/units.ts";
import { refusals } from "./helpers.ts";

const upstream = (text: string) => `upstreams:\n  api:\n    endpoints: ['http://a']\n    ${text}`;
const route = (text: string) =>
  `upstreams: {api: {endpoints: ['http://a']}}\nroutes:\n  - upstream: api\n    ${text}`;

/** A file and the one refusal it gets, without the place. */
const table: readonly [string, string][] = [
  [
    "listen: 3000",
    "listen is 3000, must be a map with host, port, listener, tls, readyPath, proxyProtocol, headReadMs, keepAliveIdleMs, bodyBytesPerSecondMin, headBytesMax, headerLinesMax, connectionsMax, connectionsPerAddressMax, connectionLifetimeMs, connectionRequestsMax",
  ],
  ["admin:", "admin is empty, must be a map with host, port"],
  [
    "upstream app {\n  server 10.0.0.1:8080;\n}",
    "the configuration file holds no keys, must be a map with listen, admin, workers, trustedProxies, accessLog, headers, limits, drain, whenWorkerHangs, explainRequestsMax, stickyKeyFile, unknownUpgrade, upstreams, routes",
  ],
  [
    route("match: /api/*"),
    'routes[0].match is "/api/*", must be a map with host, path, method, headers, query',
  ],
  [
    "upstreams: {a: {endpoints: ['http://a']}}\nroutes: [{split: [{upstream: a, weight: 1}]}]",
    "routes[0].split is a list of 1, must be a list of 2 or more",
  ],
  [
    route("match: {method: get}"),
    'routes[0].match.method is "get", must be a list of 1 or more; did you mean ["get"]?',
  ],
  [
    route("match: {method: 'GET, HEAD'}"),
    'routes[0].match.method is "GET, HEAD", must be a list of 1 or more',
  ],
  [
    upstream("retry: {onStatus: 503}"),
    "upstreams.api.retry.onStatus is 503, must be a list, each one of 502, 503, 504; did you mean [503]?",
  ],
  [
    upstream("retry: {onStatus: 500}"),
    "upstreams.api.retry.onStatus is 500, must be a list, each one of 502, 503, 504",
  ],
  [
    "trustedProxies: 10.0.0.0/8",
    'trustedProxies is "10.0.0.0/8", must be a list; did you mean ["10.0.0.0/8"]?',
  ],
  ["trustedProxies: 5", "trustedProxies is 5, must be a list"],
  [
    "accessLog: no",
    'accessLog.format is "no", must be one of json, combined, errors, off; did you mean off?',
  ],
  [
    "accessLog: false",
    "accessLog is false, must be one of json, combined, errors, off, or a map with format, sampleOneIn, redactQuery; did you mean off?",
  ],
  [
    upstream("slowStart: off"),
    'upstreams.api.slowStart is "off", must be a map with windowMs, startPercent; did you mean { windowMs: 0 }?',
  ],
  [
    upstream("ejection: false"),
    "upstreams.api.ejection is false, must be a map with enabled, consecutiveFailures, failurePercent, requestsMin, intervalMs, baseMs, capMs, ejectedPercentMax; did you mean { enabled: false }?",
  ],
  [
    upstream("health: {kind: none}"),
    'upstreams.api.health.kind is "none", must be one of tcp, http, off; did you mean off?',
  ],
  [
    route("retry: no"),
    'routes[0].retry is "no", must be a map with attemptsMax, onStatus, idempotencyKey; did you mean { attemptsMax: 1 }?',
  ],
  // What cannot be seen is spelled out.
  ["listen:\n  \u00a0port: 80", 'listen["\\u00a0port"] is not a known key; did you mean port?'],
  [
    "listen: {host: \u200b0.0.0.0}",
    'listen.host is "\\u200b0.0.0.0", must be a name or an IP address, without brackets and port',
  ],
  [
    upstream("health: {path: /, expect: 200}"),
    'upstreams.api.health.expect is 200, must be a list of 1 or more; did you mean ["200"]?',
  ],
  [
    "upstreams: {api: {endpoints: 'http://u:p@a'}}",
    'upstreams.api.endpoints is "http://***@a", must be a list of 1 or more',
  ],
  ['listen: {port: "8080"}', 'listen.port is "8080", must be an integer from 0 to 65535; did you mean 8080?'],
  [
    upstream('retry: {onStatus: ["503"]}'),
    'upstreams.api.retry.onStatus[0] is "503", must be one of 502, 503, 504; did you mean 503?',
  ],
  [
    upstream('retry: {onStatus: ["500"]}'),
    'upstreams.api.retry.onStatus[0] is "500", must be one of 502, 503, 504',
  ],
  [
    route('rateLimit: {requestsPerSecond: "0"}'),
    'routes[0].rateLimit.requestsPerSecond is "0", must be a number above 0, at most 1000000',
  ],
  ['listen: {port: "80800"}', 'listen.port is "80800", must be an integer from 0 to 65535'],
  ['listen: {listener: "8"}', 'listen.listener is "8", must be one of serve, wire'],
  [
    'accessLog: {redactQuery: "true"}',
    'accessLog.redactQuery is "true", must be true or false; did you mean true?',
  ],
  [
    "accessLog: {redactQuery: off}",
    'accessLog.redactQuery is "off", must be true or false; did you mean false?',
  ],
  ["accessLog: {redactQuery: maybe}", 'accessLog.redactQuery is "maybe", must be true or false'],
  ["listen: {port: }", "listen.port is empty, must be an integer from 0 to 65535"],
  [
    "listen: {tls: {certFile: a, keyFile: b, redirectPort: 0}}",
    "listen.tls.redirectPort is 0, must be an integer >= 1",
  ],
  ["listen: {port: 1.5}", "listen.port is 1.5, must be an integer from 0 to 65535"],
  ["listen: {port: .nan}", "listen.port is NaN, must be an integer from 0 to 65535"],
  [
    "listen: {proxyProtocol: yes}",
    'listen.proxyProtocol is "yes", must be true or false; did you mean true?',
  ],
  [
    "listen: {readyPath: ready}",
    'listen.readyPath is "ready", must be text that starts with "/", in visible ASCII without "#"',
  ],
  [
    "headers: {requestId: a b}",
    "headers.requestId is \"a b\", must be a word of letters, digits, '-', '_', '.' and the like (an RFC 9110 token)",
  ],
  [
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: weir}\ndata: {weir.yaml: 'upstreams: {}'}",
    "the configuration file is an object of Kubernetes, must be what stands in its data alone (docs/kubernetes.md says how to take it out)",
  ],
  [
    "colour: red",
    "colour is not a known key, must be one of listen, admin, workers, trustedProxies, accessLog, headers, limits, drain, whenWorkerHangs, explainRequestsMax, stickyKeyFile, unknownUpgrade, upstreams, routes",
  ],
  [
    "accessLog: josn",
    'accessLog.format is "josn", must be one of json, combined, errors, off; did you mean json?',
  ],
  [
    "upstreams: {api: {endpoints: []}}",
    "upstreams.api.endpoints is an empty list, must be a list of 1 or more",
  ],
  ["upstreams: {api: {}}", "upstreams.api.endpoints is missing, must be a list of 1 or more"],
  [
    "upstreams: {api: {endpoints: [7]}}",
    "upstreams.api.endpoints[0] is 7, must be text that is not empty, or a map with url, weight, backup, drain; as text it needs quotes",
  ],
  [
    route("match: {headers: {x-v: 2}}"),
    "routes[0].match.headers.x-v is 2, must be text, or a map with present, or a map with prefix; as text it needs quotes",
  ],
  [
    route("requestHeaders: {set: {x-v: true}}"),
    "routes[0].requestHeaders.set.x-v is (hidden), must be text without control characters, in latin-1; as text it needs quotes",
  ],
  [
    "upstreams: {api: {endpoints: [{url: 'http://a', weight: 0}]}}",
    "upstreams.api.endpoints[0].weight is 0, must be an integer >= 1",
  ],
  [
    upstream("balance: {choices: every}"),
    'upstreams.api.balance.choices is "every", must be all, or an integer from 2 to 64',
  ],
  [
    upstream("balance: {hashOn: {hedaer: x}}"),
    "upstreams.api.balance.hashOn.hedaer is not a known key; did you mean header?",
  ],
  [
    upstream("hostHeader: other"),
    'upstreams.api.hostHeader is "other", must be one of client, endpoint, or "=" and a host, or host and port, like "=app.example.org"',
  ],
  [
    upstream('health: {path: "/a b"}'),
    'upstreams.api.health.path is "/a b", must be text that starts with "/", in visible ASCII without "#"',
  ],
  [
    upstream('health: {path: "/x#y"}'),
    'upstreams.api.health.path is "/x#y", must be text that starts with "/", in visible ASCII without "#"',
  ],
  [
    upstream('health: {path: "/x", host: "a\\u010d\\u010ab"}'),
    'upstreams.api.health.host is "a\u010d\u010ab", must be a host, or host and port, like "app.example.org:8080"',
  ],
  [
    route('rewrite: {replacePrefix: {from: /, to: "/\\u010a"}}'),
    'routes[0].rewrite.replacePrefix.to is "/\u010a", must be text that starts with "/", in visible ASCII without "#"',
  ],
  [
    upstream("retry: {onStatus: [{status: 502}]}"),
    "upstreams.api.retry.onStatus[0] is a map of keys, must be one of 502, 503, 504",
  ],
  [
    route("match: {host: {exact: a.test}}"),
    "routes[0].match.host is a map of keys, must be text that is not empty, or a list of 1 or more",
  ],
  [
    upstream("retry: {onStatus: [500]}"),
    "upstreams.api.retry.onStatus[0] is 500, must be one of 502, 503, 504",
  ],
  [
    upstream("health: {path: /x, expect: [200]}"),
    'upstreams.api.health.expect[0] is 200, must be a status like "200", "2xx" or "200-399"; as text it needs quotes',
  ],
  [route("path: /a"), "routes[0].path is not a known key here, but under routes[].match"],
  [route("match: {upstream: api}"), "routes[0].match.upstream is not a known key here, but under routes[]"],
  [
    route("match: {prefix: /a}"),
    "routes[0].match.prefix is not a known key, must be one of host, path, method, headers, query",
  ],
  [
    upstream("weight: 2"),
    "upstreams.api.weight is not a known key here, but under upstreams.<name>.endpoints[]",
  ],
  ["tls: {}", "tls is not a known key here, but under listen or under upstreams.<name>"],
  ["listen: {workers: 2}", "listen.workers is not a known key here, but at the top"],
  [
    upstream("timeouts: {connectMs: 2s}"),
    'upstreams.api.timeouts.connectMs is "2s", must be an integer from 1 to 86400000; did you mean 2000?',
  ],
  [
    upstream("timeouts: {connectMs: 2d}"),
    'upstreams.api.timeouts.connectMs is "2d", must be an integer from 1 to 86400000',
  ],
  [upstream("panicPercent: 150%"), 'upstreams.api.panicPercent is "150%", must be an integer from 0 to 100'],
  [
    "limits: {requestBodyBytesMax: 10m}",
    'limits.requestBodyBytesMax is "10m", must be an integer >= 0; did you mean 10485760?',
  ],
  [upstream("helath: {}"), "upstreams.api.helath is not a known key; did you mean health?"],
  [
    route("match: {headers: {x: {presnt: true}}}"),
    "routes[0].match.headers.x.presnt is not a known key; did you mean present?",
  ],
  [
    route("match: {headers: {x: {present: yes}}}"),
    'routes[0].match.headers.x.present is "yes", must be true or false; did you mean true?',
  ],
  [
    route("match: {query: {x: {prefix: 1}}}"),
    "routes[0].match.query.x.prefix is 1, must be text that is not empty; as text it needs quotes",
  ],
  [
    route("match: {headers: {x: {present: true, prefix: a}}}"),
    "routes[0].match.headers.x has present and prefix, must be text, or a map with present, or a map with prefix",
  ],
  [
    route("rateLimit: {requestsPerSecond: 0}"),
    "routes[0].rateLimit.requestsPerSecond is 0, must be a number above 0, at most 1000000",
  ],
  [route("timeouts: {requestMs: -1}"), "routes[0].timeouts.requestMs is -1, must be an integer >= 0"],
  [
    "limits: {requestBodyBytesMax: 99999999999999999999999}",
    "limits.requestBodyBytesMax is 1e+23, must be an integer <= 9007199254740991",
  ],
  ["listen: {port: 99999999999999999999999}", "listen.port is 1e+23, must be an integer from 0 to 65535"],
  ["listen: {port: -99999999999999999999999}", "listen.port is -1e+23, must be an integer >= 0"],
  [
    "limits: {requestBodyBytesMax: -99999999999999999999999}",
    "limits.requestBodyBytesMax is -1e+23, must be an integer >= 0",
  ],
];

Deno.test("a wrong shape is refused with the value seen, what is accepted and the nearest name", async () => {
  for (const [file, expected] of table) {
    const rendered = (await refusals({ file })).map((text) => text.replace(/ \(config\.yaml:\d+:\d+\)$/, ""));
    assertEquals(rendered, [expected], file);
  }
});

Deno.test("what stands behind a wrong name is judged as well", async () => {
  assertEquals(await refusals({ file: "upstreams: {a b: {endpoints: ['http://a'], panicPercent: 101}}" }), [
    `upstreams["a b"] has a name that is not accepted, must be 1 to 63 letters, digits, '-', '_' or '.', the first a letter or digit (config.yaml:1:13)`,
    `upstreams["a b"].panicPercent is 101, must be an integer from 0 to 100 (config.yaml:1:58)`,
  ]);
});

Deno.test("a refusal never shows the value of a header that a route sets", async () => {
  const text = (await refusals({ file: route('requestHeaders: {set: {authorization: "hunter2\\u0001"}}') }))
    .join();
  assert(text.includes("requestHeaders.set.authorization is (hidden)"), text);
  assert(!text.includes("hunter2"));
});

Deno.test("a refusal never shows a header that a route sets, or asks for, without its colon", async () => {
  for (
    const keys of [
      "requestHeaders",
      "requestHeaders.set",
      "requestHeaders.add",
      "responseHeaders",
      "responseHeaders.set",
      "match.headers",
      "match.query",
    ]
  ) {
    const written = keys.split(".").reduceRight(
      (inner, key) => `{${key}: ${inner}}`,
      "authorization hunter2",
    );
    const text = (await refusals({ file: route(written.slice(1, -1)) })).join();
    assert(text.includes(`routes[0].${keys} is (hidden), must be a map`), text);
  }
});

Deno.test("every pattern of the schema has words for refusals", () => {
  const patterns = new Set(JSON.stringify(jsonSchema()).match(/"pattern":"(?:[^"\\]|\\.)*"/g));
  for (const pattern of patterns) {
    const source = JSON.parse(`{${pattern}}`).pattern as string;
    assert(source in patternWords, `${source} has no words in units.ts`);
  }
});

Deno.test("of many unknown keys and words the first fifty are told the nearest name", async () => {
  const keys = Array.from({ length: 40 }, (_, i) => `keepAliveIdleS${i}: 1`);
  const routes = Array.from({ length: 20 }, () => "  - {upstram: api}");
  const listen = `listen:\n  ${keys.join("\n  ")}\n`;
  const file = `${listen}upstreams: {api: {endpoints: ['http://a']}}\nroutes:\n${routes.join("\n")}`;
  const unknown = (await refusals({ file })).filter((line) => line.includes("is not a known key"));
  assertEquals(unknown.map((line) => line.includes("; did you mean ")), [
    ...Array(50).fill(true),
    ...Array(10).fill(false),
  ]);
  assert(unknown.slice(50).every((line) => line.includes(", must be one of ")), unknown.at(-1));
});

Deno.test("inUnitOf() tells amounts in the unit of their key, and nothing else", () => {
  const table: [key: string, text: string, number: number | undefined][] = [
    ["connectMs", "250ms", 250],
    ["connectMs", "0.5s", 500],
    ["connectMs", "2 m", 120_000],
    ["idleMs", "1h", 3_600_000],
    ["maxAgeS", "1d", 86_400],
    ["connectMs", "1m30s", 90_000],
    ["maxAgeS", "1h 30m", 5_400],
    ["connectMs", "1m30x", undefined],
    ["connectMs", "1m30", undefined],
    ["weight", "1m30s", undefined],
    ["hstsMaxAgeS", "500ms", undefined],
    ["requestBodyBytesMax", "8k", 8_192],
    ["requestBodyBytesMax", "1MiB", 1_048_576],
    ["requestBodyBytesMax", "2GB", 2_147_483_648],
    ["headBytesMax", "100b", 100],
    ["panicPercent", "50%", 50],
    ["connectMs", "10k", undefined],
    ["connectMs", "s", undefined],
    ["requestBodyBytesMax", "10s", undefined],
    ["weight", "90%", undefined],
    ["port", "80m", undefined],
    ["port", "8080", 8_080],
    ["port", "0x50", undefined],
  ];
  for (const [key, text, number] of table) assertEquals(inUnitOf(key, text), number, `${key} ${text}`);
});

Deno.test("nearest() finds what was mistyped and nothing far away", () => {
  const names = ["port", "listener", "round_robin", "weight"];
  const cases: [string, string | undefined][] = [
    ["prot", "port"],
    ["PORT", "port"],
    ["lisener", "listener"],
    ["round-robin", "round_robin"],
    ["wieght", "weight"],
    ["colour", undefined],
    ["", undefined],
    ["x".repeat(10_000), undefined],
  ];
  for (const [word, expected] of cases) assertEquals(nearest(word, names), expected, word.slice(0, 20));
});

Deno.test("editDistance() counts insertions, deletions, replacements and swaps of neighbours", () => {
  for (
    const [a, b, distance] of [["", "", 0], ["abc", "", 3], ["abc", "abd", 1], ["abc", "acb", 1], [
      "abc",
      "bc",
      1,
    ], ["kitten", "sitting", 3]] as const
  ) {
    assertEquals(editDistance(a, b), distance, `${a} ${b}`);
    assertEquals(editDistance(b, a), distance, `${b} ${a}`);
  }
});
