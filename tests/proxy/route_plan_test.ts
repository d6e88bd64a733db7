import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Board, DEFAULT_CAPACITY } from "../../src/board/layout.ts";
import { OwnColumn } from "../../src/board/own.ts";
import type { Group } from "../../src/proxy/group.ts";
import { RoutePlan } from "../../src/proxy/route_plan.ts";

const own = new OwnColumn(Board.create({ ...DEFAULT_CAPACITY, columnsMax: 2 }), 1);
const [stable, canary] = [{} as Group, {} as Group];
const groups = new Map([["stable", stable], ["canary", canary]]);

/** The plan of a worker that drew `chance`. */
function planOf(chance: number): RoutePlan {
  const split = [{ upstream: "stable", weight: 99 }, { upstream: "canary", weight: 1 }];
  const route = { name: "split", row: 0, match: {}, split, splitSticky: false };
  return new RoutePlan(route, groups, own, () => chance);
}

Deno.test("a canary of 1 % gets 1 % of the first requests of many workers", () => {
  let first = 0;
  for (let worker = 0; worker < 10_000; worker++) {
    if (planOf(worker / 10_000).groupFor("192.0.2.1") === canary) first++;
  }
  assertAlmostEquals(first, 100, 10);
});

Deno.test("a canary of 1 % gets exactly one of a hundred requests of a worker, wherever it begins", () => {
  for (const chance of [0, 0.3, 1 - Number.EPSILON / 2]) {
    const plan = planOf(chance);
    const picked = Array.from({ length: 100 }, () => plan.groupFor("192.0.2.1"));
    assertEquals(picked.filter((group) => group === canary).length, 1);
  }
});
