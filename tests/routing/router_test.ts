import { assertEquals, assertStrictEquals } from "@std/assert";
import type { RouteConfig } from "../../src/config/route_schema.ts";
import { configSchema } from "../../src/config/schema.ts";
import { defaultUpstreamOf, routeName, routeNames, routesInForce } from "../../src/routing/default_route.ts";
import { makeRouter, type RouteMatch } from "../../src/routing/router.ts";
import { request, routesOf } from "./routes.ts";

/** The name of the matched route, else the kind of answer. */
function told(match: RouteMatch): string {
  return match.kind === "route" ? match.route.name : match.kind;
}

const CASES: readonly [match: RouteConfig["match"], request: string, matches: boolean][] = [
  [{ host: "example.org" }, "GET example.org/", true],
  [{ host: "example.org" }, "GET EXAMPLE.org/", true],
  [{ host: "Example.ORG" }, "GET example.org/", true],
  [{ host: "example.org" }, "GET example.org:8443/", true],
  [{ host: "example.org" }, "GET example.org./", true],
  [{ host: "example.org." }, "GET example.org/", true],
  [{ host: "example.org" }, "GET www.example.org/", false],
  [{ host: "example.org:8443" }, "GET example.org:8443/", true],
  [{ host: "example.org:8443" }, "GET example.org/", false],
  [{ host: "example.org:80" }, "GET example.org/", true],
  [{ host: "*.example.org" }, "GET a.example.org/", true],
  [{ host: "*.example.org" }, "GET a.b.example.org/", true],
  [{ host: "*.example.org" }, "GET example.org/", false],
  [{ host: "*.example.org" }, "GET .example.org/", false],
  [{ host: "*.example.org" }, "GET anexample.org/", false],
  [{ host: "*.example.org:81" }, "GET a.example.org:81/", true],
  [{ host: "*.example.org:81" }, "GET a.example.org/", false],
  [{ host: "*:81" }, "GET example.org:81/", true],
  [{ host: "*:81" }, "GET example.org/", false],
  [{ host: "*" }, "GET example.org/", true],
  [{ host: ["a.org", "b.org"] }, "GET b.org/", true],
  [{ host: "[::1]" }, "GET [::1]:3000/", true],
  [{ host: "[::1]:3000" }, "GET [::1]:3001/", false],
  [{ host: "example.org" }, "GET /", false],
  [{ path: "/a" }, "GET h/a", true],
  [{ path: "/a" }, "GET h/a?b=/c", true],
  [{ path: "/a" }, "GET h/a/", false],
  [{ path: "/a" }, "GET h/A", false],
  [{ path: "/a" }, "GET h/", false],
  [{ path: "/a/" }, "GET h/a/", true],
  [{ path: "/a/*" }, "GET h/a", true],
  [{ path: "/a/*" }, "GET h/a/", true],
  [{ path: "/a/*" }, "GET h/a/b/c", true],
  [{ path: "/a/*" }, "GET h/a?b", true],
  [{ path: "/a/*" }, "GET h/ab", false],
  [{ path: "/*" }, "GET h/", true],
  [{ path: "/*" }, "OPTIONS h*", false],
  [{ method: ["OPTIONS"] }, "OPTIONS h*", true],
  [{ path: "/u/{id}" }, "GET h/u/7", true],
  [{ path: "/u/{id}" }, "GET h/u/", false],
  [{ path: "/u/{id}" }, "GET h/u/7/", false],
  [{ path: "/u/{id}/x" }, "GET h/u/7/x", true],
  [{ path: "/u/{id}/*" }, "GET h/u/7", true],
  [{ path: "/u/{id}/*" }, "GET h/u/7/x/y", true],
  [{ path: "/u/{id}/*" }, "GET h/u", false],
  [{ query: { a: "1" } }, "GET h/?a=1", true],
  [{ query: { a: "1" } }, "GET h/?b=2&a=1&a=3", true],
  [{ query: { a: "1?b" } }, "GET h/?a=1?b", true],
  [{ query: { a: "3" } }, "GET h/?a=1&a=3", false],
  [{ query: { a: "x y" } }, "GET h/?a=x+y", true],
  [{ query: { a: "x y" } }, "GET h/?a=x%20y", true],
  [{ query: { "ä": "ö" } }, "GET h/?%C3%A4=%C3%B6", true],
  [{ query: { a: "%zz" } }, "GET h/?a=%zz", true],
  [{ query: { a: "" } }, "GET h/?a", true],
  [{ query: { a: "" } }, "GET h/?a&b=1", true],
  [{ query: { b: "1" } }, "GET h/?a&b=1", true],
  [{ query: { a: "b=c" } }, "GET h/?a=b=c", true],
  [{ query: { a: { present: true } } }, "GET h/?b&a", true],
  [{ query: { a: { present: true } } }, "GET h/?ab", false],
  [{ query: { a: { present: false } } }, "GET h/", true],
  [{ query: { a: { present: false } } }, "GET h/?a=", false],
  [{ query: { a: { prefix: "v" } } }, "GET h/?a=v2", true],
];

for (const [match, line, matches] of CASES) {
  Deno.test(`the route ${JSON.stringify(match)} is ${matches ? "" : "not "}for ${line}`, () => {
    const tested = { tested: match };
    for (const routes of [tested, { ...tested, elsewhere: { host: "else.where", path: "/else" } }]) {
      assertEquals(told(makeRouter(routesOf(routes)).match(request(line))) === "tested", matches);
    }
  });
}

const HEADER_CASES: readonly [
  wanted: NonNullable<RouteConfig["match"]["headers"]>[string],
  string[],
  boolean,
][] = [
  ["a", ["x-v", "a"], true],
  ["a", ["X-V", "a"], true],
  ["a", ["x-v", "A"], false],
  ["a", [], false],
  ["a, b", ["x-v", "a", "other", "c", "x-v", "b"], true],
  ["a", ["x-v", "a", "x-v", "b"], false],
  ["a", ["other", "x-v", "a", "b"], false],
  [{ present: true }, ["x-v", ""], true],
  [{ present: false }, ["x-v", ""], false],
  [{ present: false }, ["x-w", "a"], true],
  [{ prefix: "ab" }, ["x-v", "abc"], true],
  [{ prefix: "ab" }, ["x-v", "a"], false],
];

for (const [wanted, headers, matches] of HEADER_CASES) {
  Deno.test(`header X-V ${JSON.stringify(wanted)} ${matches ? "matches" : "refuses"} ${headers.join(" ")}`, () => {
    const router = makeRouter(routesOf({ tested: { headers: { "X-V": wanted } } }));
    assertEquals(told(router.match(request("GET h/", headers))), matches ? "tested" : "unknownPath");
  });
}

Deno.test("header Host is the request's host, whether a line says it or not", () => {
  const told = (
    wanted: NonNullable<RouteConfig["match"]["headers"]>[string],
    line: string,
    headers: string[],
  ) => makeRouter(routesOf({ tested: { headers: { Host: wanted } } })).match(request(line, headers)).kind;
  for (const headers of [[], ["host", "a.org"], ["Host", "overruled.org"]]) {
    assertEquals(told("a.org", "GET a.org/", headers), "route");
    assertEquals(told("b.org", "GET a.org/", headers), "unknownPath");
    assertEquals(told({ present: true }, "GET a.org/", headers), "route");
  }
  assertEquals(told({ present: false }, "GET /", []), "route");
});

Deno.test("without routes everything goes to the default upstream, without one to nobody", () => {
  const written = configSchema.parse({ upstreams: { app: { endpoints: ["http://10.0.0.1"] } } });
  const [route] = routesInForce(written);
  const match = makeRouter([{ ...route!, name: "default", row: 0 }]).match(request("OPTIONS h*"));
  assertEquals(match.kind === "route" && match.route.upstream, "app");
  assertEquals(told(makeRouter([]).match(request("GET h/"))), "unknownPath");
  assertEquals(defaultUpstreamOf(["a", "default"]), "default");
  assertEquals(defaultUpstreamOf(["a"]), "a");
  assertEquals(defaultUpstreamOf(["a", "b"]), undefined);
});

Deno.test("an unknown host is told from an unknown path, and both from a wrong method", () => {
  const router = makeRouter(routesOf({
    read: { host: "a.org", path: "/x", method: ["GET", "HEAD"] },
    write: { host: "a.org", path: "/x", method: ["PUT"] },
    canary: { host: "a.org", path: "/x", method: ["DELETE"], headers: { "x-canary": "1" } },
  }));
  assertEquals(router.match(request("GET b.org/x")), { kind: "unknownHost" });
  assertEquals(router.match(request("GET a.org/y")), { kind: "unknownPath" });
  assertEquals(router.match(request("POST a.org/x")), {
    kind: "methodNotAllowed",
    allow: ["GET", "HEAD", "PUT"],
  });
  assertEquals(told(router.match(request("PUT a.org/x"))), "write");
  assertEquals(router.match(request("GET a.org/z")), { kind: "unknownPath" }, "after another's wrong method");
});

Deno.test("a request that the most specific route's conditions refuse falls to the next route", () => {
  const router = makeRouter(routesOf({
    everywhere: {},
    wildcard: { host: "*.a.org", path: "/x/*" },
    exact: { host: "b.a.org", path: "/x/y", headers: { "x-canary": "1" } },
  }));
  assertEquals(told(router.match(request("GET b.a.org/x/y", ["x-canary", "1"]))), "exact");
  assertEquals(told(router.match(request("GET b.a.org/x/y"))), "wildcard");
  assertEquals(told(router.match(request("GET b.a.org/z"))), "everywhere");
});

Deno.test("templates that begin alike are told apart by what follows", () => {
  const router = makeRouter(routesOf({ a: { path: "/u/{id}/a" }, b: { path: "/u/{id}/b" } }));
  assertEquals(["a", "b", "c"].map((end) => told(router.match(request(`GET h/u/7/${end}`)))), [
    "a",
    "b",
    "unknownPath",
  ]);
});

Deno.test("a host without a port goes before a wildcard with one", () => {
  const router = makeRouter(routesOf({ wildcard: { host: "*.a.org:80" }, exact: { host: "b.a.org" } }));
  assertEquals(told(router.match(request("GET b.a.org/"))), "exact");
  assertEquals(told(router.match(request("GET c.a.org:80/"))), "wildcard");
});

Deno.test("a route that takes everything and stands first leaves another its requests", () => {
  const router = makeRouter(routesOf({ everything: {}, some: { path: "/some" } }));
  assertEquals(told(router.match(request("GET h/some"))), "some");
});

Deno.test("a match makes no new object", () => {
  const router = makeRouter(routesOf({ a: { path: "/a/*" }, b: { path: "/{id}/b" } }));
  assertStrictEquals(router.match(request("GET h/1/b")), router.match(request("GET h/2/b")));
  assertStrictEquals(router.match(request("GET h/a/1")), router.match(request("GET h/a/2?c")));
});

const READINGS: readonly [line: string, expected: string][] = [
  ["GET h/admin", "admin"],
  ["GET h/%61dmin", "ambiguousPath"],
  ["GET h/public/../admin", "ambiguousPath"],
  ["GET h/public/%2e%2e/admin", "ambiguousPath"],
  ["GET h/public/..%2fadmin", "ambiguousPath"],
  ["GET h/public/..\\admin", "ambiguousPath"],
  ["GET h/public/..;/admin", "ambiguousPath"],
  ["GET h//admin", "ambiguousPath"],
  ["GET h/./admin", "ambiguousPath"],
  ["GET h/admin;v=1", "ambiguousPath"],
  ["GET h/admin\\v", "ambiguousPath"],
  ["GET h/admin#x", "ambiguousPath"],
  ["GET h/public/../../admin/x", "ambiguousPath"],
  ["GET h/public/a%2Fb", "public"],
  ["GET h/public/a/../b", "public"],
  ["GET h/public//b;c=d", "public"],
  ["GET h/public/x?y=/../admin//%61", "public"],
  ["GET h/public/a%2Fb?y=/../../admin", "public"],
  ["GET h/caf%C3%A9?y", "cafe"],
  ["GET h/%61dmin?y", "ambiguousPath"],
  ["GET h/public/.well-known", "public"],
  ["GET h/caf%C3%A9", "cafe"],
  ["GET h/admin%20", "rest"],
  ["GET h/other/a%2Fb", "rest"],
];

for (const [line, expected] of READINGS) {
  Deno.test(`${line} goes to ${expected} where an origin may read paths in its own way`, () => {
    const routes = routesOf({
      admin: { path: "/admin/*" },
      public: { path: "/public/*" },
      cafe: { path: "/caf%C3%A9" },
      rest: {},
    });
    assertEquals(told(makeRouter(routes).match(request(line))), expected);
  });
}

Deno.test("a path that leaves its only prefix is refused, one that stays unknown is unknown", () => {
  const router = makeRouter(routesOf({ app: { path: "/app/*" } }));
  assertEquals(told(router.match(request("GET h/app/../secret"))), "ambiguousPath");
  assertEquals(told(router.match(request("GET h/app/../app/x"))), "app");
  assertEquals(told(router.match(request("GET h/x/../app"))), "unknownPath");
});

Deno.test("a path that is written with an escape is for what is sent so, also where it stands alone", () => {
  const router = makeRouter(routesOf({ only: { path: "/a%2Fb/*" } }));
  assertEquals(told(router.match(request("GET h/a%2Fb/x"))), "only");
});

Deno.test("an escaped star of a path stays a path of its own in every reading", () => {
  const router = makeRouter(routesOf({ star: { path: "/a/%2A" }, rest: { path: "/*" } }));
  assertEquals(told(router.match(request("GET h/a/%2A"))), "star");
  assertEquals(told(router.match(request("GET h/a/b%20c"))), "rest");
});

Deno.test("where no route names a path, no reading of it matters", () => {
  const router = makeRouter(routesOf({ a: { host: "a.org" }, b: { host: "b.org" } }));
  assertEquals(told(router.match(request("GET a.org/x/../%61//b"))), "a");
});

Deno.test("a route without a name is named by its match", () => {
  const named = routesOf({
    x: { host: ["a.org", "b.org"], path: "/u/{id}", method: ["GET"], query: { q: "1" } },
  });
  const { name: _, ...nameless } = named[0]!;
  assertEquals(routeName(nameless as RouteConfig), "GET a.org,b.org/u/{id} [q]");
  assertEquals(routeName({ match: {}, splitSticky: false }), "*");
  assertEquals(routeName(named[0]!), "x");
});

Deno.test("routes whose names are alike are told apart by a number", () => {
  const nameless = { match: { path: "/x" }, splitSticky: false };
  assertEquals(routeNames([nameless, { ...nameless, name: "y" }, nameless, nameless]), [
    "/x",
    "y",
    "/x #2",
    "/x #3",
  ]);
  const byHost = { match: { host: "a.org" }, splitSticky: false };
  assertEquals(
    routeNames([byHost, { ...nameless, name: "a.org" }]),
    ["a.org #2", "a.org"],
    "a written name stays",
  );
});

Deno.test("one authority in two schemes is looked up for each", () => {
  const router = makeRouter(routesOf({ plain: { host: "a.org:80" }, secure: { host: "a.org:443" } }));
  const plain = request("GET a.org/");
  for (const scheme of ["http", "https", "https", "http"] as const) {
    assertEquals(told(router.match({ ...plain, scheme })), scheme === "http" ? "plain" : "secure");
  }
});

Deno.test("a method that only the more specific host's route refuses is still told from an unknown path", () => {
  const router = makeRouter(
    routesOf({ exact: { host: "a.org", path: "/x", method: ["PUT"] }, any: { path: "/y" } }),
  );
  assertEquals(router.match(request("GET a.org/x")), { kind: "methodNotAllowed", allow: ["PUT"] });
});

Deno.test("of a header that many routes of a path look at the lines are read once", () => {
  const wanted = Array.from(
    { length: 100 },
    (_, i) => [`r${i}`, { path: "/*", headers: { tenant: `t${i}` } }],
  );
  const router = makeRouter(routesOf(Object.fromEntries(wanted)));
  let reads = 0;
  const lines = ["Tenant", "t98", "Tenant", "t99"];
  const headers = new Proxy(lines, {
    get(target, key) {
      if (key === "1") reads++;
      return Reflect.get(target, key);
    },
  });
  const asking = { ...request("GET h/a"), headers };
  assertEquals([told(router.match(asking)), reads], ["unknownPath", 1]);
  lines.splice(2);
  assertEquals([told(router.match(asking)), reads], ["r98", 2]);
  assertEquals(told(router.match(request("GET h/a"))), "unknownPath");
});
