// One row for each lint rule: what makes it speak, about which key, and the closest thing that is fine.

const a = "http://10.0.0.1:8080";
const b = "http://10.0.0.2:8080";
const app = { app: { endpoints: [a, b] } };

/** A configuration with one upstream that has these settings. */
const upstream = (settings: object) => ({ upstreams: { app: { endpoints: [a, b], ...settings } } });
/** A configuration with one route that goes to the only upstream. */
const route = (settings: object) => ({ upstreams: app, routes: [{ upstream: "app", ...settings }] });
const matching = (...matches: object[]) => ({
  upstreams: app,
  routes: matches.map((match) => ({ upstream: "app", match })),
});
const split = (...shares: [upstream: string, weight: number][]) => ({
  upstreams: { a: { endpoints: [a] }, b: { endpoints: [b] } },
  routes: [{ split: shares.map(([upstream, weight]) => ({ upstream, weight })) }],
});
const redirect = (to: string) => ({ routes: [{ redirect: { to } }] });
const pod = (spec: object, name = "weir") => ({
  manifest: [
    { kind: "Service", spec: { ports: [] } },
    { kind: "Deployment", spec: { template: { spec: { containers: [{ name }], ...spec } } } },
  ],
});
const sleep = { lifecycle: { preStop: { sleep: { seconds: 10 } } } };
const sleeping = { containers: [{ name: "weir", ...sleep }] };
const withVariable = (name: string, value: string) => ({
  containers: [{ name: "weir", env: [{ name, value }] }],
});
const withSleepingSidecar = { containers: [{ name: "weir" }, { name: "mesh", ...sleep }] };
/** Weir's pod with these ports, and whatever else its container has. */
const podWithPorts = (ports: readonly number[], more: object = {}, sidecar: object = {}) =>
  pod({
    terminationGracePeriodSeconds: 40,
    containers: [
      { name: "weir", ports: ports.map((containerPort) => ({ containerPort })), ...more },
      { name: "app", ...sidecar },
    ],
  });

export interface LintRow {
  readonly rule: string;
  /** Operator's input, before defaults. */
  readonly bites: object;
  /** Keys of the findings. */
  readonly subjects: readonly string[];
  readonly severity: "error" | "warning";
  readonly fine: object;
  readonly with?: object;
  /** What `fine` is looked at with, if something else. */
  readonly fineWith?: object;
}

/** As other routers take them. */
const FOREIGN_PATHS = [
  "/x/:id",
  "/x/:id/*",
  "/x/[0-9]",
  "/x/[id]",
  "/x/\\d",
  "/^x",
  "/x/.+",
  "/(a|b)",
  "/x$",
  "/$",
  "/v/{id:[0-9]+}",
  "/w/{*rest}",
  "/z/{rest...}",
];
const OWN_PATHS = [
  "/x/{id}",
  "/x/{user.name}/*",
  "/things:cancel",
  "/a:80",
  "/:",
  "/$metadata",
  "/orders/$count",
  "/Products(1)",
  "/c++/a.b",
  "/a$/*",
  "/*",
];

const FOREIGN_LOCATIONS = [
  "https://$host$request_uri",
  "https://${host}{path}",
  "https://a.org/$1",
  "https://a.org/${1}",
  "/b/\\1",
  "https://%[hdr(host)]/",
  "https://%REQ(:AUTHORITY)%/",
  "https://{http.request.host}/",
];
const FOREIGN_VALUES = [
  "$remote_addr",
  "${scheme}://$host",
  "$http_x_canary",
  "$proxy_add_x_forwarded_for",
  "%[src]",
  "%[req.hdr(host)]",
  "%DOWNSTREAM_REMOTE_ADDRESS%",
  "%REQ(:AUTHORITY)%",
  "{http.request.remote.host}",
  "{remote_host}",
];
const OWN_VALUES = [
  "Basic dXNlcjpwYSR3b3Jk",
  "pa$word",
  "$hostage",
  "%E2%82%AC%20",
  "%CEA%20",
  "100%",
  '{"group":"a","max_age":1}',
  "</a{?x}>; rel=next",
  "[a]",
];

const routeRows: readonly LintRow[] = [
  {
    rule: "route-path-dots",
    bites: matching({ path: "/a/../b" }, { path: "/c/%2e" }),
    subjects: ["routes[0].match.path", "routes[1].match.path"],
    severity: "warning",
    fine: matching({ path: "/.well-known/*" }, { path: "/a/...b" }),
  },
  {
    rule: "route-path-syntax",
    bites: matching(...FOREIGN_PATHS.map((path) => ({ path }))),
    subjects: FOREIGN_PATHS.map((_, i) => `routes[${i}].match.path`),
    severity: "warning",
    fine: matching(...OWN_PATHS.map((path) => ({ path }))),
  },
  {
    rule: "route-host-syntax",
    bites: matching({ host: "~^(www\\.)?a\\.org$" }, { host: ["a.org", "{sub}.a.org:80"] }),
    subjects: ["routes[0].match.host", "routes[1].match.host[1]"],
    severity: "warning",
    fine: matching({ host: "*.A-b_c.org:80" }, { host: ["a.org.", "[::1]:80", "10.0.0.1"] }, { host: "*" }),
  },
  {
    rule: "route-cookie-whole",
    bites: matching({ headers: { cookie: "canary=1" } }, { headers: { Cookie: { prefix: "a=" }, a: "1" } }),
    subjects: ["routes[0].match.headers.cookie", "routes[1].match.headers.Cookie"],
    severity: "warning",
    fine: matching({ headers: { cookie: { present: true } } }, { headers: { "x-cookie": "a=1" } }),
  },
  {
    rule: "route-method-case",
    bites: matching({ method: ["GET", "put"] }),
    subjects: ["routes[0].match.method"],
    severity: "warning",
    fine: matching({ method: ["GET", "PUT"] }),
  },
  {
    rule: "route-tie",
    bites: matching({ path: "/{a}" }, { path: "/{b}" }),
    subjects: ["routes[1].match"],
    severity: "error",
    fine: matching({ path: "/{a}" }, { path: "/a" }),
  },
  {
    rule: "route-unreachable",
    bites: matching(
      {},
      { headers: { a: { present: true } } },
      { headers: { a: { present: false } } },
    ),
    subjects: ["routes[0].match"],
    severity: "error",
    fine: matching({}, { headers: { a: { present: true } } }),
  },
];

const actionRows: readonly LintRow[] = [
  {
    rule: "route-split-weights",
    bites: split(["a", 0], ["b", 0]),
    subjects: ["routes[0].split"],
    severity: "error",
    fine: split(["a", 1], ["b", 0]),
  },
  {
    rule: "route-split-weights",
    bites: split(["a", 1], ["a", 2]),
    subjects: ["routes[0].split"],
    severity: "warning",
    fine: split(["a", 1], ["b", 2]),
  },
  {
    rule: "route-sticky-without-split",
    bites: route({ splitSticky: true }),
    subjects: ["routes[0].splitSticky"],
    severity: "warning",
    fine: route({ splitSticky: false }),
  },
  {
    rule: "route-rewrite-misses",
    bites: {
      upstreams: app,
      routes: [
        { match: { path: "/app/*" }, upstream: "app", rewrite: { stripPrefix: "/api" } },
        {
          match: { path: "/a" },
          upstream: "app",
          rewrite: { stripPrefix: "/a", replacePrefix: { from: "/a", to: "/b" } },
        },
      ],
    },
    subjects: ["routes[0].rewrite", "routes[1].rewrite"],
    severity: "warning",
    fine: {
      upstreams: app,
      routes: [
        { match: { path: "/api/v1/{id}" }, upstream: "app", rewrite: { stripPrefix: "/api/" } },
        { upstream: "app", rewrite: { replacePrefix: { from: "/a", to: "/b" } } },
      ],
    },
  },
  {
    rule: "route-redirect-target",
    bites: redirect("https://{host}/{uri}"),
    subjects: ["routes[0].redirect.to"],
    severity: "error",
    fine: redirect("https://{host}{path}?{query}"),
  },
  {
    rule: "route-redirect-target",
    bites: { ...redirect("https://{host}{path}"), listen: { tls: { certFile: "c", keyFile: "k" } } },
    subjects: ["routes[0].redirect.to"],
    severity: "error",
    fine: redirect("https://{host}{path}"),
  },
  {
    rule: "route-redirect-target",
    bites: {
      routes: FOREIGN_LOCATIONS.map((to, i) => ({ match: { path: `/${i}` }, redirect: { to } })),
    },
    subjects: FOREIGN_LOCATIONS.map((_, i) => `routes[${i}].redirect.to`),
    severity: "error",
    fine: redirect("https://{host}/$metadata/100%25/%E2%82%AC/%CEA%20?above=$100&below=$1.50"),
  },
  {
    rule: "route-header-variable",
    bites: route({
      requestHeaders: {
        set: Object.fromEntries(FOREIGN_VALUES.map((value, i) => [`x-${i}`, value])),
        add: { "x-host": "{host}" },
      },
      responseHeaders: { set: { "x-served-by": "$upstream_addr" } },
    }),
    subjects: [
      ...FOREIGN_VALUES.map((_, i) => `routes[0].requestHeaders.set.x-${i}`),
      "routes[0].requestHeaders.add.x-host",
      "routes[0].responseHeaders.set.x-served-by",
    ],
    severity: "warning",
    fine: route({
      requestHeaders: { set: Object.fromEntries(OWN_VALUES.map((value, i) => [`x-${i}`, value])) },
      responseHeaders: { remove: ["$host"] },
    }),
  },
  {
    rule: "route-without-upstream",
    bites: {
      routes: [{ respond: { status: 200 }, rewrite: { stripPrefix: "/a" }, timeouts: { connectMs: 1 } }],
    },
    subjects: ["routes[0].rewrite", "routes[0].timeouts"],
    severity: "warning",
    fine: { routes: [{ respond: { status: 200 }, responseHeaders: { remove: ["a"] } }] },
  },
  {
    rule: "route-respond-body",
    bites: { routes: [{ respond: { status: 204, body: "gone" } }] },
    subjects: ["routes[0].respond.body"],
    severity: "warning",
    fine: { routes: [{ respond: { status: 204 } }] },
  },
];

const waitRows: readonly LintRow[] = [
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

const upstreamRows: readonly LintRow[] = [
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
    rule: "hash-key-unused",
    bites: upstream({ balance: { hashOn: "path" } }),
    subjects: ["upstreams.app.balance.hashOn"],
    severity: "warning",
    fine: upstream({ balance: { policy: "consistent_hash", hashOn: "path" } }),
  },
  {
    rule: "sticky-cookie-dropped",
    bites: upstream({ sticky: { sameSite: "None" } }),
    subjects: ["upstreams.app.sticky.sameSite"],
    severity: "warning",
    fine: upstream({ sticky: { sameSite: "None", secure: true } }),
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
];

const podRows: readonly LintRow[] = [
  {
    rule: "trusted-proxies-open",
    bites: { trustedProxies: ["10.0.0.0/8", "0.0.0.0/0", "::/0"] },
    subjects: ["trustedProxies[1]", "trustedProxies[2]"],
    severity: "warning",
    fine: { trustedProxies: ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"] },
  },
  {
    rule: "proxy-protocol-from-nobody",
    bites: { listen: { listener: "wire", proxyProtocol: true } },
    subjects: ["listen.proxyProtocol"],
    severity: "error",
    fine: { listen: { listener: "wire", proxyProtocol: true }, trustedProxies: ["10.0.0.0/8"] },
  },
  {
    rule: "wire-key-on-serve",
    bites: { listen: { headReadMs: 5_000 } },
    subjects: ["listen.headReadMs"],
    severity: "warning",
    fine: { listen: { headReadMs: 5_000, listener: "wire" } },
  },
  {
    rule: "drain-beyond-grace",
    bites: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    with: pod({}),
    subjects: ["drain.deadlineMs"],
    severity: "error",
    fine: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    fineWith: pod({ terminationGracePeriodSeconds: 35 }),
  },
  {
    rule: "drain-beyond-grace",
    bites: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    with: pod({ terminationGracePeriodSeconds: 40, ...sleeping }),
    subjects: ["drain.deadlineMs"],
    severity: "error",
    fine: { drain: { delayMs: 5_000, deadlineMs: 24_000 } },
    fineWith: pod({ terminationGracePeriodSeconds: 40, ...sleeping }),
  },
  {
    rule: "drain-without-delay",
    bites: { drain: { delayMs: 0, deadlineMs: 10_000 } },
    with: pod({}),
    subjects: ["drain.delayMs"],
    severity: "warning",
    fine: { drain: { delayMs: 0, deadlineMs: 10_000 } },
    fineWith: pod(sleeping),
  },
  {
    rule: "drain-beyond-grace",
    bites: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    with: pod({ terminationGracePeriodSeconds: 40, ...withVariable("DRAIN_DEADLINE_MS", "35000") }),
    subjects: ["drain.deadlineMs"],
    severity: "error",
    fine: { drain: { delayMs: 5_000, deadlineMs: 34_999 } },
    fineWith: pod({ terminationGracePeriodSeconds: 40, ...withSleepingSidecar }),
  },
  {
    rule: "drain-beyond-grace",
    bites: { drain: { delayMs: 5_000, deadlineMs: 25_000 } },
    with: pod({
      terminationGracePeriodSeconds: 40,
      containers: [{ name: "weir", args: ["run", "--drain-delay-ms", "15000"], env: null }],
    }),
    subjects: ["drain.deadlineMs"],
    severity: "error",
    fine: { drain: { delayMs: 5_000, deadlineMs: 60_000 } },
    fineWith: pod({
      terminationGracePeriodSeconds: 40,
      containers: [{
        name: "weir",
        args: ["run", "--drain-deadline-ms=34999"],
        env: [{ name: "DRAIN_DEADLINE_MS", value: "90000" }],
      }],
    }),
  },
  {
    rule: "drain-without-delay",
    bites: { drain: { delayMs: 0, deadlineMs: 10_000 } },
    with: pod(withSleepingSidecar),
    subjects: ["drain.delayMs"],
    severity: "warning",
    fine: { drain: { delayMs: 0, deadlineMs: 10_000 } },
    fineWith: pod(withVariable("DRAIN_DELAY_MS", "5000")),
  },
  {
    rule: "drain-without-delay",
    bites: { drain: { delayMs: 5_000, deadlineMs: 10_000 } },
    with: pod(withVariable("DRAIN_DELAY_MS", "0")),
    subjects: ["drain.delayMs"],
    severity: "warning",
    fine: { drain: { delayMs: 5_000, deadlineMs: 10_000 } },
    fineWith: pod({ containers: [{ name: "weir", env: [{ name: "DRAIN_DELAY_MS", valueFrom: {} }] }] }),
  },
  {
    rule: "port-not-in-manifest",
    bites: {
      listen: { port: 8_443, tls: { certFile: "c.pem", keyFile: "k.pem", redirectPort: 8_080 } },
      admin: { port: 9_902 },
    },
    with: podWithPorts([3_000, 9_901]),
    subjects: ["listen.port", "listen.tls.redirectPort", "admin.port"],
    severity: "warning",
    fine: { listen: { port: 8_443 }, admin: { port: 9_902 } },
    fineWith: podWithPorts([8_443, 9_902]),
  },
  {
    rule: "port-not-in-manifest",
    bites: { listen: { port: 8_080 }, admin: { port: 8_081 } },
    with: podWithPorts([3_000], { env: [{ name: "PORT", value: "3000" }] }),
    subjects: ["admin.port"],
    severity: "warning",
    fine: { listen: { port: 8_080 }, admin: { port: 8_081 } },
    fineWith: podWithPorts([3_000], { args: ["run", "--port=3000", "--admin-port", "3001"] }),
  },
  {
    rule: "port-not-in-manifest",
    bites: { listen: { port: 8_080 }, admin: { port: 3_001 } },
    with: podWithPorts([3_000], {}, {
      env: [{ name: "ADMIN_PORT", value: "3001" }],
      ports: [{ containerPort: 8_080 }],
    }),
    subjects: ["listen.port", "admin.port"],
    severity: "warning",
    fine: { listen: { port: 8_080 }, admin: { port: 3_001 } },
    fineWith: podWithPorts([3_000], { envFrom: [{ configMapRef: { name: "weir" } }] }),
  },
  {
    rule: "port-not-in-manifest",
    bites: {},
    with: podWithPorts([8_080, 9_901], { command: ["deno", "run", "src/main.ts"] }),
    subjects: ["listen.port"],
    severity: "warning",
    fine: {},
    fineWith: podWithPorts([8_080, 9_901], { command: ["deno", "run", "src/main.ts", "--port", "8080"] }),
  },
  {
    rule: "port-not-in-manifest",
    bites: {},
    with: podWithPorts([8_080, 9_901]),
    subjects: ["listen.port"],
    severity: "warning",
    fine: {},
    fineWith: podWithPorts([], {}, { ports: [{ containerPort: 8_080 }] }),
  },
];

export const LINT_ROWS: readonly LintRow[] = [
  ...routeRows,
  ...actionRows,
  ...waitRows,
  ...upstreamRows,
  ...podRows,
];
