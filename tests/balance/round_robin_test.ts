import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { roundRobin, SEQUENCE_LENGTH_MAX, turnSequence } from "../../src/balance/round_robin.ts";
import { candidates, equals, inputs, request, shares } from "./support.ts";

Deno.test("roundRobin() with equal weights is the list, over and over", () => {
  const list = equals(3);
  const policy = roundRobin(inputs());
  const picked = Array.from({ length: 7 }, () => list.indexOf(policy.pick(list, request())));
  assertEquals(picked, [0, 1, 2, 0, 1, 2, 0]);
});

for (
  const [weights, expected] of [
    [[5, 1, 1], [0, 1, 0, 0, 0, 2, 0]],
    [[50, 10, 10], [0, 1, 0, 0, 0, 2, 0]],
    [[0.5, 0.1, 0.1], [0, 1, 0, 0, 0, 2, 0]],
    [[4, 2, 1], [0, 1, 0, 2, 0, 1, 0]],
    [[1, 2], [1, 0, 1]],
    [[3, 3], null],
    [[0.25, 0.25], null],
  ] as const
) {
  Deno.test(`turnSequence() of weights ${weights.join(":")} is ${expected?.join("") ?? "the list itself"}`, () => {
    assertEquals(turnSequence(weights)?.join(), expected?.join());
  });
}

Deno.test("turnSequence() gives every endpoint exactly its weight in turns", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });
  fc.assert(fc.property(weights, (list) => {
    const sequence = turnSequence(list) ?? list.map((_, index) => index);
    const counts = list.map((_, index) => sequence.filter((turn) => turn === index).length);
    const ratio = list[0]! / counts[0]!;
    assertEquals(counts.map((count) => count * ratio), list);
  }));
});

Deno.test("turnSequence() spreads turns: nobody is ever a whole turn ahead or behind its share", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 2 });
  fc.assert(fc.property(weights, (list) => {
    const sequence = turnSequence(list) ?? list.map((_, index) => index);
    const counts = list.map(() => 0);
    const total = list.reduce((sum, weight) => sum + weight, 0);
    sequence.forEach((turn, done) => {
      counts[turn]!++;
      list.forEach((weight, i) =>
        assertLessOrEqual(Math.abs(counts[i]! - (done + 1) * weight / total), 1, `${list} at turn ${done}`)
      );
    });
  }));
});

Deno.test("turnSequence() spreads a thousand endpoints of which some are at the start of their ramp", () => {
  const weights = Array.from({ length: 1_000 }, (_, i) => i % 20 === 0 ? 0.25 : 1);
  const sequence = [...turnSequence(weights)!];
  const counts = weights.map((_, index) => sequence.filter((turn) => turn === index).length);
  assertEquals(new Set(counts.filter((_, index) => index % 20 === 0)), new Set([1]));
  assertEquals(new Set(counts.filter((_, index) => index % 20 !== 0)), new Set([4]));
  // Of any twenty turns in a row about every eightieth is for one that ramps.
  const ramping = sequence.flatMap((turn, at) => turn % 20 === 0 ? [at] : []);
  const gaps = ramping.slice(1).map((at, i) => at - ramping[i]!);
  assert(
    Math.min(...gaps) >= 60 && Math.max(...gaps) <= 100,
    `gaps from ${Math.min(...gaps)} to ${Math.max(...gaps)}`,
  );
});

for (
  const [endpoints, light, heavy, turns] of [
    [4_096, 1, 2, [1, 2]],
    [3_000, 0.1, 1, [1, 10]],
    // 29 % and 171 % of the mean, to a sixteenth of it.
    [4_000, 97, 571, [5, 27]],
  ] as const
) {
  Deno.test(`turnSequence() of ${endpoints} endpoints keeps the proportion of weights ${light}:${heavy}`, () => {
    const weights = Array.from({ length: endpoints }, (_, i) => i % 2 === 0 ? light : heavy);
    const counts = new Array<number>(endpoints).fill(0);
    for (const index of turnSequence(weights)!) counts[index]!++;
    assertEquals(counts, weights.map((weight) => weight === light ? turns[0] : turns[1]));
  });
}

Deno.test("turnSequence() stays bounded and starves nobody when weights need too many turns", () => {
  const sequence = turnSequence([1_000, 999.999, 0.001])!;
  assertLessOrEqual(sequence.length, SEQUENCE_LENGTH_MAX + 3);
  assert(sequence.includes(2));
});

Deno.test("roundRobin() is exact over several workers that share the turn", () => {
  const list = candidates({ weight: 1 }, { weight: 2 }, { weight: 4 });
  const shared = inputs();
  const workers = [roundRobin(shared), roundRobin(shared)];
  let calls = 0;
  assertEquals(shares(list, 700, () => workers[calls++ % 2]!.pick(list, request())), [100, 200, 400]);
});

Deno.test("roundRobin() works out new turns when the list is a new one", () => {
  const policy = roundRobin(inputs());
  const before = candidates({ weight: 1 }, { weight: 3 });
  const after = candidates({ weight: 3 }, { weight: 1 });
  assertEquals(shares(before, 8, () => policy.pick(before, request())), [2, 6]);
  assertEquals(shares(after, 8, () => policy.pick(after, request())), [6, 2]);
});
