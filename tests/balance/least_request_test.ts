import { assert, assertEquals } from "@std/assert";
import { Draw } from "../../src/balance/draw.ts";
import { leastRequest } from "../../src/balance/least_request.ts";
import { makeBalancer } from "../../src/balance/policies.ts";
import { balanceSchema } from "../../src/config/schema.ts";
import { candidates, equals, inputs, request, scripted, seeded, shares } from "./support.ts";

/** In-flight counts, `choices`, scripted draws -> index of the endpoint. */
const PICKS: readonly [inFlight: number[], choices: number | "all", draws: number[], expected: number][] = [
  [[7], 2, [], 0],
  [[1, 0], 2, [], 1],
  [[0, 0], 2, [0.49], 1],
  [[0, 0], 2, [0.5], 0],
  [[5, 4, 3, 2], 2, [0, 0], 1],
  [[5, 4, 3, 2], 2, [0, 0.99], 3],
  [[5, 4, 3, 2], 2, [0.5, 0], 2],
  [[5, 4, 3, 2], 2, [0.5, 0.7], 3],
  [[4, 4, 4, 4], 2, [0.75, 0], 3],
  [[5, 4, 3, 2, 1], 3, [0, 0, 0], 2],
  [[5, 4, 3, 2, 1], 3, [0.99, 0.99, 0.99], 4],
  [[5, 3, 4, 2], 3, [0, 0, 0], 1],
  [[3, 5, 2, 4], 3, [0, 0, 0], 2],
  [[5, 4, 3, 2], "all", [], 3],
  [[4, 5, 3, 6], "all", [], 2],
  [[2, 1, 1, 1], "all", [0.9, 0.9], 1],
  [[2, 1, 1, 1], "all", [0.4, 0.9], 2],
  [[2, 1, 1, 1], "all", [0.9, 0.3], 3],
];

for (const [inFlight, choices, draws, expected] of PICKS) {
  Deno.test(`leastRequest() with [${inFlight}] in flight, choices ${choices}, draws [${draws}] picks #${expected}`, () => {
    const list = candidates(...inFlight.map((count) => ({ inFlight: count })));
    const policy = leastRequest({ choices }, { random: scripted(...draws) });
    assertEquals(list.indexOf(policy.pick(list, request())), expected);
  });
}

Deno.test("leastRequest() compares load per weight", () => {
  const list = candidates({ weight: 1, inFlight: 2 }, { weight: 4, inFlight: 7 });
  assertEquals(leastRequest({ choices: 2 }, { random: scripted() }).pick(list, request()), list[1]);
});

for (const choices of [2, "all"] as const) {
  Deno.test(`leastRequest() gives an idle group its weights with choices ${choices}`, () => {
    const list = candidates({ weight: 1 }, { weight: 2 }, { weight: 4 });
    const policy = leastRequest({ choices }, { random: seeded(1) });
    const counts = shares(list, 70_000, () => policy.pick(list, request()));
    counts.forEach((count, i) => {
      const expected = 10_000 * list[i]!.weight;
      assert(Math.abs(count - expected) < expected * 0.05, `${counts}`);
    });
  });
}

Deno.test("Draw.next() never gives the same candidate twice before begin()", () => {
  const random = seeded(7);
  for (
    const list of [equals(9), candidates(...[1, 0.1, 7, 7, 0.001, 30, 2, 2, 1].map((weight) => ({ weight })))]
  ) {
    const draw = new Draw(list, 9);
    for (let round = 0; round < 500; round++) {
      draw.begin();
      const drawn = new Set(list.map(() => draw.next(random)));
      assertEquals(drawn.size, 9);
    }
  }
});

for (
  const [weights, first, shares] of [
    [[1, 1, 1, 1, 1], 0.5, [25, 25, 0, 25, 25]],
    [[1, 1, 1, 1, 1], 0, [0, 25, 25, 25, 25]],
    [[10, 20, 30, 40, 50], 0.5, [10, 20, 30, 0, 50].map((weight) => weight * 100 / 110)],
    [[1, 2, 1, 4], 0.99, [25, 50, 25, 0]],
    [[1, 2, 1, 4], 0, [0, 200 / 7, 100 / 7, 400 / 7]],
  ] as const
) {
  Deno.test(`Draw.next() draws by the weights [${weights}] that are left once ${first} was drawn`, () => {
    const draw = new Draw(candidates(...weights.map((weight) => ({ weight }))), 2);
    const counts = weights.map(() => 0);
    for (let percent = 0.5; percent < 100; percent++) {
      draw.begin();
      draw.next(() => first);
      counts[draw.next(() => percent / 100)]!++;
    }
    counts.forEach((count, i) => assert(Math.abs(count - shares[i]!) <= 1, `${counts}`));
  });
}

Deno.test("Draw.next() copes with the ends of chance", () => {
  for (const end of [0, 1 - Number.EPSILON / 2]) {
    for (const weights of [[1, 1, 1], [0.3, 0.1, 0.6]]) {
      const draw = new Draw(candidates(...weights.map((weight) => ({ weight }))), 3);
      draw.begin();
      const drawn = weights.map(() => draw.next(() => end)).sort();
      assertEquals(drawn, [0, 1, 2]);
    }
  }
});

Deno.test("pickOther() takes the least loaded of any list, whatever the policy", () => {
  for (const policy of ["round_robin", "least_request", "peak_ewma", "consistent_hash"]) {
    const balancer = makeBalancer(balanceSchema.parse({ policy }), inputs());
    const list = candidates({ inFlight: 3 }, { inFlight: 1 }, { inFlight: 2 });
    assertEquals(balancer.pickOther(list), list[1]);
  }
});
