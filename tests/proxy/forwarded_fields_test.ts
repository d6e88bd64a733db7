// Whom and what a trusted peer's fields tell of, and what is passed on of them.

import { assertEquals } from "@std/assert";
import { TrustedProxies } from "../../src/proxy/client_address.ts";
import { askedFor, type Told, toldBy } from "../../src/proxy/forwarded_fields.ts";

const PEER = "10.0.0.1";
const proxies = new TrustedProxies(["10.0.0.0/8", "fd00::/8"]);
const NOTHING: Told = { client: PEER, addresses: "", host: "", proto: "", elements: "" };

type Fields = "either" | "x-forwarded" | "forwarded";

function told(headers: string[], trustedFields: Fields = "either", forwarded = false): Told {
  return toldBy(PEER, headers, proxies, { trustedFields, forwarded });
}

const forwarded: Record<string, [lists: string[], Partial<Told>]> = {
  "nobody": [[], {}],
  "a client, its scheme and its host": [["for=192.0.2.9;proto=HTTPS;host=a.test"], {
    client: "192.0.2.9",
    addresses: "192.0.2.9",
    host: "a.test",
    proto: "https",
    elements: "for=192.0.2.9;proto=HTTPS;host=a.test",
  }],
  "a client and what it claimed to be": [["for=10.9.9.9, for=198.51.100.1, for=192.0.2.9"], {
    client: "192.0.2.9",
    addresses: "192.0.2.9",
    elements: "for=192.0.2.9",
  }],
  "a client through two proxies": [["For=192.0.2.9;proto=https", "for=10.0.0.2;proto=http"], {
    client: "192.0.2.9",
    addresses: "192.0.2.9, 10.0.0.2",
    proto: "https",
    elements: "For=192.0.2.9;proto=https, for=10.0.0.2;proto=http",
  }],
  "no scheme but a nearer one": [["for=192.0.2.9,for=10.0.0.2;proto=https"], {
    client: "192.0.2.9",
    addresses: "192.0.2.9, 10.0.0.2",
    proto: "https",
    elements: "for=192.0.2.9,for=10.0.0.2;proto=https",
  }],
  "IPv6 with a port": [['for="[2001:DB8::1]:4711";by=_edge'], {
    client: "2001:db8::1",
    addresses: "2001:db8::1",
    elements: 'for="[2001:DB8::1]:4711";by=_edge',
  }],
  "IPv4 with a port": [['for="192.0.2.9:_p0"'], {
    client: "192.0.2.9",
    addresses: "192.0.2.9",
    elements: 'for="192.0.2.9:_p0"',
  }],
  "IPv4 as IPv6": [['for="[::ffff:192.0.2.9]"'], {
    client: "192.0.2.9",
    addresses: "192.0.2.9",
    elements: 'for="[::ffff:192.0.2.9]"',
  }],
  "a hidden client": [["for=192.0.2.9, for=_hidden;proto=https"], {
    proto: "https",
    elements: "for=_hidden;proto=https",
  }],
  "an unknown client before a proxy": [["for=192.0.2.9, for=Unknown, for=10.0.0.2"], {
    client: "10.0.0.2",
    addresses: "10.0.0.2",
    elements: "for=Unknown, for=10.0.0.2",
  }],
  "a scheme and nobody": [["for=192.0.2.9, proto=https"], { proto: "https", elements: "proto=https" }],
  "a quote that a client left open": [['for="10.0.0.3', "for=192.0.2.9"], {
    client: "192.0.2.9",
    addresses: "192.0.2.9",
    elements: "for=192.0.2.9",
  }],
  "malformed before a proxy": [["for==, for=10.0.0.2"], {
    client: "10.0.0.2",
    addresses: "10.0.0.2",
    elements: "for=10.0.0.2",
  }],
  "a quoted pair": [['for="192.0.2\\.9"'], {
    client: "192.0.2.9",
    addresses: "192.0.2.9",
    elements: 'for="192.0.2\\.9"',
  }],
};

for (const [what, [lists, expected]] of Object.entries(forwarded)) {
  Deno.test(`toldBy() reads ${what} from Forwarded`, () => {
    const headers = lists.flatMap((list) => ["forwarded", list]);
    assertEquals(told(headers), { ...NOTHING, ...expected });
  });
}

Deno.test("toldBy() believes nothing of a malformed element", () => {
  const malformed = [
    "",
    ",",
    "192.0.2.9",
    "for=",
    "for=192.0.2.9:80",
    "for=[2001:db8::1]",
    'for="2001:db8::1"',
    'for="[192.0.2.9]"',
    'for="[2001:db8::g]"',
    "for=192.0.2.256",
    "for=192.0.2.010",
    "for=1234",
    "for=client",
    "for=192.0.2.9;for=192.0.2.8",
    "for=192.0.2.9;proto=https;Proto=http",
    "for=192.0.2.9;proto=/",
    'for=192.0.2.9;proto="/"',
    'for=192.0.2.9;proto=""',
    'for=192.0.2.9;host="a b"',
    'for=192.0.2.9;host="a.test',
    'for=192.0.2.9;host="a,for=192.0.2.8;b="',
    'for=192.0.2.9;host="a,for=192.0.2.8,b"',
    'host="a,for=192.0.2.8;b=\\"";for=192.0.2.9',
    "for = 192.0.2.9",
    "for=192.0.2.9 proto=https",
  ];
  for (const list of malformed) assertEquals(told(["Forwarded", list]), NOTHING, list);
});

const both = ["Forwarded", "for=192.0.2.8;proto=https;host=f.test"];
const byForwarded: Told = {
  client: "192.0.2.8",
  addresses: "192.0.2.8",
  host: "f.test",
  proto: "https",
  elements: both[1]!,
};

Deno.test("toldBy() takes Forwarded only where no X-Forwarded field stands, or where it is named", () => {
  const alone: [header: string[], Partial<Told>][] = [
    [["X-Forwarded-For", "192.0.2.9"], { client: "192.0.2.9", addresses: "192.0.2.9" }],
    [["X-Forwarded-Host", "x.test"], { host: "x.test" }],
    [["X-Forwarded-Proto", "http"], { proto: "http" }],
  ];
  for (const [header, expected] of alone) {
    for (const headers of [[...both, ...header], [...header, ...both]]) {
      assertEquals(told(headers), { ...NOTHING, ...expected });
      assertEquals(told(headers, "x-forwarded"), { ...NOTHING, ...expected });
      assertEquals(told(headers, "forwarded"), byForwarded);
    }
    assertEquals(told(header, "forwarded"), NOTHING);
  }
  assertEquals(told(both), byForwarded);
  assertEquals(told(both, "x-forwarded"), NOTHING);
});

Deno.test("toldBy() takes several lines of an X-Forwarded field for one list", () => {
  const headers = [
    "Accept",
    "a",
    "X-Forwarded-For",
    "198.51.100.1, 192.0.2.9",
    "X-Forwarded-Host",
    "a.test",
    "x-forwarded-for",
    "10.0.0.2",
    "X-Forwarded-Proto",
    "https",
    "X-Forwarded-Host",
    "b.test",
    "X-Forwarded-Proto",
    "http",
    "Cookie",
    "c",
  ];
  const addresses = "198.51.100.1, 192.0.2.9, 10.0.0.2";
  assertEquals(told(headers), {
    client: "192.0.2.9",
    addresses,
    host: "a.test, b.test",
    proto: "https, http",
    elements: "",
  });
});

Deno.test("toldBy() reads addresses in every form that occurs, and believes nobody behind what is none", () => {
  const hops: readonly (readonly [hop: string, client: string])[] = [
    ["192.0.2.9", "192.0.2.9"],
    ["192.0.2.9:80", "192.0.2.9"],
    ["2001:db8::9", "2001:db8::9"],
    ["[2001:db8::9]", "2001:db8::9"],
    ["[2001:db8::9]:80", "2001:db8::9"],
    ["::ffff:192.0.2.9", "192.0.2.9"],
    ["", "10.0.0.2"],
    ["unknown", "10.0.0.2"],
    ["x192.0.2.9:80", "10.0.0.2"],
    ["192.0.2.9:80x", "10.0.0.2"],
    ["x[2001:db8::9]", "10.0.0.2"],
    ["[2001:db8::9]x", "10.0.0.2"],
    ["[]", "10.0.0.2"],
  ];
  for (const [hop, client] of hops) {
    assertEquals(told(["X-Forwarded-For", `10.0.0.3, ${hop}, 10.0.0.2`]).client, client, hop);
  }
});

Deno.test("toldBy() says in Forwarded what X-Forwarded fields tell, from the client on", () => {
  const more = ["X-Forwarded-Proto", "https", "X-Forwarded-Host", "a.test"];
  const cases: [list: string, more: string[], client: string, elements: string][] = [
    ["192.0.2.7, 192.0.2.9", more, "192.0.2.9", 'for=192.0.2.9;host="a.test";proto=https'],
    [
      "192.0.2.9, 10.0.0.2,fd00::2",
      more,
      "192.0.2.9",
      'for=192.0.2.9;host="a.test";proto=https, for=10.0.0.2, for="[fd00::2]"',
    ],
    ["[2001:db8::1]:80", [], "2001:db8::1", 'for="[2001:db8::1]"'],
    ["unknown, 10.0.0.2", [], "10.0.0.2", "for=10.0.0.2"],
    [
      "192.0.2.9:80",
      ["X-Forwarded-Host", 'a",for=b', "X-Forwarded-Proto", "a b,c"],
      "192.0.2.9",
      "for=192.0.2.9",
    ],
    [
      "192.0.2.9",
      ["X-Forwarded-Host", "a.test, b.test", "X-Forwarded-Proto", "https,http"],
      "192.0.2.9",
      'for=192.0.2.9;host="a.test";proto=https',
    ],
    ["unknown", more, PEER, ""],
  ];
  for (const [list, more, client, elements] of cases) {
    const said = told(["X-Forwarded-For", list, ...more], "either", true);
    assertEquals([said.client, said.addresses, said.elements], [client, list, elements]);
  }
});

for (
  const [what, proto, host, expected] of [
    ["nothing", "", "", ["http", "inner.test:3000"]],
    ["a scheme", "https", "", ["https", "inner.test:3000"]],
    ["a scheme in capitals and a host", "HTTPS", "a.test:8443", ["https", "a.test:8443"]],
    ["those of several proxies", "https, http", "a.test ,b.test", ["https", "a.test"]],
    ["what is neither scheme nor host", "https://", "a test", ["http", "inner.test:3000"]],
  ] as const
) {
  Deno.test(`askedFor() is told ${what}`, () => {
    const head = { scheme: "http", authority: "inner.test:3000" } as const;
    const { scheme, authority } = askedFor(head, { ...NOTHING, proto, host });
    assertEquals<readonly string[]>([scheme, authority], expected);
    assertEquals(askedFor(head, null), head);
  });
}
