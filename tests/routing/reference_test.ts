// The router against the slowest and plainest one there is: patterns as regular expressions, all routes
// tried, the best of those that match taken by a score.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { RouteConfig } from "../../src/config/route_schema.ts";
import type { RequestHead } from "../../src/exchange.ts";
import type { RouteSnapshot } from "../../src/messages.ts";
import { explainMatch } from "../../src/routing/explain.ts";
import { findTies, findUnreachable } from "../../src/routing/overlap.ts";
import { makeRouter } from "../../src/routing/router.ts";
import { requestHead } from "../support/request_head.ts";
import { routesOf } from "./routes.ts";

type Match = RouteConfig["match"];

/** The name of the best matching route, or null. `routes` each have one host at most. */
function reference(routes: readonly RouteSnapshot[], head: RequestHead): string | null {
  const score = ({ match }: RouteSnapshot) => [...hostScore(match), ...pathScore(match), ...restScore(match)];
  const matching = routes.filter(({ match }) => matches(match, head));
  const ordered = matching.sort((a, b) => compare(score(b), score(a)));
  return ordered[0]?.name ?? null;
}

function matches({ host, path, method, headers, query }: Match, head: RequestHead): boolean {
  const pathOnly = head.target.replace(/\?.*/, "");
  const parameters = new URLSearchParams(head.target.split("?")[1] ?? "");
  return (host === undefined || hostExpression(String(host)).test(head.authority)) &&
    (path === undefined || pathExpression(path).test(pathOnly)) &&
    (method === undefined || method.includes(head.method)) &&
    Object.entries(headers ?? {}).every(([name, wanted]) =>
      holds(wanted, new Headers(pairs(head)).get(name))
    ) &&
    Object.entries(query ?? {}).every(([name, wanted]) => holds(wanted, parameters.get(name)));
}

function holds(wanted: string | { present: boolean } | { prefix: string }, actual: string | null): boolean {
  if (typeof wanted === "string") return wanted === actual;
  if ("present" in wanted) return wanted.present === (actual !== null);
  return actual?.startsWith(wanted.prefix) ?? false;
}

function pairs({ headers }: RequestHead): [string, string][] {
  return headers.flatMap((name, i) => i % 2 === 0 ? [[name, headers[i + 1]!] as [string, string]] : []);
}

function hostExpression(host: string): RegExp {
  return new RegExp("^" + host.replace("*.", "(.+)\\.") + "(:\\d+)?$");
}

function pathExpression(path: string): RegExp {
  return new RegExp("^" + path.replace(/\/\*$/, "(/.*)?").replace(/\{\w+\}/g, "[^/]+") + "$");
}

function hostScore({ host }: Match): number[] {
  if (host === undefined) return [0, 0];
  return String(host).startsWith("*") ? [1, String(host).length] : [2, 0];
}

function pathScore({ path }: Match): (number | string)[] {
  if (path === undefined) return [0, 0, 0, ""];
  const segments = path.replace(/\/\*$/, "").split("/").slice(1);
  const literals = segments.filter((segment) => !segment.startsWith("{"));
  const shape = segments.map((segment) => segment.startsWith("{") ? "-" : "L").join("");
  if (path.endsWith("/*")) return [1, segments.length, literals.length, shape];
  return path.includes("{") ? [2, 0, literals.length, shape] : [3, 0, 0, ""];
}

function restScore({ method, headers, query }: Match): number[] {
  return [method ? 1 : 0, Object.keys(headers ?? {}).length + Object.keys(query ?? {}).length];
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const i = a.findIndex((value, at) => value !== b[at]);
  return i < 0 ? 0 : a[i]! < b[i]! ? -1 : 1;
}

// Few names, so that patterns meet.
const label = fc.constantFrom("a", "b", "c");
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join(".")),
  fc.array(label, { minLength: 1, maxLength: 2 }).map((labels) => "*." + labels.join(".")),
);
const segment = fc.oneof({ weight: 3, arbitrary: label }, { weight: 1, arbitrary: fc.constant("{}") });
const path = fc.tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom("", "", "/", "/*")).map(
  ([segments, end]) => {
    const text = segments.map((part, i) => "/" + (part === "{}" ? `{p${i}}` : part)).join("") + end;
    return text === "" ? "/" : text;
  },
);
const wanted = fc.constantFrom<string | { present: boolean } | { prefix: string }>(
  "1",
  "2",
  { present: true },
  { present: false },
  { prefix: "1" },
);
const conditions = fc.dictionary(fc.constantFrom("x", "y"), wanted, { maxKeys: 2 });
const match = fc.record(
  {
    host,
    path,
    method: fc.subarray(["GET", "PUT"], { minLength: 1 }),
    headers: conditions,
    query: conditions,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Match>;
const routeList = fc.array(match, { minLength: 1, maxLength: 12 }).map((matches) =>
  routesOf(Object.fromEntries(matches.map((one, i) => [`r${i}`, one])))
);

const values = fc.array(fc.tuple(fc.constantFrom("x", "y", "z"), fc.constantFrom("1", "12", "2", "")), {
  maxLength: 3,
});
const head: fc.Arbitrary<RequestHead> = fc.record({
  method: fc.constantFrom("GET", "PUT", "POST"),
  target: fc.tuple(fc.array(label, { maxLength: 4 }), fc.constantFrom("", "/"), values).map(
    ([parts, end, query]) => {
      const text = parts.map((part) => "/" + part).join("") + end;
      return (text || "/") + (query.length === 0 ? "" : "?" + query.map(([k, v]) => `${k}=${v}`).join("&"));
    },
  ),
  authority: fc.tuple(fc.array(label, { minLength: 1, maxLength: 4 }), fc.constantFrom("", ":8080")).map(
    ([labels, port]) => labels.join(".") + port,
  ),
  scheme: fc.constant("http" as const),
  version: fc.constant("1.1" as const),
  headers: values.map((lines) => lines.flat()),
});

Deno.test("the router agrees with the plain reference on any routes and requests", () => {
  fc.assert(
    fc.property(routeList, fc.array(head, { minLength: 1, maxLength: 20 }), (routes, heads) => {
      const router = makeRouter(routes);
      for (const one of heads) {
        const found = router.match(one);
        assertEquals(found.kind === "route" ? found.route.name : null, reference(routes, one));
      }
    }),
    { numRuns: 400 },
  );
});

Deno.test("explain says of every route whether it matches as the plain reference does", () => {
  fc.assert(
    fc.property(routeList, head, (routes, one) => {
      for (const { route, why } of explainMatch(routes, one).routes) {
        const { match } = routes.find(({ name }) => name === route)!;
        assertEquals(why.startsWith("it matches"), matches(match, one), why);
      }
    }),
    { numRuns: 400 },
  );
});

/** Routes that ask for one thing each, and requests that say all that these can tell apart. */
const WANTED = ["1", "12", { present: true }, { present: false }, { prefix: "1" }, { prefix: "12" }, {
  prefix: "2",
}];
const ASKED = WANTED.flatMap((one): Match[] => [
  { headers: { x: one } },
  { headers: { y: one } },
  { query: { x: one } },
]);
const SAID = [undefined, "", "1", "12", "2"];
const HEADS = SAID.flatMap((x) => SAID.flatMap((y) => SAID.map((q) => sayingSo(x, y, q))));

function sayingSo(x?: string, y?: string, q?: string): RequestHead {
  const lines = { x, y };
  return requestHead({
    target: q === undefined ? "/" : `/?x=${q}`,
    headers: Object.entries(lines).flatMap(([name, value]) => value === undefined ? [] : [name, value]),
  });
}

Deno.test("two routes with a condition each tie just where a request can fulfil both", () => {
  for (const a of ASKED) {
    for (const b of ASKED) {
      const both = HEADS.some((one) => matches(a, one) && matches(b, one));
      assertEquals(findTies(routesOf({ a, b })).length, both ? 1 : 0, JSON.stringify([a, b]));
    }
  }
});

Deno.test("a route behind two with a condition each is called unreachable just where one of them always holds", () => {
  for (const a of ASKED) {
    for (const b of ASKED) {
      const unreachable = findUnreachable(routesOf({ a, b, rest: {} })).some(({ route }) =>
        route.name === "rest"
      );
      const always = HEADS.every((one) => matches(a, one) || matches(b, one));
      assertEquals(unreachable, always, JSON.stringify([a, b]));
    }
  }
});

Deno.test("without ties the order in the file changes no match", () => {
  fc.assert(
    fc.property(routeList, head, (routes, one) => {
      fc.pre(findTies(routes).length === 0);
      assertEquals(makeRouter(routes.toReversed()).match(one), makeRouter(routes).match(one));
    }),
    { numRuns: 400 },
  );
});

Deno.test("a route that is called unreachable never gets a request", () => {
  fc.assert(
    fc.property(routeList, fc.array(head, { minLength: 1, maxLength: 20 }), (routes, heads) => {
      const unreachable = new Set(findUnreachable(routes).map(({ route }) => route.name));
      const router = makeRouter(routes);
      for (const one of heads) {
        const found = router.match(one);
        if (found.kind === "route") assertEquals(unreachable.has(found.route.name), false);
      }
    }),
    { numRuns: 400 },
  );
});
