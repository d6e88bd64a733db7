import { assertEquals } from "@std/assert";
import type { PickContext } from "../../src/balance/balancer.ts";
import type { Group } from "../../src/proxy/proxy.ts";
import { Selection } from "../../src/proxy/selection.ts";
import type { Endpoint } from "../../src/upstream/endpoint.ts";
import type { Lease } from "../../src/upstream/lease.ts";

/** Endpoints with room, of which the first of any list is picked. */
function groupOf(ids: string): Group {
  const endpoints = [...ids].map((id) => {
    const endpoint = { id, lease: (): Lease => ({ endpoint }) as Lease } as Endpoint;
    return endpoint;
  });
  const first = (list: readonly Endpoint[]) => list[0]!;
  return {
    upstream: { candidates: () => ({ endpoints, spares: [], panic: false }) },
    balancer: { pick: first, pickOther: first },
    queue: { size: 0 },
    sticky: null,
  } as unknown as Group;
}

/** What each attempt comes to, in order -> the endpoints tried. */
const stories: Record<string, readonly [ended: readonly ("stale" | "failed")[], tried: string]> = {
  "all that failed are alike": [["failed", "failed", "failed"], "aba"],
  "a dead kept connection proves nothing": [["failed", "stale", "failed"], "abb"],
  "the first of them": [["stale", "failed", "failed"], "aba"],
  "a new connection proves something": [["failed", "stale", "failed", "failed"], "abba"],
};

for (const [what, [ended, expected]] of Object.entries(stories)) {
  Deno.test(`with every endpoint tried, the next is one of which least is known: ${what}`, () => {
    const selection = new Selection(groupOf("ab"), {} as PickContext);
    for (const how of ended) {
      selection.next();
      if (how === "stale") selection.wasStale();
    }
    assertEquals(selection.tried.map(({ id }) => id).join(""), expected);
  });
}
