import { assertEquals, assertStringIncludes } from "@std/assert";
import { loaded, refusals, type Sources } from "./helpers.ts";

const api = "upstreams: {api: {endpoints: ['http://a']}}\n";
const twoUpstreams = "upstreams: {api: {endpoints: ['http://a']}, web: {endpoints: ['http://b']}}\n";

/** A configuration and what contradicts itself in it. */
const contradictions: readonly [Sources, string[]][] = [
  [{ file: `${api}routes: [{}]` }, [
    "routes[0] says nothing of what becomes of its requests, must have exactly one of upstream, split, redirect, respond (config.yaml:2:10)",
  ]],
  [{ file: `${api}routes: [{upstream: api, respond: {status: 200}}]` }, [
    "routes[0] has upstream and respond, must have exactly one of upstream, split, redirect, respond (config.yaml:2:10)",
  ]],
  [{ file: `${twoUpstreams}routes: [{split: [{upstream: api, weight: 1}, {upstream: wbe, weight: 1}]}]` }, [
    'routes[0].split[1].upstream is "wbe", which is no upstream; did you mean web? (config.yaml:2:58)',
  ]],
  [{ file: `${api}routes: [{upstream: constructor}]` }, [
    'routes[0].upstream is "constructor", which is no upstream, must be one of api (config.yaml:2:21)',
  ]],
  [{ file: `${api}routes: [{upstream: my api}]` }, [
    "routes[0].upstream is \"my api\", must be 1 to 63 letters, digits, '-', '_' or '.', the first a letter or digit (config.yaml:2:21)",
  ]],
  [{
    file:
      "upstreams: [{name: api}]\nroutes: [{upstream: api}, {split: [{upstream: api, weight: 1}, {upstream: b, weight: 1}]}]",
  }, [
    "upstreams is a list of 1, must be a map (config.yaml:1:12)",
  ]],
  [
    {
      file: `${api}routes: [{name: x, upstream: api}, {name: y, upstream: api}, {name: x, upstream: api}]`,
    },
    ['routes[2].name is "x", the name of routes[0], must be a name of its own (config.yaml:2:69)'],
  ],
  [{ file: twoUpstreams }, [
    "upstreams has 2 upstreams and no route says which takes what, must have one named default, or routes must be written (config.yaml:1:12)",
  ]],
  [{ file: "listen: {port: 9901}" }, [
    "listen.port is 9901, must differ from admin.port, which is the same (config.yaml:1:16)",
  ]],
  [{ env: { ADMIN_PORT: "3000" } }, [
    "admin.port is 3000, must differ from listen.port, which is the same (variable ADMIN_PORT)",
  ]],
  [{ file: "listen: {port: 443, tls: {certFile: a, keyFile: b, redirectPort: 443}}" }, [
    "listen.tls.redirectPort is 443, must differ from listen.port, which is the same (config.yaml:1:66)",
  ]],
  [{ file: "listen: {proxyProtocol: true}" }, [
    "listen.proxyProtocol is true with the listener serve, which cannot read the PROXY header, must be false, or listen.listener wire (config.yaml:1:25)",
  ]],
  [{
    file: "listen: {proxyProtocol: true, tls: {certFile: a, keyFile: b}}",
    env: { LISTENER: "wire" },
  }, [
    "listen.proxyProtocol is true with listen.tls, and the PROXY header comes before the TLS handshake, must be false, or TLS must end in front of Weir (config.yaml:1:25)",
  ]],
  [{ file: "listen: {tls: {certFile: a}}" }, [
    "listen.tls.keyFile is missing, must be text that is not empty (config.yaml:1:10)",
  ]],
  [{ file: "upstreams: {api: {endpoints: ['https://a'], tls: {certFile: a}}}" }, [
    "upstreams.api.tls.keyFile is missing, must be written together with certFile (config.yaml:1:45)",
  ]],
  [{ file: "upstreams: {api: {endpoints: ['http://a'], sticky: {}}}" }, [
    "upstreams.api.sticky has no key that signs its cookie, must have one: stickyKeyFile, or the variable WEIR_STICKY_KEY, the same in all pods (config.yaml:1:52)",
  ]],
  [{ file: "stickyKeyFile: /k", env: { WEIR_STICKY_KEY: " 0123456789abcde\n" } }, [
    "variable WEIR_STICKY_KEY has 15 characters, must have at least 16, as `openssl rand -hex 32` makes them (variable WEIR_STICKY_KEY)",
  ]],
  [{ file: "upstreams: {api: {endpoints: ['http://a'], sticky: {}}}", env: { WEIR_STICKY_KEY: " \n" } }, [
    "upstreams.api.sticky has no key that signs its cookie, must have one: stickyKeyFile, or the variable WEIR_STICKY_KEY, the same in all pods (config.yaml:1:52)",
  ]],
  [{ file: "upstreams: {api: {endpoints: ['http://a'], health: {kind: http}}}" }, [
    'upstreams.api.health.path is missing, must be written when kind is http, like "/healthz" (config.yaml:1:44)',
  ]],
  [{ file: "upstreams: {api: {endpoints: ['http://a', {url: 'http://A:80/'}]}}" }, [
    "upstreams.api.endpoints[1].url is http://a:80, the same endpoint as endpoints[0], must be written once (a larger share is its weight) (config.yaml:1:49)",
  ]],
  ...["[::]", "10.0.0", "0x7f.1", "10.0.0.1:80"].map((
    host,
  ): [Sources, string[]] => [{ env: { HOST: host } }, [
    `listen.host is "${host}", must be a name or an IP address, without brackets and port (variable HOST)`,
  ]]),
];

Deno.test("loadConfig() refuses what contradicts itself", async () => {
  for (const [sources, expected] of contradictions) assertEquals(await refusals(sources), expected);
});

/** What looks like a contradiction and is none. */
const accepted: readonly Sources[] = [
  {},
  { file: "listen: {listener: wire, proxyProtocol: true}" },
  { file: "listen: {proxyProtocol: false, tls: {certFile: a, keyFile: b}}" },
  { file: `${twoUpstreams}routes: [{upstream: api}]` },
  { file: `${twoUpstreams}routes: [{upstream: api}, {upstream: web}]` },
  { file: "upstreams: {default: {endpoints: ['http://a']}, web: {endpoints: ['http://a']}}" },
  { env: { PORT: "0", ADMIN_PORT: "0" } },
  { env: { PORT: "80", ADMIN_PORT: "80", HOST: "10.0.0.1", ADMIN_HOST: "127.0.0.1" } },
  {
    file: "upstreams: {api: {endpoints: ['http://a'], sticky: {}}}",
    env: { WEIR_STICKY_KEY: "0123456789abcdef" },
  },
  { file: "stickyKeyFile: /k\nupstreams: {api: {endpoints: ['http://a'], sticky: {}}}" },
  { file: "upstreams: {api: {endpoints: ['http://a'], health: {path: /healthz}}}" },
];

Deno.test("loadConfig() accepts what is not meaningless", async () => {
  for (const sources of accepted) await loaded(sources);
});

Deno.test("hostHeader and health.host take a host and a port that there may be", async () => {
  const file = (keys: string) => `upstreams: {api: {endpoints: ['http://a'], ${keys}}}`;
  for (const host of ["a", "a:1", "a:65535", "[::1]", "[::1]:08080"]) {
    await loaded({ file: file(`hostHeader: "=${host}", health: {path: /, host: "${host}"}`) });
  }
  const accepted = "must have a port from 1 to 65535";
  assertEquals(await refusals({ file: file(`hostHeader: "=a:99999", health: {path: /, host: "[::1]:0"}`) }), [
    `upstreams.api.hostHeader is "=a:99999": its port is "99999", ${accepted} (config.yaml:1:56)`,
    `upstreams.api.health.host is "[::1]:0": its port is "0", ${accepted} (config.yaml:1:92)`,
  ]);
  const hosts = "its host is none, must have a name, an IPv4 address, or an IPv6 address in brackets";
  for (const host of ["[::::]", "[1.2.3.4]", "[::1::]:80", "1.2.3", "300.1.1.1:80", "a..b", ".a", "-"]) {
    assertEquals(await refusals({ file: file(`hostHeader: "=${host}"`) }), [
      `upstreams.api.hostHeader is "=${host}": ${hosts} (config.yaml:1:56)`,
    ]);
  }
});

Deno.test("trustedProxies takes networks and addresses, in four parts or IPv6", async () => {
  const file = (cidr: string) => `trustedProxies: ["${cidr}"]`;
  for (const cidr of ["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::1/128", "1.2.3.4/32", "10.0.0.1", "::1"]) {
    await loaded({ file: file(cidr) });
  }
  const wrong = [
    "",
    "10/8",
    "127.1",
    "10.0.0.0/33",
    "::/129",
    "a/8",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "0x7f.0.0.1/8",
  ];
  for (const cidr of [...wrong, "fe80::1%eth0/64"]) {
    assertEquals((await refusals({ file: file(cidr) })).length, 1, cidr);
  }
  for (const cidr of ["10.0.0.0/8;fd00::/8", "10.0.0.1, 10.0.0.2", "10.0.0.0/8;"]) {
    assertEquals(await refusals({ file: file(cidr) }), [
      `trustedProxies[0] is "${cidr}", must be one: each is an item of a list, or stands behind a comma or a ` +
      "blank in TRUSTED_PROXIES (config.yaml:1:18)",
    ]);
  }
  for (const cidr of ["::ffff:10.0.0.1", "::ffff:a00:0/104", "::ffff:0:0/96"]) {
    assertEquals(await refusals({ file: file(cidr) }), [
      `trustedProxies[0] is "${cidr}", must be written as IPv4, like 10.0.0.0/8: so is every address it is ` +
      "compared with (config.yaml:1:18)",
    ]);
  }
});

Deno.test("health.expect takes ranges that a status can be in", async () => {
  const file = (range: string) =>
    `upstreams: {api: {endpoints: ['http://a'], health: {expect: ["${range}"]}}}`;
  for (const range of ["200", "200-200", "1xx-200", "100-299", "2xx-299", "2xx-201"]) {
    await loaded({ file: file(range) });
  }
  const inverted = "must begin with the lower status, like 200-399";
  const interim = "must reach 200: what comes before the answer passes no check";
  const wrong = [["399-200", inverted], ["4xx-200", inverted], ["2xx-199", inverted], ["1xx", interim], [
    "100-199",
    interim,
  ]] as const;
  for (const [range, accepted] of wrong) {
    assertEquals(await refusals({ file: file(range) }), [
      `upstreams.api.health.expect[0] is "${range}", ${accepted} (config.yaml:1:62)`,
    ]);
  }
});

Deno.test("two listeners may share a port where they have different addresses, and nowhere else", async () => {
  const hosts: readonly [listen: string, admin: string, refused: boolean][] = [
    ["127.0.0.1", "127.0.0.2", false],
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "0.0.0.0", true],
    ["::", "127.0.0.1", true],
  ];
  for (const [listen, admin, refused] of hosts) {
    const file = `listen: {host: "${listen}", port: 5000}\nadmin: {host: "${admin}", port: 5000}\n${api}`;
    assertEquals((await refusals({ file })).length, refused ? 1 : 0, `${listen} ${admin}`);
  }
});

Deno.test("patterns of hosts and paths that can match nothing are refused at their place", async () => {
  const file = (match: string) => `${api}routes: [{match: {${match}}, upstream: api}]`;
  for (
    const match of ['host: "*.example.org:8443"', 'host: ["a", "[::1]"]', 'path: "/a/*"', 'path: "/a/{id}/b"']
  ) {
    await loaded({ file: file(match) });
  }
  const wrong: [string, string][] = [
    ['host: "a.*"', "config.yaml:2:25"],
    ['host: [a, "http://a/"]', "config.yaml:2:29"],
    ['host: "::1"', "config.yaml:2:25"],
    ['path: "/a*/b"', "config.yaml:2:25"],
    ['path: "/a?b=1"', "config.yaml:2:25"],
  ];
  for (const [match, place] of wrong) {
    const rendered = await refusals({ file: file(match) });
    assertEquals(rendered.length, 1, match);
    assertEquals(rendered[0]?.endsWith(`(${place})`), true, rendered[0]);
  }
  const [blank, umlaut] = [
    await refusals({ file: file('host: "a b"') }),
    await refusals({ file: file("host: \u00fc.org") }),
  ];
  assertStringIncludes(blank[0]!, "it must be without blanks and control characters");
  assertStringIncludes(umlaut[0]!, "a name that is not ASCII must be written in its `xn--` form");
});

Deno.test("more upstreams, endpoints or routes than the board has rows for are refused", async () => {
  const file = (upstreams: number, endpoints: number, routes: number) => {
    const group = { endpoints: Array.from({ length: endpoints }, (_, n) => `http://10.0.0.1:${n + 1}`) };
    const groups = Object.fromEntries(Array.from({ length: upstreams }, (_, n) => [`u${n}`, group]));
    const paths = Array.from({ length: routes }, (_, n) => ({ match: { path: `/${n}` }, upstream: "u0" }));
    return `upstreams: ${JSON.stringify(groups)}\nroutes: ${JSON.stringify(paths)}`;
  };
  await loaded({ file: file(256, 16, 512) });
  assertEquals(await refusals({ file: file(257, 1, 513) }), [
    "upstreams has 257 upstreams, must have at most 256 (config.yaml:1:12)",
    "routes has 513 routes, must have at most 512 (config.yaml:2:9)",
  ]);
  assertEquals(await refusals({ file: file(241, 17, 1) }), [
    "upstreams has 4097 endpoints, must have at most 4096 (config.yaml:1:12)",
  ]);
});

Deno.test("a name that is no upstream: twenty of many are listed, and guesses end, however many names are wrong", async () => {
  const upstreams = (count: number) =>
    Array.from({ length: count }, (_, n) => `u${n}: {endpoints: ['http://a']}`).join(", ");
  const file = (names: readonly string[], count = 22) =>
    `upstreams: {${upstreams(count)}}\nroutes: ${JSON.stringify(names.map((upstream) => ({ upstream })))}`;
  const listed = Array.from({ length: 20 }, (_, n) => `u${n}`).join(", ");
  const [other] = await refusals({ file: file(["other"]) });
  assertStringIncludes(other!, `"other", which is no upstream, must be one of ${listed} and 2 more (`);
  assertStringIncludes((await refusals({ file: file(["other"], 20) }))[0]!, `must be one of ${listed} (`);
  const wrong = await refusals({ file: file(new Array(52).fill("uu1")) });
  assertEquals(wrong.filter((line) => line.includes("did you mean")).length, 50);
  assertStringIncludes(wrong[51]!, `"uu1", which is no upstream, must be one of ${listed} and 2 more (`);
});
