import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { renderFinding, renderFindings } from "../../src/config/findings.ts";
import { loadConfig } from "../../src/config/load.ts";
import { pathText, valueAt } from "../../src/config/path.ts";
import { workersOf } from "../../src/config/derived.ts";
import { settings } from "../../src/config/sources.ts";
import { load, loaded, refusals } from "./helpers.ts";

Deno.test("loadConfig() gives defaults and no upstream when nothing is set", async () => {
  const { config, origins } = await loaded({});
  assertEquals([config.listen.port, config.admin.port, config.listen.host], [3000, 9901, "0.0.0.0"]);
  assertEquals([config.upstreams, config.routes, config.workers], [{}, [], undefined]);
  assertEquals(origins.get("listen.port"), { kind: "default" });
});

Deno.test("workersOf() is what is configured, else one per core, never more than may be configured", async () => {
  const asked = await loaded({ env: { WORKERS: "3" } });
  const silent = await loaded({});
  for (const [cores, workers] of [[1, 1], [64, 64], [65, 64], [192, 64]] as const) {
    assertEquals([workersOf(asked.config, cores), workersOf(silent.config, cores)], [3, workers]);
  }
  assertStringIncludes((await refusals({ env: { WORKERS: "65" } })).join(), "an integer from 1 to 64");
});

/** For each setting: the value of a flag, a variable and the file, and the three values that it has then. */
const precedence: Record<string, [string, string, string, unknown, unknown, unknown]> = {
  HOST: ["::1", "::", "listen: {host: localhost}", "::1", "::", "localhost"],
  PORT: ["1", "2", "listen: {port: 3}", 1, 2, 3],
  ADMIN_HOST: ["::1", "::", "admin: {host: localhost}", "::1", "::", "localhost"],
  ADMIN_PORT: ["1", "2", "admin: {port: 4}", 1, 2, 4],
  TRUSTED_PROXIES: ["::/0", "10.0.0.0/8,fd00::/8", "trustedProxies: [10.1.0.0/16]", ["::/0"], [
    "10.0.0.0/8",
    "fd00::/8",
  ], ["10.1.0.0/16"]],
  WORKERS: ["1", "2", "workers: 3", 1, 2, 3],
  LISTENER: ["wire", "serve", "listen: {listener: wire}", "wire", "serve", "wire"],
  BALANCE: [
    "peak_ewma",
    "least_request",
    "upstreams: {default: {endpoints: ['http://a'], balance: consistent_hash}}",
    "peak_ewma",
    "least_request",
    "consistent_hash",
  ],
  ACCESS_LOG: ["off", "errors", "accessLog: combined", "off", "errors", "combined"],
  DRAIN_DELAY_MS: ["1", "2", "drain: {delayMs: 3}", 1, 2, 3],
  DRAIN_DEADLINE_MS: ["1", "2", "drain: {deadlineMs: 3}", 1, 2, 3],
};

Deno.test("loadConfig() prefers flags to variables and variables to the file, for every setting", async () => {
  for (const setting of settings.filter(({ path }) => path.length > 0 && path.at(-1) !== "endpoints")) {
    const row = precedence[setting.variable];
    assert(row !== undefined, `${setting.variable} has no row here`);
    const [flag, variable, file, ...expected] = row;
    const env = { [setting.variable]: variable };
    const steps = [{ args: [`--${setting.flag}`, flag], env, file }, { env, file }, { file }];
    const kinds = ["flag", "variable", "file"];
    for (const [index, sources] of steps.entries()) {
      const { config, origins } = await loaded(sources);
      assertEquals(valueAt(config, setting.path), expected[index], `${setting.variable} ${kinds[index]}`);
      const path = pathText(Array.isArray(expected[index]) ? [...setting.path, 0] : setting.path);
      assertEquals(origins.get(path)?.kind, kinds[index], path);
    }
  }
});

Deno.test("loadConfig() makes the upstream `default` of --upstream, else of UPSTREAMS, else of the fallback", async () => {
  const env = { UPSTREAMS: "http://b, http://c" };
  const fallbackUpstreams = ["http://d"];
  const args = ["--upstream", "http://a:1", "--upstream=http://a:2 http://a:3"];
  const table = [
    [
      { args, env, fallbackUpstreams },
      ["http://a:1", "http://a:2 http://a:3"].flatMap((t) => t.split(" ")),
      "flag",
    ],
    [{ env, fallbackUpstreams }, ["http://b", "http://c"], "variable"],
    [{ fallbackUpstreams, env: { BALANCE: "peak_ewma" } }, ["http://d"], "fallback"],
  ] as const;
  for (const [sources, endpoints, kind] of table) {
    const { config, origins } = await loaded(sources);
    assertEquals(config.upstreams["default"]?.endpoints, [...endpoints]);
    assertEquals(origins.get("upstreams.default.endpoints[0]")?.kind, kind);
  }
  const { config } = await loaded({ fallbackUpstreams, env: { BALANCE: "peak_ewma" } });
  assertEquals(config.upstreams["default"]?.balance.policy, "peak_ewma");
  const { config: named } = await loaded({
    fallbackUpstreams,
    file: "upstreams: {x: {endpoints: ['http://y']}}",
  });
  assertEquals(Object.keys(named.upstreams), ["x"]);
});

Deno.test("loadConfig() refuses a variable that stands in quotes once, and reads nothing of it", async () => {
  const env = {
    UPSTREAMS: `"http://a:80 http://b"`,
    PORT: "'80'",
    TRUSTED_PROXIES: `"10.0.0.1"\n`,
    CONFIG: "'x'",
  };
  const state = "stands in quotes, must stand without them: an env file or a manifest has passed them on";
  assertEquals(
    await refusals({ env }),
    ["UPSTREAMS", "CONFIG", "PORT", "TRUSTED_PROXIES"].map((name) => `${name} ${state} (variable ${name})`),
  );
});

Deno.test("loadConfig() counts a variable that is empty or white space as not set", async () => {
  const { config } = await loaded({ env: { PORT: "", HOST: " \n", UPSTREAMS: "", WORKERS: "2\n" } });
  assertEquals([config.listen.port, config.listen.host, config.upstreams, config.workers], [
    3000,
    "0.0.0.0",
    {},
    2,
  ]);
});

Deno.test("ten mistakes in one configuration give ten clear findings in one run", async () => {
  const file = [
    "listen:",
    "  prot: 80",
    "upstreams:",
    "  api:",
    "    endpoints: [http://10.0.0.1:80/v1]",
    "    health:",
    "      intervalMs: 0",
    "    balance: least_requests",
    "routes:",
    "  - upstream: apii",
    "trustedProxies: [10.0.0.0/33]",
  ].join("\n");
  const args = ["--lisener", "wire", "--workers=many"];
  assertEquals(await refusals({ file, args, env: { PORT: "70000" } }), [
    "--lisener is not a known flag; did you mean --listener? (command line)",
    'workers is "many", must be an integer from 1 to 64 (flag --workers)',
    "listen.port is 70000, must be an integer from 0 to 65535 (variable PORT)",
    "listen.prot is not a known key; did you mean port? (config.yaml:2:3)",
    'upstreams.api.endpoints[0] is "http://10.0.0.1:80/v1": it has a path, must end after the port; targets ' +
    "change only by the rewrite of a route (routes[].rewrite.replacePrefix) (config.yaml:5:17)",
    "upstreams.api.health.intervalMs is 0, must be an integer >= 100 (config.yaml:7:19)",
    'upstreams.api.balance.policy is "least_requests", must be one of round_robin, least_request, peak_ewma, ' +
    "consistent_hash; did you mean least_request? (config.yaml:8:14)",
    'trustedProxies[0] is "10.0.0.0/33", must have a length from 0 to 32 after "/" (config.yaml:11:18)',
    'routes[0].upstream is "apii", which is no upstream; did you mean api? (config.yaml:10:15)',
  ]);
});

Deno.test("loadConfig() refuses a wrong value also where a stronger source overrides it", async () => {
  assertEquals(await refusals({ args: ["--port", "80"], env: { PORT: "x" }, file: "listen: {port: -1}" }), [
    'listen.port is "x", must be an integer from 0 to 65535 (variable PORT)',
    "listen.port is -1, must be an integer >= 0 (config.yaml:1:16)",
  ]);
});

Deno.test("loadConfig() refuses what on the command line is no flag, empty or given twice", async () => {
  for (const args of [["--port", ""], ["--port", " "], ["--host", "::", "--port", ""]]) {
    assertEquals(await refusals({ args }), ["--port is empty, must be --port PORT (flag --port)"]);
  }
  assertEquals(await refusals({ args: ["--upstream", "", "--upstream", ""] }), [
    "--upstream is empty, must be --upstream ADDRESS (flag --upstream)",
  ]);
  assertEquals(await refusals({ args: ["weir.yaml"] }), [
    'the argument "weir.yaml" belongs to no flag, must follow --config if it is the configuration (command line)',
  ]);
  assertEquals(
    await refusals({ args: ["--port=", "run", "-x", "--host", "a", "--host", "b", "--", "http://c"] }),
    [
      'the argument "run" belongs to no flag, must be removed, or follow the flag it belongs to (command line)',
      "-x is not a known flag, see --help for those there are (command line)",
      'the argument "http://c" belongs to no flag, must follow --upstream if it is an address (command line)',
      "--host is given 2 times, must be given once (flag --host)",
      "--port is empty, must be --port PORT (flag --port)",
    ],
  );
});

Deno.test("loadConfig() refuses UPSTREAMS beside upstreams in the file, and BALANCE for an upstream that is not there", async () => {
  const file = "upstreams: {api: {endpoints: ['http://a']}}";
  assertEquals(await refusals({ env: { UPSTREAMS: "http://b" }, file }), [
    "variable UPSTREAMS is set here and upstreams at config.yaml:1:1, whose changes would never show, must be " +
    "written in one of the two (variable UPSTREAMS)",
  ]);
  assertStringIncludes(
    (await refusals({ args: ["--balance", "peak_ewma"], file })).join(),
    "flag --balance is for the upstream default",
  );
});

Deno.test("loadConfig() says why the file cannot be read", async () => {
  const table: readonly [Error | string, string][] = [
    [new Deno.errors.NotFound("x"), "there is no such file"],
    [new Deno.errors.PermissionDenied("x"), "the system denies it to this user"],
    [
      new Deno.errors.NotCapable("x"),
      "it lies outside of what this process may read, must lie in the working directory or in /etc/weir, which the tasks and the image " +
      "allow, or be linked from there (ln -s)",
    ],
    [new Deno.errors.IsADirectory("x"), "it is a directory"],
    [new Error("odd\nstack"), "cannot be read: odd"],
    ["#".repeat(1_048_577), "is larger than 1 MiB"],
    ["ä".repeat(600_000), "is larger than 1 MiB"],
    ["a: \uFFFD", "is not UTF-8 text"],
  ];
  for (const [outcome, part] of table) {
    const readTextFile = async () => {
      if (typeof outcome === "string") return outcome;
      throw outcome;
    };
    const result = await loadConfig({ args: ["--config", "/x.yaml"], env: {}, readTextFile });
    assert(!result.ok);
    assertEquals(result.findings.length, 1);
    assertStringIncludes(renderFinding(result.findings[0]!), part);
    assertStringIncludes(renderFinding(result.findings[0]!), "/x.yaml");
    assertEquals(result.findings[0]?.place, "flag --config");
  }
});

Deno.test("renderFindings() counts the problems and never quotes the schema library", async () => {
  const result = await load({ env: { PORT: "x" } });
  assert(!result.ok);
  assertEquals(
    renderFindings(result.findings),
    'The configuration has 1 problem:\n  listen.port is "x", must be an integer from 0 to 65535 (variable PORT)\n',
  );
});

Deno.test("renderFindings() shows the first fifty problems, and how many more there are", async () => {
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `key${i}: 1`).join("\n");
  for (
    const [count, last] of [[50, "  key49 is not a known key"], [51, "  and 1 more"], [
      2_000,
      "  and 1950 more",
    ]] as const
  ) {
    const result = await load({ file: keys(count) });
    assert(!result.ok);
    const lines = renderFindings(result.findings).trimEnd().split("\n");
    assertEquals(lines[0], `The configuration has ${count} problems:`);
    assertEquals(lines.length, Math.min(count, 51) + 1);
    assert(lines.at(-1)!.startsWith(last), lines.at(-1));
  }
});

Deno.test("loadConfig() gives a configuration or findings for any value of any variable and any arguments", async () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("--port", "--upstream", "--__proto__", "-", "--", "http://a", ",", "1"),
  );
  const env = fc.record(Object.fromEntries(settings.map(({ variable }) => [variable, word])), {
    requiredKeys: [],
  });
  await fc.assert(
    fc.asyncProperty(env, fc.array(word), async (env, args) => {
      const result = await load({
        env: { ...env, CONFIG: "" },
        args: args.filter((arg) => arg !== "--config"),
      });
      assert(result.ok || result.findings.length > 0);
    }),
    { numRuns: 200 },
  );
});

Deno.test("loadConfig() refuses an address with any number of mistakes", async () => {
  const address = `http://10.0.0.1${";x".repeat(200_000)}`;
  assertEquals((await refusals({ file: `upstreams: {api: {endpoints: ["${address}"]}}` })).length, 1);
});
