// Lint rules about what becomes of the requests of routes.

import { a, app, b, type LintRow, redirect, redirects, route, split } from "./row.ts";

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

/** Splits between an upstream with sticky cookies and one without. */
const splitsOfSticky = (...routes: object[]) => ({
  upstreams: { kept: { endpoints: [a], sticky: {} }, free: { endpoints: [b] } },
  routes: routes.map((route, i) => ({ match: { path: `/${i}` }, ...route })),
});
const sides = (kept: number, free: number) => ({
  split: [{ upstream: "free", weight: free }, { upstream: "kept", weight: kept }],
});

export const actionRows: readonly LintRow[] = [
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
    rule: "route-split-of-sticky",
    bites: splitsOfSticky(sides(1, 1)),
    subjects: ["routes[0].split"],
    severity: "warning",
    fine: splitsOfSticky({ ...sides(50, 50), splitSticky: true }, sides(100, 0), sides(0, 100)),
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
      routes: [{ match: { host: ["www.a.org", "a.org"] }, redirect: { to: "http://a.org{path}" } }],
    },
    subjects: ["routes[0].redirect.to"],
    severity: "error",
    fine: { routes: [{ match: { host: "www.a.org" }, redirect: { to: "http://a.org{path}" } }] },
  },
  {
    rule: "route-redirect-target",
    bites: redirects(
      [{ path: "/0" }, { to: "/{path}" }],
      [{ host: "*.a.org" }, { to: "http://{host}{path}" }],
      [{ path: "/2", method: ["POST"] }, { to: "{path}", status: 307 }],
      [{ path: "/3", method: ["GET", "POST"] }, { to: "{path}", status: 303 }],
    ),
    subjects: [0, 1, 2, 3].map((i) => `routes[${i}].redirect.to`),
    severity: "error",
    // The scheme that a client spoke, a cookie set on the way, another port, and a GET after a POST.
    fine: redirects(
      [{ path: "/0", headers: { "x-forwarded-proto": "https" } }, { to: "http://{host}{path}" }],
      [{ path: "/1", headers: { cookie: { present: false } } }, { to: "{path}" }],
      [{ host: ["a.org:8080", "*.a.org:8080"] }, { to: "http://{host}{path}" }],
      [{ path: "/3", method: ["POST"] }, { to: "{path}", status: 303 }],
    ),
  },
  {
    rule: "route-redirect-target",
    bites: redirect("https://{host}/new/{path}"),
    subjects: ["routes[0].redirect.to"],
    severity: "warning",
    fine: redirect("https://{host}/new{path}"),
  },
  ...["www.a.org{path}", "a.org:8443{path}", "{host}/new"].map((to): LintRow => ({
    rule: "route-redirect-target",
    bites: redirect(to),
    subjects: ["routes[0].redirect.to"],
    severity: "warning",
    fine: redirect(`https://${to}`),
  })),
  ...["//a.org{path}", "/new{path}", "{path}/new", "index.html"].map((to): LintRow => ({
    rule: "route-redirect-target",
    bites: redirect(`new${to}{path}`),
    subjects: ["routes[0].redirect.to"],
    severity: "warning",
    fine: redirect(to),
  })),
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
    rule: "route-without-upstream",
    bites: { routes: [{ redirect: { to: "https://a.org{path}" }, retry: { attemptsMax: 1 } }] },
    subjects: ["routes[0].retry"],
    severity: "warning",
    fine: route({ rewrite: { stripPrefix: "/a" }, timeouts: { connectMs: 1 } }),
  },
  {
    rule: "route-respond-body",
    bites: { routes: [{ respond: { status: 204, body: "gone" } }] },
    subjects: ["routes[0].respond.body"],
    severity: "warning",
    fine: { routes: [{ respond: { status: 204 } }] },
  },
];
