import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { peakEwma } from "../../src/balance/peak_ewma.ts";
import { failureSampleMs, nextCostMs } from "../../src/board/moving_latency.ts";
import { candidates, type Given, request, scripted, seeded, shares } from "./support.ts";

const CONFIG = { choices: "all", decayMs: 10_000 } as const;

/** What is known of each endpoint at 10 s -> index of the endpoint. */
const PICKS: readonly [name: string, given: Given[], expected: number][] = [
  ["the faster of two idle ones", [{ costMs: 20, atMs: 10_000 }, { costMs: 10, atMs: 10_000 }], 1],
  ["the slower one once the faster one is busy", [
    { costMs: 20, atMs: 10_000 },
    { costMs: 10, atMs: 10_000, inFlight: 2 },
  ], 0],
  ["one without samples before the best one", [{ costMs: 10, atMs: 10_000 }, {}], 1],
  ["the best one before one without samples that has two requests", [
    { costMs: 10, atMs: 10_000 },
    { inFlight: 2 },
  ], 0],
  ["the fresh one before a slow one of long ago that is not forgotten yet", [
    { costMs: 10, atMs: 10_000 },
    { costMs: 1_000, atMs: 0 },
  ], 0],
  ["the light one when the heavy one has more than its share", [
    { costMs: 10, atMs: 10_000, weight: 1, inFlight: 1 },
    { costMs: 10, atMs: 10_000, weight: 4, inFlight: 5 },
  ], 0],
  ["a heavy idle one of 29 ms before a light busy one of 10 ms", [
    { costMs: 10, atMs: 10_000, weight: 100, inFlight: 1 },
    { costMs: 29, atMs: 10_000, weight: 300 },
  ], 1],
  ["a light busy one of 10 ms before a heavy idle one of 31 ms", [
    { costMs: 10, atMs: 10_000, weight: 100, inFlight: 1 },
    { costMs: 31, atMs: 10_000, weight: 300 },
  ], 0],
];

for (const [name, given, expected] of PICKS) {
  Deno.test(`peakEwma() picks ${name}`, () => {
    const list = candidates(...given);
    const policy = peakEwma(CONFIG, { random: scripted(), now: () => 10_000 });
    assertEquals(list.indexOf(policy.pick(list, request())), expected);
  });
}

for (const slowMs of [11, 100, 5_000, 60_000]) {
  Deno.test(`peakEwma() probes an endpoint again that took ${slowMs} ms, however quiet the group is`, () => {
    const list = candidates({ costMs: 10 }, { costMs: 10 }, { costMs: slowMs });
    let nowMs = 0;
    const policy = peakEwma(CONFIG, { random: seeded(3), now: () => nowMs });
    while (nowMs < 300_000) {
      const picked = policy.pick(list, request());
      if (picked === list[2]) return assertGreater(nowMs, 0);
      picked.atMs = nowMs += 50;
    }
    throw new Error("it starved");
  });
}

Deno.test("peakEwma() does not flood an endpoint that it knows nothing of", () => {
  const known = Array.from({ length: 9 }, () => ({ costMs: 10, atMs: 1_000 }));
  for (const choices of [2, "all"] as const) {
    const list = candidates(...known, {});
    const policy = peakEwma({ choices, decayMs: 10_000 }, { random: seeded(5), now: () => 1_000 });
    for (let i = 0; i < 300; i++) policy.pick(list, request()).load++;
    const others = list.slice(0, 9).reduce((sum, { load }) => sum + load, 0) / 9;
    assertLess(list[9]!.load, others * 2.5);
    assertGreater(list[9]!.load, others);
  }
});

Deno.test("peakEwma() gives an idle group of equal latency its weights", () => {
  const list = candidates(...[1, 2, 4].map((weight) => ({ weight, costMs: 10, atMs: 1_000 })));
  const policy = peakEwma({ choices: 2, decayMs: 10_000 }, { random: seeded(1), now: () => 1_000 });
  const counts = shares(list, 7_000, () => policy.pick(list, request()));
  counts.forEach((count, i) => assert(Math.abs(count / (1_000 * list[i]!.weight) - 1) < 0.1, `${counts}`));
});

Deno.test("peakEwma() goes by who is best now, a moment later at most", () => {
  let nowMs = 10_000;
  const list = candidates({ costMs: 100, atMs: nowMs }, {});
  const policy = peakEwma(CONFIG, { random: scripted(), now: () => nowMs });
  // Half of the best is what is expected of one that nobody has measured.
  const expected = () => policy.score!(list[1]!, list);
  assertEquals(expected(), 50);
  list[0]!.costMs = 10;
  nowMs += 99;
  assertEquals(expected(), 50);
  nowMs += 1;
  assertEquals(expected(), 5);
  const fewer = candidates({ costMs: 0.5, atMs: nowMs }, {});
  assertEquals(policy.score!(fewer[1]!, fewer), 0.25);
});

Deno.test("peakEwma() expects half of the best of whom nobody has measured, or not for long", () => {
  const list = candidates({ costMs: 10, atMs: 20_000 }, { costMs: 100, atMs: 20_000 }, {}, {
    costMs: 100,
    atMs: 10_000,
  }, { costMs: 100, atMs: 0 });
  const policy = peakEwma(CONFIG, { random: scripted(), now: () => 20_000 });
  const expected = list.map((candidate) => policy.expectedMs!(candidate, list));
  assertEquals(expected, [10, 100, 5, 5 + 95 * Math.exp(-1), 5 + 95 * Math.exp(-2)]);
});

for (const scale of [1, 100]) {
  Deno.test(`peakEwma() goes by weights as shares of their mean: ${scale} and ${3 * scale}`, () => {
    const known = { costMs: 10, atMs: 10_000, inFlight: 3 };
    const list = candidates({ ...known, weight: scale }, { ...known, weight: 3 * scale });
    const policy = peakEwma(CONFIG, { random: scripted(), now: () => 10_000 });
    assertEquals(list.map((each) => policy.score!(each, list)), [70, 30]);
  });
}

Deno.test("peakEwma() ties a group that nobody measured and spreads it by chance", () => {
  const list = candidates({}, {}, {}, {});
  const policy = peakEwma(CONFIG, { random: seeded(9), now: () => 0 });
  for (const count of shares(list, 4_000, () => policy.pick(list, request()))) {
    assert(Math.abs(count - 1_000) < 150, `${count}`);
  }
});

Deno.test("nextCostMs() follows a slower sample at once and a faster one by the time that passed", () => {
  assertEquals(nextCostMs({ costMs: 0, atMs: 0 }, 7, 5, 10_000), 7);
  assertEquals(nextCostMs({ costMs: 10, atMs: 0 }, 50, 1, 10_000), 50);
  assertEquals(nextCostMs({ costMs: 50, atMs: 100 }, 10, 100, 10_000), 50);
  const afterDecay = nextCostMs({ costMs: 50, atMs: 0 }, 10, 10_000, 10_000);
  assert(Math.abs(afterDecay - (10 + 40 / Math.E)) < 1e-9);
});

Deno.test("nextCostMs() takes a clock that stepped back for one that stood", () => {
  assertEquals(nextCostMs({ costMs: 50, atMs: 1_000 }, 10, 0, 10_000), 50);
});

Deno.test("failureSampleMs() makes every failure cost more than the one before, up to a limit", () => {
  let costMs = 1;
  for (let failures = 0; failures < 20; failures++) {
    const sampleMs = failureSampleMs({ costMs, atMs: failures }, 1);
    costMs = nextCostMs({ costMs, atMs: failures }, sampleMs, failures + 1, 10_000);
  }
  assertEquals(costMs, 10_000);
  assertEquals(failureSampleMs({ costMs: 5, atMs: 0 }, 30_000), 30_000);
});

Deno.test("peakEwma() leaves an endpoint whose first request fails at once to the others, for a while", () => {
  const list = candidates({ costMs: 20 }, {});
  const [good, dead] = [list[0]!, list[1]!];
  let nowMs = 0;
  const policy = peakEwma(CONFIG, { random: seeded(4), now: () => nowMs });
  const askedAt: number[] = [];
  for (; nowMs < 120_000; nowMs += 100) {
    const picked = policy.pick(list, request());
    if (picked === dead) {
      askedAt.push(nowMs);
      dead.costMs = nextCostMs(dead, failureSampleMs(dead, 0.3), nowMs, CONFIG.decayMs);
    }
    picked.atMs = nowMs;
  }
  assertEquals(good.costMs, 20);
  assertEquals(askedAt.map((ms) => Math.floor(ms / 10_000)), [0, 4, 9]);
});
