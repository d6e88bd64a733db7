import { assertEquals } from "@std/assert";
import { explainMatch } from "../../src/routing/explain.ts";
import { request, routesOf } from "./routes.ts";

Deno.test("explainMatch() says of every route why it does or does not get the request", () => {
  const routes = routesOf({
    everything: {},
    api: { path: "/api/*" },
    users: { path: "/api/users", method: ["GET"] },
    canary: { path: "/api/users", method: ["GET"], headers: { "x-canary": "1" } },
    write: { path: "/api/users", method: ["PUT", "POST"] },
    elsewhere: { host: ["a.org", "*.b.org:81"] },
    search: { path: "/search" },
  });
  const { verdict, routes: reasons } = explainMatch(routes, request("GET example.org/api/users?q"));
  assertEquals(verdict, "Route users takes it.");
  assertEquals(Object.fromEntries(reasons.map(({ route, why }) => [route, why])), {
    elsewhere:
      "its host is a.org, the request's is example.org; its host is *.b.org:81, the request's is example.org",
    canary: 'header x-canary must be "1", it is not there',
    users: "it matches, and no more specific route does",
    write: "its method is PUT or POST, the request's is GET",
    search: "its path is /search, the request's is /api/users",
    api:
      "it matches too, but users goes first: an exact path before a template, a template before a prefix, " +
      "a prefix before none",
    everything:
      "it matches too, but users goes first: an exact path before a template, a template before a " +
      "prefix, a prefix before none",
  });
  assertEquals(reasons.filter(({ chosen }) => chosen).map(({ route }) => route), ["users"]);
});

Deno.test("explainMatch() says what must be there, and what must not", () => {
  const routes = routesOf({
    there: { headers: { "x-a": { present: true } } },
    absent: { query: { b: { present: false } } },
  });
  const { routes: reasons } = explainMatch(routes, request("GET h/?b=1"));
  assertEquals(reasons.map(({ why }) => why), [
    "header x-a must be there, it is not there",
    'query b must not be there, it is "1"',
  ]);
});

Deno.test("explainMatch() prints no credential that a route asks for", () => {
  const routes = routesOf({
    header: { path: "/x", headers: { Authorization: "Bearer S3CRET" } },
    query: { path: "/x", query: { api_key: { prefix: "S3C" } } },
    plain: { path: "/x", query: { page: { prefix: "1" } } },
  });
  const { routes: reasons } = explainMatch(routes, request("GET h/x?api_key=mine"));
  assertEquals(Object.fromEntries(reasons.map(({ route, why }) => [route, why])), {
    header: "header authorization must be (hidden), it is not there",
    query: 'query api_key must begin with (hidden), it is "mine"',
    plain: 'query page must begin with "1", it is not there',
  });
});

const VERDICTS: readonly [line: string, verdict: string][] = [
  ["GET b.org/x", "421: no route is for the host b.org."],
  ["GET a.org/y", "404: routes are for this host, none for this request."],
  ["DELETE a.org/x", "405: routes match in all but the method; they allow GET, PUT."],
  ["GET a.org/x/../x", "400: an origin may read the path as another route's; routes compare it as sent."],
];

for (const [line, verdict] of VERDICTS) {
  Deno.test(`explainMatch() answers ${line} with ${verdict.slice(0, 3)}`, () => {
    const routes = routesOf({
      x: { host: "a.org", path: "/x", method: ["GET", "PUT"] },
      below: { host: "a.org", path: "/x/{a}/*" },
    });
    assertEquals(explainMatch(routes, request(line)).verdict, verdict);
  });
}

Deno.test("explainMatch() says whose route it is that an origin may take for another", () => {
  const routes = routesOf({ admin: { path: "/admin/*" }, rest: { path: "/*" } });
  const { routes: reasons } = explainMatch(routes, request("GET h/admin/../x"));
  assertEquals(reasons[0], {
    route: "admin",
    chosen: false,
    why: "it matches the path as sent, but not every reading of it",
  });
});

Deno.test("explainMatch() knows configurations without routes", () => {
  assertEquals(explainMatch([], request("GET h/")).verdict, "404: there is no route.");
});

Deno.test("explainMatch() says which of two equals stands first in the file", () => {
  const { routes } = explainMatch(routesOf({ a: { path: "/x" }, b: { path: "/x" } }), request("GET h/x"));
  assertEquals(
    routes[1]?.why,
    "it matches too, but a goes first: of equals, the one that stands first in the file",
  );
});
