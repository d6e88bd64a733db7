import { assertEquals, assertMatch } from "@std/assert";
import { lint, type LintContext, lintRules, renderLintFinding } from "../../src/lint/lint.ts";
import { pathText } from "../../src/config/path.ts";
import { configSchema, listenSchema } from "../../src/config/schema.ts";
import { refusals } from "../config/helpers.ts";
import { LINT_ROWS } from "./table.ts";

function lintInput(input: object, more: object = {}) {
  const context: LintContext = {
    placeOf: (path) => `at ${pathText(path)}`,
    origins: originsOf(input),
    ...more,
  };
  return lint(configSchema.parse(input), context);
}

/** What loading would say of where values came from, were `input` the file. */
function originsOf(
  value: unknown,
  path: (string | number)[] = [],
  origins = new Map<string, { kind: string }>(),
) {
  if (typeof value !== "object" || value === null) return origins.set(pathText(path), { kind: "file" });
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  for (const step of steps) {
    originsOf((value as Record<string | number, unknown>)[step], [...path, step], origins);
  }
  return origins;
}

for (const { rule, bites, subjects, severity, fine, with: context = {}, fineWith = {} } of LINT_ROWS) {
  Deno.test(`${rule} speaks of ${subjects.join(", ")} and is silent when it is fine`, () => {
    const found = lintInput(bites, context).filter((finding) => finding.rule === rule);
    assertEquals(found.map(({ subject }) => subject), subjects);
    assertEquals(new Set(found.map((finding) => finding.severity)), new Set([severity]));
    assertEquals(lintInput(fine, fineWith).filter((finding) => finding.rule === rule), []);
    for (const { place, why, fix } of found) {
      assertMatch(place, /\S/);
      assertMatch(why, /^[A-Z].*\.$/);
      assertMatch(fix, /^[A-Z].*\.$/);
    }
  });
}

Deno.test("every lint rule has a row in the table", () => {
  assertEquals(new Set(LINT_ROWS.map(({ rule }) => rule)), new Set(lintRules.map(({ name }) => name)));
});

Deno.test("every lint rule speaks of a configuration that loads", async () => {
  const env = { WEIR_STICKY_KEY: "0123456789abcdef" };
  for (const { rule, bites, fine } of LINT_ROWS) {
    for (const input of [bites, fine]) {
      assertEquals(await refusals({ file: JSON.stringify(input), env }), [], rule);
    }
  }
});

Deno.test("docs/check.md lists every lint rule with its severities, and no other", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/check.md", import.meta.url));
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \| ([a-z, ]+) \|/gm)].map((
    [, name, severities],
  ) => [name, severities]);
  const expected = lintRules.map(({ name }) => {
    const severities = LINT_ROWS.filter(({ rule }) => rule === name).map(({ severity }) => severity);
    return [name, [...new Set(severities)].sort().join(", ")];
  });
  assertEquals(listed.map(String).sort(), expected.map(String).sort());
});

Deno.test("what UPSTREAMS alone makes has nothing to find", () => {
  for (const endpoints of [["http://10.0.0.1:80"], ["http://10.0.0.1:80", "dns+http://app:80"]]) {
    assertEquals(lintInput({ upstreams: { default: { endpoints } } }), []);
  }
});

Deno.test("a route that ties with several is told of once, and how many they are", () => {
  const found = lintInput({ routes: [200, 201, 202, 203].map((status) => ({ respond: { status } })) });
  assertEquals(found.map(({ path, state }) => [path[1], state]), [
    [1, "ties with routes[0] (*)"],
    [2, "ties with routes[0] (*) and 1 more"],
    [3, "ties with routes[0] (*) and 2 more"],
  ]);
});

Deno.test("a tie is told once, not also as a route that is never reached", () => {
  const found = lintInput({ routes: [{ respond: { status: 200 } }, { respond: { status: 404 } }] });
  assertEquals(found.map(({ rule }) => rule), ["route-tie"]);
});

Deno.test("a redirect to one host of several says to take that out", () => {
  const tls = { certFile: "c", keyFile: "k" };
  const fix = (host: string | string[], listen: object) =>
    lintInput({
      listen,
      routes: [{ match: { host }, redirect: { to: `http${"tls" in listen ? "s" : ""}://a.org{path}` } }],
    })[0]?.fix;
  assertEquals(fix(["www.a.org", "a.org"], { tls }), "Take a.org out of the route's hosts.");
  assertEquals(fix(["www.a.org", "a.org"], {}), "Take a.org out of the route's hosts.");
  assertMatch(fix("a.org", { tls })!, /redirectPort/);
  assertEquals(fix("a.org", {}), "Redirect to another scheme, host or path.");
});

Deno.test("another workload's grace period is not Weir's, unless no pod is known as Weir", () => {
  const deployment = (name: string, seconds: number) => ({
    kind: "Deployment",
    spec: { template: { spec: { containers: [{ name }], terminationGracePeriodSeconds: seconds } } },
  });
  const beside = { manifest: [{ kind: "List", items: [deployment("app", 1), deployment("weir", 60)] }] };
  assertEquals(lintInput({}, beside), []);
  assertEquals(lintInput({}, { manifest: [deployment("app", 1)] }).map(({ rule }) => rule), [
    "drain-beyond-grace",
  ]);
  for (const odd of [null, 3, {}, { kind: "Pod" }, { kind: "Deployment", spec: null }]) {
    assertEquals(lintInput({}, { manifest: [odd] }), []);
  }
});

Deno.test("errors come before warnings, and each finding has its place, why and fix", () => {
  const found = lintInput({
    upstreams: { app: { endpoints: ["http://localhost:3000"], pool: { idleMs: 9_000 } } },
    trustedProxies: ["0.0.0.0/0"],
  });
  assertEquals(found.map(({ severity }) => severity), ["error", "warning", "warning"]);
  assertEquals(
    renderLintFinding(found[1]!),
    "warning: trustedProxies[0] is 0.0.0.0/0, open to the world (at trustedProxies[0]) [trusted-proxies-open]\n" +
      "    why: Whoever reaches Weir can claim any address, and so pass limits and rules made by address.\n" +
      "    fix: Write only the addresses of your own proxies.",
  );
});

Deno.test("where values came from is gone through once, however many upstreams there are", () => {
  let rounds = 0;
  const upstreams = Object.fromEntries(
    ["a", "b.c", "default"].map((name) => [name, { endpoints: ["http://10.0.0.1"], health: { host: "x" } }]),
  );
  class Origins extends Map<string, { kind: string }> {
    override [Symbol.iterator]() {
      rounds++;
      return super[Symbol.iterator]();
    }
  }
  const found = lintInput({ upstreams }, { origins: new Origins(originsOf({ upstreams })) });
  assertEquals(
    found.filter(({ rule }) => rule === "health-keys-without-path").map(({ subject }) => subject),
    [
      "upstreams.a.health.host",
      'upstreams["b.c"].health.host',
      "upstreams.default.health.host",
    ],
  );
  assertEquals(rounds, 1);
});

Deno.test("lint() warns of every key of listen that is for wire where the listener is serve", () => {
  const wireKeys = Object.entries(listenSchema.shape)
    .filter(([, schema]) => schema.description?.startsWith("wire:"))
    .map(([key]) => key);
  const written = new Map(wireKeys.map((key) => [`listen.${key}`, { kind: "file", place: "f" } as const]));
  const findings = lint(configSchema.parse({}), { placeOf: () => "f", origins: written });
  const warned = findings.filter(({ rule }) => rule === "wire-key-on-serve").map(({ subject }) => subject);
  assertEquals(warned, [...written.keys()]);
});
