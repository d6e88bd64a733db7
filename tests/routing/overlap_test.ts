import { assert, assertEquals } from "@std/assert";
import type { RouteConfig } from "../../src/config/route_schema.ts";
import { findTies, findUnreachable } from "../../src/routing/overlap.ts";
import { routesOf } from "./routes.ts";

type Match = RouteConfig["match"];

const PAIRS: readonly [tie: boolean, a: Match, b: Match][] = [
  [true, {}, {}],
  [true, { path: "/u/{id}" }, { path: "/u/{name}" }],
  [true, { path: "/a/*" }, { path: "/a/*" }],
  [true, { host: "Example.org." }, { host: "example.org" }],
  [true, { host: ["a.org", "b.org"] }, { host: ["b.org", "c.org"] }],
  [true, { method: ["GET", "PUT"] }, { method: ["PUT"] }],
  [true, { headers: { a: "1" } }, { headers: { b: "1" } }],
  [true, { headers: { a: "1" } }, { query: { a: "1" } }],
  [true, { headers: { a: { prefix: "x" } } }, { headers: { A: "xy" } }],
  [true, { query: { a: { prefix: "x" } } }, { query: { a: { prefix: "xy" } } }],
  [false, { headers: { a: "1" } }, { headers: { a: "2" } }],
  [false, { headers: { a: "1", b: "1" } }, { headers: { a: "2", b: "1" } }],
  [false, { headers: { a: { present: false } } }, { headers: { a: "" } }],
  [false, { headers: { a: { present: true } } }, { headers: { a: { present: false } } }],
  [false, { query: { a: { prefix: "x" } } }, { query: { a: { prefix: "y" } } }],
  [false, { method: ["GET"] }, { method: ["PUT"] }],
  [false, { method: ["GET"] }, {}],
  [false, { host: "a.org" }, { host: "b.org" }],
  [false, { host: "*.a.org" }, { host: "*.b.org" }],
  [false, { host: "a.org:80" }, { host: "a.org:81" }],
  [false, { path: "/a" }, { path: "/b" }],
  [false, { path: "/a" }, { path: "/a/" }],
  [false, { path: "/a/{x}" }, { path: "/{x}/a" }],
  [false, { path: "/a/*" }, { path: "/b/*" }],
];

for (const [tie, a, b] of PAIRS) {
  Deno.test(`${JSON.stringify(a)} and ${JSON.stringify(b)} ${tie ? "tie" : "do not tie"}`, () => {
    const found = findTies(routesOf({ a, b })).map(({ first, second }) => [first.name, second.name]);
    assertEquals(found, tie ? [["a", "b"]] : []);
  });
}

const COVERED: readonly [takenBy: string[], match: Match, others: Record<string, Match>][] = [
  [["a"], { path: "/x" }, { a: { path: "/x" } }],
  [["a"], { path: "/x", method: ["GET"] }, { a: { path: "/x", method: ["GET", "PUT"] } }],
  [["a"], { headers: { h: "1" } }, { a: { headers: { h: { present: true } } } }],
  [["a"], { headers: { h: { prefix: "xy" } } }, { a: { headers: { h: { prefix: "x" } } } }],
  [["a"], { headers: { h: { prefix: "x" } } }, { a: { headers: { h: { present: true } } } }],
  [["a"], { headers: { h: { present: true } } }, { a: { headers: { h: { present: true } } } }],
  [[], { headers: { h: { present: true } } }, { a: { headers: { h: { present: false } } } }],
  [[], { headers: { h: { prefix: "x" } } }, { a: { headers: { h: { prefix: "xy" } } } }],
  [[], { headers: { h: { prefix: "x" } } }, { a: { headers: { h: "x" } } }],
  [[], { headers: { h: "1" } }, { a: { headers: { i: { present: true } } } }],
  [[], { headers: { h: "1" } }, { a: { query: { h: { present: true } } } }],
  [["a", "b"], { path: "/x" }, {
    a: { path: "/x", headers: { h: { present: true } } },
    b: { path: "/x", headers: { h: { present: false } } },
  }],
  [["a", "b"], { method: ["GET", "PUT"] }, { a: { method: ["GET"] }, b: { method: ["PUT"] } }],
  [["a", "b"], { host: ["a.org", "b.org"] }, { a: { host: "a.org" }, b: { host: "b.org" } }],
  [[], { path: "/x" }, { a: { path: "/*" } }],
  [[], { path: "/x/*" }, { a: { path: "/x/{id}" }, b: { path: "/x" } }],
  [[], { path: "/*" }, { a: { path: "//*" } }],
  [[], {}, { a: { path: "/*" } }],
  [[], { method: ["GET", "PUT"] }, { a: { method: ["GET"] } }],
  [[], { path: "/x" }, { a: { path: "/x", headers: { h: { present: true } } } }],
  [[], { host: ["a.org", "b.org"] }, { a: { host: "a.org" } }],
];

for (const [takenBy, match, others] of COVERED) {
  const named = JSON.stringify(match);
  const end = takenBy.length === 0 ? "is reachable beside" : "is unreachable behind";
  Deno.test(`${named} ${end} ${JSON.stringify(others)}`, () => {
    const found = findUnreachable(routesOf({ ...others, last: match })).find(({ route }) =>
      route.name === "last"
    );
    assertEquals(found?.by.map(({ name }) => name) ?? [], takenBy);
  });
}

/** Looks at the conditions of so many routes for one place, each for another value of a header. */
function looksAt(count: number): number {
  let looks = 0;
  const counted = <T extends object>(wanted: T) =>
    new Proxy(wanted, {
      has: (target, key) => {
        looks++;
        return key in target;
      },
    });
  const routes = Array.from({ length: count }, (_, row) => {
    const [route] = routesOf({ [`r${row}`]: { path: "/x" } });
    return { ...route!, row, match: { path: "/x", headers: { h: counted({ prefix: `v${row}v` }) } } };
  });
  assertEquals(findUnreachable(routes), []);
  return looks;
}

Deno.test("findUnreachable() compares each two of many routes for one place once", () => {
  const [few, twice] = [looksAt(40), looksAt(80)];
  // Each with each is four times as much; each with each for each would be eight times.
  assert(twice <= 4.2 * few, `${few} looks at 40 routes, ${twice} at 80`);
});
