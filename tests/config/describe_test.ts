import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "yaml";
import { describeConfig } from "../../src/config/describe.ts";
import { loaded } from "./helpers.ts";

const file = `
listen: { port: 8080 }
accessLog: errors
upstreams:
  api:
    endpoints: [http://a, { url: "http://b", weight: 2 }]
  "v1.2":
    endpoints: ["http://c"]
routes:
  - match: { host: ["*.example.org"], headers: { x-api-key: hunter2, accept: "a: b # c" } }
    upstream: api
    requestHeaders: { set: { x-any: hunter2, authorization: hunter2 }, add: {}, remove: [cookie] }
    responseHeaders: { set: { set-cookie: hunter2, cache-control: no-store } }
  - upstream: v1.2
`;

Deno.test("describeConfig() says of each value where it came from", async () => {
  const text = describeConfig(await loaded({ file, args: ["--workers", "2"], env: { HOST: "::" } }));
  const lines = text.split("\n").map((line) => line.trim().replace(/ +#/, " #"));
  for (
    const line of [
      'host: "::" # variable HOST',
      "port: 8080 # config.yaml:2:17",
      "workers: 2 # flag --workers",
      "listener: serve # default",
      "format: errors # config.yaml:3:12",
      "sampleOneIn: 1 # default",
      "- http://a # config.yaml:6:17",
      "- url: http://b # config.yaml:6:34",
      "weight: 2 # config.yaml:6:54",
      '- "*.example.org" # config.yaml:10:21',
      "trustedProxies: [] # default",
      "add: {} # config.yaml:12:77",
    ]
  ) assert(lines.includes(line), `${line} is not in\n${text}`);
});

Deno.test("describeConfig() says what follows from other values, and what does nothing with this listener", async () => {
  const lines = async (listener: string, more = "") => {
    const health =
      `{ default: { endpoints: [http://a], health: { path: / } }, b: { endpoints: [http://b] }${more} }`;
    const text = describeConfig(
      await loaded({ file: `upstreams: ${health}`, args: ["--listener", listener] }),
    );
    return text.split("\n").map((line) => line.trim().replace(/ +#/, " #"));
  };
  const serve = await lines("serve", ", c: { endpoints: [http://c], health: { kind: off } }");
  assertEquals(serve.filter((line) => /\bkind:/.test(line)), [
    "# kind: http # default",
    "# kind: tcp # default",
    "kind: off # config.yaml:1:145",
  ]);
  const workers = "# workers: one per core, as many as a CPU limit allows, 64 at most # default";
  assert(serve.includes(workers), serve.join("\n"));
  assert(serve.includes("headReadMs: 10000 # default, of no effect on serve"), serve.join("\n"));
  assert(serve.includes("connectionLifetimeMs: 300000 # default"), serve.join("\n"));
  assert((await lines("wire")).includes("headReadMs: 10000 # default"));
});

Deno.test("describeConfig() never prints what may be a credential", async () => {
  const text = describeConfig(await loaded({ file }));
  assert(!text.includes("hunter2"), text);
  assertStringIncludes(text, 'authorization: "(hidden)"');
  assertStringIncludes(text, "cache-control: no-store");
});

Deno.test("describeConfig() prints a configuration that loads to the same again", async () => {
  const open = file.replaceAll("hunter2", '"(hidden)"');
  const first = await loaded({ file: open, env: { TRUSTED_PROXIES: "10.0.0.0/8", DRAIN_DELAY_MS: "0" } });
  const text = describeConfig(first);
  const again = await loaded({ file: text });
  assertEquals(again.config, first.config);
  assertEquals(parse(text), JSON.parse(JSON.stringify(first.config)));
});

Deno.test("describeConfig() quotes text that YAML takes for something else, in keys and values", async () => {
  const odd = [
    ...[
      "true",
      "False",
      "null",
      "yes",
      "no",
      "n",
      "~",
      " a",
      "1",
      "1e3",
      "0x1F",
      "0o7",
      ".inf",
      "2024-01-01",
    ],
    ...[
      "a: b",
      "a #b",
      "# c",
      "- x",
      "? x",
      "[",
      "{",
      "*a",
      "&a",
      "!a",
      "%a",
      "@a",
      "`a",
      "|",
      ">",
      "<<",
      "=",
    ],
    ...[
      "a\nb",
      "a\tb",
      "\u0007",
      "\u0085",
      "\u2028",
      "\ufeff",
      "\u00e9",
      "\u{1f600}",
      "'",
      '"',
      "\\",
      ":",
      "a:",
    ],
  ];
  const query = Object.fromEntries(odd.map((text) => [text, text]));
  const names = ["true", "null", "1", "1e3", "no"];
  const first = await loaded({
    file: JSON.stringify({
      upstreams: Object.fromEntries(names.map((name) => [name, { endpoints: ["http://a"] }])),
      routes: names.map((upstream) => ({ upstream, match: { query } })),
    }),
  });
  assertEquals((await loaded({ file: describeConfig(first) })).config, first.config);
});
