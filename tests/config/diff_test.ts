import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeConfig } from "../../src/config/describe.ts";
import { configDiff, fixedDiff, withFixedOf } from "../../src/config/diff.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { loaded } from "./helpers.ts";

const A = "http://10.0.0.1:80";
const B = "http://10.0.0.2:80";

function config(upstream: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): Config {
  return configSchema.parse({ upstreams: { api: { endpoints: [A], ...upstream } }, ...rest });
}

const route = (prefix: string, more: Record<string, unknown> = {}) => ({
  name: prefix.slice(1),
  match: { path: prefix },
  upstream: "api",
  ...more,
});

const sides = (api: number, canary: number) => [
  { upstream: "api", weight: api },
  { upstream: "canary", weight: canary },
];

const cases: [what: string, before: Config, after: Config, phrases: string[]][] = [
  ["nothing", config(), config(), []],
  ["a value", config(), config({ panicPercent: 10 }), ["upstreams.api.panicPercent: 50 -> 10"]],
  ["an endpoint that joins", config(), config({ endpoints: [A, B] }), [
    `upstreams.api.endpoints: added ${B}`,
  ]],
  ["one that leaves", config({ endpoints: [A, B] }), config(), [`upstreams.api.endpoints: removed ${B}`]],
  ["one for another", config(), config({ endpoints: [B] }), [
    `upstreams.api.endpoints: added ${B}`,
    `upstreams.api.endpoints: removed ${A}`,
  ]],
  ["one that drains", config({ endpoints: [A, B] }), config({ endpoints: [`${A};drain`, B] }), [
    `upstreams.api.endpoints: "${A}" -> "${A};drain"`,
  ]],
  [
    "a weight of one written as a map",
    config({ endpoints: [{ url: A, weight: 1 }, B] }),
    config({ endpoints: [{ url: A, weight: 3 }, B] }),
    [`upstreams.api.endpoints["${A}"].weight: 1 -> 3`],
  ],
  [
    "a map in place of a word",
    config(),
    config({ balance: { hashOn: { header: "x-user" } } }),
    ['upstreams.api.balance.hashOn: "client_address" -> a map of keys'],
  ],
  [
    "a list in place of a word",
    config({}, { routes: [route("/a", { match: { host: "a.org" } })] }),
    config({}, { routes: [route("/a", { match: { host: ["a.org", "b.org"] } })] }),
    ['routes.a.match.host: "a.org" -> a list of 2'],
  ],
  ["another order", config({ endpoints: [A, B] }), config({ endpoints: [B, A] }), [
    "upstreams.api.endpoints: in another order",
  ]],
  ["an upstream", config(), config({}, { upstreams: { api: { endpoints: [A] }, b: { endpoints: [B] } } }), [
    "upstreams.b added",
  ]],
  ["a key that goes", config({ sticky: { cookie: "c" } }), config(), ["upstreams.api.sticky removed"]],
  ["a route", config({}, { routes: [route("/a")] }), config({}, { routes: [route("/a"), route("/b")] }), [
    "routes: added b",
  ]],
  [
    "a change in a route",
    config({}, { routes: [route("/a")] }),
    config({}, { routes: [route("/a", { timeouts: { requestMs: 5_000 } })] }),
    ["routes.a.timeouts added"],
  ],
  [
    "the weights of a split",
    config({}, { routes: [{ match: { path: "/a/*" }, split: sides(90, 10) }] }),
    config({}, { routes: [{ match: { path: "/a/*" }, split: sides(90, 50) }] }),
    ['routes["/a/*"].split.canary.weight: 10 -> 50'],
  ],
];

for (const [what, before, after, phrases] of cases) {
  Deno.test(`configDiff() tells ${what}`, () => assertEquals(configDiff(before, after), phrases));
}

Deno.test("configDiff() prints no credentials of an endpoint", () => {
  const [phrase = ""] = configDiff(config(), config({ endpoints: [A, "http://user:secret@10.0.0.9:80"] }));
  assertStringIncludes(phrase, "10.0.0.9:80");
  assertEquals(phrase.includes("secret"), false);
});

Deno.test("configDiff() prints no credentials of a match, and tells routes apart by them", () => {
  const routes = (...keys: string[]) => ({
    routes: keys.map((key) => ({
      match: { path: "/s", headers: { authorization: key }, query: { token: { prefix: key }, page: "1" } },
      upstream: "api",
    })),
  });
  const shown = "/s [authorization,token,page]";
  assertEquals(configDiff(config({}, routes("Bearer A", "Bearer B")), config({}, routes("Bearer C"))), [
    `routes: added ${shown}`,
    `routes: removed ${shown}, ${shown}`,
  ]);
  const { routes: [route] } = routes("Bearer A");
  const after = config({}, { routes: [{ ...route, requestBodyBytesMax: 1 }] });
  assertEquals(configDiff(config({}, routes("Bearer A")), after), [
    `routes[${JSON.stringify(shown)}].requestBodyBytesMax added: 1`,
  ]);
});

Deno.test("fixedDiff() tells what takes a restart, and withFixedOf() leaves it as it was", () => {
  const before = config({}, { listen: { port: 3000 }, workers: 2 });
  const after = config({ panicPercent: 10 }, { listen: { port: 4000 }, admin: { port: 9000 } });
  assertEquals(fixedDiff(before, after), [
    "listen.port: 3000 -> 4000",
    "admin.port: 9901 -> 9000",
    "workers removed",
  ]);
  const origins = new Map();
  const placeOf = () => "default";
  const usable = withFixedOf({ config: before }, { config: after, origins, placeOf }).config;
  assertEquals([usable.listen.port, usable.admin.port, usable.workers], [3000, 9901, 2]);
  assertEquals(usable.upstreams["api"]!.panicPercent, 10);
});

Deno.test("withFixedOf() says of what it leaves that it is from the start, and keeps the order of keys", async () => {
  const upstreams = `upstreams: {api: {endpoints: ["${A}"]}}`;
  const before = await loaded({ file: `listen: {port: 3000, host: "::"}\nworkers: 2\n${upstreams}` });
  const after = await loaded({ file: `${upstreams}\nlisten: {host: "::", port: 4000}` });
  const usable = withFixedOf(before, after);
  const described = describeConfig(usable).split("\n").map((line) => line.replace(/ +#/, " #"));
  const of = (key: string) => described.filter((line) => line.trim().startsWith(`${key}:`));
  const kept = "# the start; its change takes a restart";
  assertEquals(of("port"), [`  port: 3000 ${kept}`, "  port: 9901 # default"]);
  assertEquals(of("host"), ['  host: "::" # config.yaml:2:16', '  host: "0.0.0.0" # default']);
  assertEquals(of("workers"), [`workers: 2 ${kept}`]);
  assertEquals(Object.keys(usable.config), Object.keys(before.config));
  assertEquals(["port", "host"].map((key) => usable.placeOf(["listen", key])), [
    kept.slice(2),
    "config.yaml:2:16",
  ]);
  assertEquals({ ...withFixedOf(before, before), placeOf: before.placeOf }, before);
});

Deno.test("configDiff() tells of upstreams by names that every object has", () => {
  const [without, having] = [{}, { constructor: { endpoints: [B] } }].map((more) =>
    configSchema.parse({ upstreams: { api: { endpoints: [A] }, ...more } })
  );
  assertEquals(configDiff(without!, having!), ["upstreams.constructor added"]);
  assertEquals(configDiff(having!, without!), ["upstreams.constructor removed"]);
});

Deno.test("configDiff() looks at each item of a list equally often, however many there are", () => {
  const looksAt = (count: number) => {
    let looks = 0;
    const list = (net: string) =>
      Array.from({ length: count }, (_, i) => {
        const item = { url: `http://10.${net}.0.${i}:80`, weight: i };
        return Object.defineProperty(item, "toJSON", { value: () => (looks++, `${item.url};weight=${i}`) });
      });
    const [before, after] = [config(), config()];
    const joined = list("1");
    Object.assign(before.upstreams["api"]!, { endpoints: list("0") });
    Object.assign(after.upstreams["api"]!, { endpoints: joined });
    const [added, removed] = configDiff(before, after);
    assertEquals([added?.includes(joined[0]!.url), removed?.includes(joined[0]!.url)], [true, false]);
    return looks;
  };
  assertEquals(looksAt(40), 2 * looksAt(20));
});
