// Lint rules about what routes match.

import { app, type LintRow, matching } from "./row.ts";

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
const FOREIGN_VALUES = ["^v2", "~*mobile", "beta-.*", ".+", "*Mobile*", "v2.*", "Mozilla*"];
const OWN_VALUES = ["*", "*/*", "text/*", "*/*;q=0.8", "v2.1", "a^b", "c++", 'W/"1"'];

export const routeRows: readonly LintRow[] = [
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
    rule: "route-path-slash",
    bites: matching({ host: ["a.org", "b.org"], path: "/b/" }, { host: "a.org", path: "/b/*" }),
    subjects: ["routes[0].match.path"],
    severity: "warning",
    fine: matching(
      { host: ["a.org", "x.b.org:80"], path: "/b/" },
      { host: ["*.b.org:80", "a.org"], path: "/b/*" },
    ),
  },
  {
    rule: "route-path-slash",
    bites: matching(
      { path: "/" },
      { path: "/api/" },
      { host: "a.org", path: "/b/" },
      { host: "b.org", path: "/b/*" },
    ),
    subjects: ["routes[0].match.path", "routes[1].match.path", "routes[2].match.path"],
    severity: "warning",
    fine: {
      upstreams: app,
      routes: [
        ...matching(
          { path: "/api/" },
          { path: "/api/*" },
          { host: "x.a.org", path: "/b/" },
          { host: ["*.a.org"], path: "/b/*" },
          { path: "/login" },
        ).routes,
        { match: { path: "/" }, redirect: { to: "/app/" } },
      ],
    },
  },
  {
    rule: "route-host-syntax",
    bites: matching(
      { host: "~^(www\\.)?a\\.org$" },
      { host: ["a.org", "{sub}.a.org:80"] },
      { host: "_" },
    ),
    subjects: ["routes[0].match.host", "routes[1].match.host[1]", "routes[2].match.host"],
    severity: "warning",
    fine: matching({ host: "*.A-b_c.org:80" }, { host: ["a.org.", "[::1]:80", "10.0.0.1"] }, { host: "*" }),
  },
  {
    rule: "route-value-syntax",
    bites: matching(...FOREIGN_VALUES.map((v) => ({ headers: { "x-v": v } })), {
      query: { v: { prefix: "^2" } },
    }),
    subjects: [
      ...FOREIGN_VALUES.map((_, i) => `routes[${i}].match.headers.x-v`),
      `routes[${FOREIGN_VALUES.length}].match.query.v`,
    ],
    severity: "warning",
    fine: matching(
      ...OWN_VALUES.map((v) => ({ headers: { "x-v": v } })),
      { headers: { "x-v": { present: true } } },
    ),
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
