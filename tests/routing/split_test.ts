import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { makeSplit, type SplitSide } from "../../src/routing/split.ts";

const canary = [{ upstream: "stable", weight: 90 }, { upstream: "canary", weight: 10 }];

function count(picks: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const pick of picks) counts[pick] = (counts[pick] ?? 0) + 1;
  return counts;
}

function* turns(sides: readonly SplitSide[], from: number, length: number): Generator<string> {
  const split = makeSplit(sides);
  for (let turn = from; turn < from + length; turn++) yield split.byTurn(turn);
}

Deno.test("a split of 90:10 gives 10,000 turns exactly 9,000 and 1,000, wherever they begin", () => {
  for (const from of [0, 7, 4_294_957_296, 2 ** 52]) {
    assertEquals(count(turns(canary, from, 10_000)), { stable: 9_000, canary: 1_000 });
  }
});

Deno.test("every round gives each side its weight", () => {
  const weights = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 2, maxLength: 5 })
    .filter((list) => list.some((weight) => weight > 0));
  fc.assert(fc.property(weights, fc.nat(), (list, from) => {
    const sides = list.map((weight, i) => ({ upstream: `u${i}`, weight }));
    const total = list.reduce((sum, weight) => sum + weight, 0);
    const counts = count(turns(sides, from, total));
    assertEquals(sides.map(({ upstream }) => counts[upstream] ?? 0), list);
  }));
});

Deno.test("the turns of a side lie spread: no hundred turns of 99.37:0.63 see more than two", () => {
  const sides = [{ upstream: "stable", weight: 9_937 }, { upstream: "canary", weight: 63 }];
  const picks = [...turns(sides, 0, 10_000)];
  for (let from = 0; from + 100 <= picks.length; from++) {
    const seen = picks.slice(from, from + 100).filter((pick) => pick === "canary").length;
    assert(seen <= 2, `${seen} from ${from}`);
  }
});

Deno.test("by hash a client stays, and only those at the border move when weights move", () => {
  const before = makeSplit(canary);
  const after = makeSplit([{ upstream: "stable", weight: 80 }, { upstream: "canary", weight: 20 }]);
  const hashes = Array.from({ length: 10_000 }, (_, i) => Math.floor((i + 0.5) / 10_000 * 2 ** 32));
  assertEquals(count(hashes.map((hash) => before.byHash(hash))).canary, 1_000);
  const moved = hashes.filter((hash) => before.byHash(hash) !== after.byHash(hash));
  assertEquals(moved.length, 1_000);
  assertEquals(new Set(moved.map((hash) => after.byHash(hash))), new Set(["canary"]));
  assertEquals(before.byHash(0xffff_ffff), "canary");
});

Deno.test("a side of weight 0 gets nothing, and with nothing but zeroes the first gets all", () => {
  const sides = [{ upstream: "a", weight: 0 }, { upstream: "b", weight: 5 }];
  assertEquals(count(turns(sides, 0, 10)), { b: 10 });
  const zeroes = makeSplit(sides.map(({ upstream }) => ({ upstream, weight: 0 })));
  assertEquals([zeroes.byTurn(3), zeroes.byHash(3)], ["a", "a"]);
});
