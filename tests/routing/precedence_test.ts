import { assert, assertEquals } from "@std/assert";
import { stringify } from "yaml";
import { explainMatch } from "../../src/routing/explain.ts";
import { CRITERIA, criterionBetween, entriesOf } from "../../src/routing/precedence.ts";
import { makeRouter } from "../../src/routing/router.ts";
import { PRECEDENCE, type PrecedenceRow } from "./precedence_table.ts";
import { request, routesOf } from "./routes.ts";

for (const row of PRECEDENCE) {
  Deno.test(`the router prefers ${row.rule}`, () => {
    const head = request(row.request, row.headers);
    for (const name of ["first", "second"] as const) {
      const alone = makeRouter(routesOf({ [name]: row[name], elsewhere: { host: "else.where" } })).match(
        head,
      );
      assertEquals(alone.kind, "route", `${name} alone must match, or the row shows nothing`);
    }
    const routes = routesOf({ second: row.second, first: row.first });
    const match = makeRouter(routes).match(head);
    assert(match.kind === "route");
    assertEquals(match.route.name, "first");
    assertEquals(explainMatch(routes, head).routes.map(({ route, why }) => [route, why.split(":")[0]]), [
      ["first", "it matches, and no more specific route does"],
      ["second", "it matches too, but first goes first"],
    ]);
  });
}

Deno.test("the table of precedence shows every criterion", () => {
  const shown = PRECEDENCE.map(({ first, second }) => {
    const [a, b] = entriesOf(routesOf({ first, second }));
    return criterionBetween(a!, b!)?.words;
  });
  assertEquals(new Set(shown), new Set(CRITERIA.map(({ words }) => words)));
});

Deno.test("docs/routing.md shows the table of precedence as the router holds it", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/routing.md", import.meta.url));
  const missing = PRECEDENCE.map(asDocumented).filter((line) => !page.includes(line));
  assertEquals(missing, []);
});

function asDocumented({ rule, first, second, request, headers }: PrecedenceRow): string {
  const withHeaders = headers === undefined ? "" : ` with \`${headers.join(": ").toLowerCase()}\``;
  return `| ${rule} | \`${written(first)}\` | \`${written(second)}\` | \`${request}\`${withHeaders} |`;
}

function written(match: PrecedenceRow["first"]): string {
  const flow = stringify(match, { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 });
  return flow.trim().slice(1, -1);
}
