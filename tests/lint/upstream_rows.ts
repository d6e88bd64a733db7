// Lint rules about upstreams, and about waits that do not fit together.

import { a, app, b, type LintRow, route, split, upstream } from "./row.ts";

/** A route that splits its requests between two upstreams, and has these settings. */
function splitWith(settings: object) {
  const { upstreams, routes } = split(["a", 1], ["b", 1]);
  return { upstreams, routes: routes.map((route) => ({ ...route, ...settings })) };
}

export const waitRows: readonly LintRow[] = [
  {
    rule: "retry-beyond-deadline",
    bites: upstream({ timeouts: { requestMs: 30_000 }, retry: { attemptsMax: 2 } }),
    subjects: ["upstreams.app.timeouts.requestMs"],
    severity: "warning",
    fine: upstream({ timeouts: { requestMs: 30_000, attemptMs: 15_000 }, retry: { attemptsMax: 2 } }),
  },
  {
    rule: "retry-beyond-deadline",
    bites: route({ timeouts: { requestMs: 10_000, attemptMs: 4_000 } }),
    subjects: ["routes[0].timeouts.requestMs"],
    severity: "warning",
    fine: route({ timeouts: { requestMs: 10_000, attemptMs: 4_000 }, retry: { attemptsMax: 2 } }),
  },
  {
    rule: "retry-beyond-deadline",
    bites: splitWith({ timeouts: { requestMs: 10_000, attemptMs: 4_000 } }),
    subjects: ["routes[0].timeouts.requestMs"],
    severity: "warning",
    fine: splitWith({ timeouts: { requestMs: 10_000, attemptMs: 4_000 }, retry: { attemptsMax: 2 } }),
  },
  {
    rule: "pool-idle-above-upstream",
    bites: upstream({ pool: { idleMs: 5_000 } }),
    subjects: ["upstreams.app.pool.idleMs"],
    severity: "warning",
    fine: upstream({ pool: { idleMs: 4_999 } }),
  },
  {
    rule: "health-timeout-above-interval",
    bites: upstream({ health: { timeoutMs: 2_000 } }),
    subjects: ["upstreams.app.health.timeoutMs"],
    severity: "warning",
    fine: upstream({ health: { timeoutMs: 1_999 } }),
  },
  {
    rule: "retry-budget-zero",
    bites: upstream({ retry: { budgetPercent: 0, budgetMinPerSecond: 0 } }),
    subjects: ["upstreams.app.retry.budgetPercent"],
    severity: "warning",
    fine: upstream({ retry: { budgetPercent: 0, budgetMinPerSecond: 0, attemptsMax: 1 } }),
  },
  {
    rule: "cap-below-base",
    bites: upstream({ retry: { backoffCapMs: 24 }, ejection: { capMs: 29_999 } }),
    subjects: ["upstreams.app.retry.backoffCapMs", "upstreams.app.ejection.capMs"],
    severity: "warning",
    fine: upstream({ retry: { backoffCapMs: 25 }, ejection: { capMs: 30_000 } }),
  },
];

const shop = { endpoints: [a], sticky: {} };
const weighed = (upstream: string) => ({ upstream, weight: 1 });

export const upstreamRows: readonly LintRow[] = [
  {
    rule: "ejection-of-one",
    bites: upstream({ endpoints: [a], ejection: { consecutiveFailures: 3 } }),
    subjects: ["upstreams.app.ejection"],
    severity: "warning",
    fine: upstream({ endpoints: [a] }),
  },
  {
    rule: "ejection-of-one",
    bites: upstream({ endpoints: [a], ejection: { ejectedPercentMax: 100 } }),
    subjects: ["upstreams.app.ejection"],
    severity: "warning",
    fine: upstream({ endpoints: ["dns+http://app:80"], ejection: { ejectedPercentMax: 100 } }),
  },
  {
    rule: "sticky-with-consistent-hash",
    bites: upstream({ balance: "consistent_hash", sticky: {} }),
    subjects: ["upstreams.app.sticky"],
    severity: "warning",
    fine: upstream({ balance: "least_request", sticky: {} }),
  },
  {
    rule: "balance-key-unused",
    bites: upstream({ balance: { hashOn: "path", choices: "all", decayMs: 1_000, boundPercent: 150 } }),
    subjects: ["choices", "decayMs", "hashOn", "boundPercent"].map((key) => `upstreams.app.balance.${key}`),
    severity: "warning",
    fine: upstream({
      balance: { policy: "consistent_hash", hashOn: { header: "x-tenant" }, boundPercent: 150, choices: 3 },
    }),
  },
  {
    rule: "balance-key-unused",
    bites: upstream({ balance: { policy: "least_request", choices: "all", decayMs: 1_000 } }),
    subjects: ["upstreams.app.balance.decayMs"],
    severity: "warning",
    fine: upstream({ balance: { policy: "peak_ewma", choices: "all", decayMs: 1_000 } }),
  },
  {
    rule: "discovery-unused",
    bites: upstream({
      endpoints: ["http://app:80", "k8s://app.shop:80"],
      discovery: { nameServer: "10.0.0.2" },
    }),
    subjects: ["upstreams.app.discovery"],
    severity: "warning",
    fine: upstream({
      endpoints: ["http://app:80", { url: "DNS+http://app:81" }],
      discovery: { intervalMs: 900 },
    }),
  },
  {
    rule: "sticky-cookie-dropped",
    bites: upstream({ sticky: { sameSite: "None" } }),
    subjects: ["upstreams.app.sticky.sameSite"],
    severity: "warning",
    fine: upstream({ sticky: { sameSite: "None", secure: true } }),
  },
  {
    rule: "sticky-cookie-shared",
    bites: {
      upstreams: { shop, blog: shop },
      routes: [{ upstream: "shop", match: { path: "/*" } }, { upstream: "blog", match: { path: "/blog/*" } }],
    },
    subjects: ["upstreams.shop.sticky.cookie"],
    severity: "warning",
    fine: {
      upstreams: { shop, blog: { endpoints: [b], sticky: { cookie: "weir_blog" } }, plain: app.app },
      routes: [{ split: [weighed("shop"), weighed("blog"), weighed("plain")] }],
    },
  },
  {
    rule: "sticky-cookie-shared",
    bites: {
      upstreams: { a: shop, b: shop, c: shop, d: shop, e: shop, f: shop },
      routes: [
        { split: [weighed("a"), weighed("b")], match: { host: ["a.test", "*.b.test:8080"] } },
        { upstream: "c", match: { host: "x.b.test", path: "/c/*" } },
        { upstream: "d", match: { host: ["b.test", "x.d.test"], method: ["GET"] } },
        { upstream: "e", match: { host: "B.test:81" } },
        { upstream: "f", match: { host: "*.d.test" } },
      ],
    },
    subjects: ["b", "c", "e", "f"].map((name) => `upstreams.${name}.sticky.cookie`),
    severity: "warning",
    fine: {
      upstreams: { a: shop, b: shop, c: shop },
      routes: [
        { split: [weighed("a"), weighed("b")], splitSticky: true, match: { host: "a.test" } },
        { upstream: "c", match: { host: "*.a.test" } },
      ],
    },
  },
  {
    rule: "sticky-cookie-shared",
    bites: {
      upstreams: { any: shop, b: shop, c: shop, d: shop },
      routes: [
        { upstream: "any" },
        { upstream: "b", match: { host: "b.test:8080" } },
        { upstream: "c", match: { host: "x.c.test", path: "/c" } },
        { upstream: "d", match: { host: "*.d.test", headers: { x: "1" } } },
      ],
    },
    subjects: ["b", "c", "d"].map((name) => `upstreams.${name}.sticky.cookie`),
    severity: "warning",
    // What is for one host altogether leaves none of its clients to the wildcard, nor to the route for any host.
    fine: {
      upstreams: { a: shop, b: shop, c: shop },
      routes: [
        { upstream: "a", match: { host: ["a.test", "x.b.test"], path: "/*" } },
        { upstream: "b", match: { host: "*.b.test" } },
        { upstream: "c" },
      ],
    },
  },
  {
    rule: "upstream-unused",
    bites: { upstreams: { ...app, "old.v1": app.app }, routes: [{ upstream: "app" }] },
    subjects: ['upstreams["old.v1"]'],
    severity: "warning",
    fine: {
      upstreams: { ...app, old: app.app },
      routes: [{ split: [{ upstream: "app", weight: 1 }, { upstream: "old", weight: 1 }] }],
    },
  },
  {
    rule: "upstream-unused",
    bites: { upstreams: { default: app.app, old: app.app } },
    subjects: ["upstreams.old"],
    severity: "warning",
    fine: { upstreams: { old: app.app } },
  },
  {
    rule: "only-backups",
    bites: upstream({ endpoints: [`${a};backup`, { url: b, backup: true }] }),
    subjects: ["upstreams.app.endpoints"],
    severity: "warning",
    fine: upstream({ endpoints: [`${a};backup`, b] }),
  },
  {
    rule: "nothing-notices-failures",
    bites: upstream({ health: { kind: "off" }, ejection: { enabled: false } }),
    subjects: ["upstreams.app.health.kind"],
    severity: "warning",
    fine: upstream({ health: { kind: "off" } }),
  },
  {
    rule: "health-keys-without-path",
    bites: upstream({ health: { expect: ["200"], host: "a.org" } }),
    subjects: ["upstreams.app.health.host", "upstreams.app.health.expect"],
    severity: "warning",
    fine: upstream({ health: { expect: ["200"], host: "a.org", path: "/healthz" } }),
  },
  {
    rule: "tls-unused",
    bites: upstream({ tls: { caFile: "ca.pem" } }),
    subjects: ["upstreams.app.tls"],
    severity: "warning",
    fine: upstream({ tls: { caFile: "ca.pem" }, endpoints: [a, "https://10.0.0.3:443"] }),
  },
  {
    rule: "upstream-is-weir",
    bites: upstream({ endpoints: ["http://localhost:3000", { url: "http://127.0.0.1:9901" }] }),
    subjects: ["upstreams.app.endpoints[0]", "upstreams.app.endpoints[1]"],
    severity: "error",
    fine: upstream({ endpoints: ["http://localhost:30001", "http://10.0.0.1:3000"] }),
  },
  {
    rule: "upstream-is-weir",
    bites: upstream({ endpoints: ["http://0.0.0.0:3000", "http://[::1]:3000", "https://[::]:9901"] }),
    subjects: [0, 1, 2].map((i) => `upstreams.app.endpoints[${i}]`),
    severity: "error",
    fine: { ...upstream({ endpoints: [a, "http://localhost"] }), listen: { port: 0 }, admin: { port: 0 } },
  },
  {
    rule: "upstream-is-weir",
    bites: {
      ...upstream({
        endpoints: [
          "http://LOCALHOST.:3000",
          "http://127.0.0.2:3000",
          "http://[::ffff:127.0.0.1]:3000",
          "dns+http://localhost:3000",
          "http://Weir.Example:9901",
        ],
      }),
      admin: { host: "weir.example." },
    },
    subjects: [0, 1, 2, 3, 4].map((i) => `upstreams.app.endpoints[${i}]`),
    severity: "error",
    fine: upstream({
      endpoints: ["http://localhost.example:3000", "http://[::ffff:10.0.0.1]:3000", "k8s://localhost:3000"],
    }),
  },
  {
    rule: "upstream-is-weir",
    bites: {
      ...upstream({ endpoints: ["http://10.0.0.5:3000", "http://10.0.0.5", "http://127.0.0.1:9901"] }),
      listen: { host: "10.0.0.5", tls: { certFile: "c", keyFile: "k", redirectPort: 80 } },
      admin: { host: "localhost" },
    },
    subjects: [0, 1, 2].map((i) => `upstreams.app.endpoints[${i}]`),
    severity: "error",
    // What listens on one address leaves its port to others on the rest.
    fine: {
      ...upstream({ endpoints: ["http://127.0.0.1:3000", "http://10.0.0.6:3000", "http://127.0.0.1:9901"] }),
      listen: { host: "10.0.0.5" },
      admin: { host: "127.0.0.2" },
    },
  },
];
