import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { UpstreamField } from "../../src/board/fields.ts";
import { RetryBudget } from "../../src/proxy/retry_budget.ts";
import { reply, reset, startOrigin } from "../support/raw_origin.ts";
import { StillProxy } from "../support/still_proxy.ts";
import { until } from "../support/until.ts";

const CONFIG = { budgetPercent: 20, budgetMinPerSecond: 3, budgetReserve: 10 };

/** The budget of a pod with one worker. */
function alone(config: typeof CONFIG, now: () => number): RetryBudget {
  return new RetryBudget(config, now, { int32: new Int32Array(2), milli: 0, second: 1 });
}

/** How many of `wanted` retries the budget pays. */
function spend(budget: RetryBudget, wanted: number): number {
  let paid = 0;
  for (let i = 0; i < wanted; i++) if (budget.spend()) paid++;
  return paid;
}

Deno.test("RetryBudget starts with its reserve and no more", () => {
  assertEquals(spend(alone(CONFIG, () => 0), 50), 10);
});

Deno.test("RetryBudget pays one retry for five requests at 20 percent", () => {
  const budget = alone({ ...CONFIG, budgetReserve: 0 }, () => 0);
  for (let i = 0; i < 4; i++) budget.earn();
  assertEquals(budget.spend(), false);
  budget.earn();
  assertEquals(spend(budget, 5), 1);
  for (let i = 0; i < 500; i++) budget.earn();
  assertEquals(spend(budget, 500), 100);
});

Deno.test("RetryBudget pays the minimum per second to an upstream with few requests", () => {
  let nowMs = 0;
  const budget = alone({ budgetPercent: 0, budgetMinPerSecond: 3, budgetReserve: 0 }, () => nowMs);
  assertEquals(spend(budget, 5), 0);
  for (let second = 1; second <= 4; second++) {
    nowMs = second * 1_000;
    assertEquals(spend(budget, 5), 3);
  }
});

Deno.test("RetryBudget refills to the reserve in quiet time and not beyond", () => {
  let nowMs = 0;
  const budget = alone(CONFIG, () => nowMs);
  spend(budget, 10);
  nowMs = 3_600_000;
  assertEquals(spend(budget, 50), 10);
});

Deno.test("RetryBudget saves what steady traffic earned in about ten seconds for a burst", () => {
  let nowMs = 0;
  const budget = alone(CONFIG, () => nowMs);
  for (; nowMs < 60_000; nowMs += 10) budget.earn();
  const paid = spend(budget, 10_000);
  assertGreaterOrEqual(paid, 150);
  assertLessOrEqual(paid, 230);
});

Deno.test("RetryBudget forgets savings when the traffic is over", () => {
  let nowMs = 0;
  const budget = alone(CONFIG, () => nowMs);
  for (; nowMs < 10_000; nowMs += 10) budget.earn();
  nowMs += 60_000;
  assertEquals(spend(budget, 50), 10);
});

Deno.test("RetryBudget never pays more than the share, the minimum and the reserve together", () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(3_000), requests: fc.nat(40), retries: fc.nat(40) }), {
    maxLength: 60,
  });
  fc.assert(fc.property(steps, (list) => {
    let [nowMs, requests, paid] = [0, 0, 0];
    const budget = alone(CONFIG, () => nowMs);
    for (const step of list) {
      nowMs += step.waitMs;
      for (let i = 0; i < step.requests; i++) budget.earn();
      requests += step.requests;
      paid += spend(budget, step.retries);
      assertLessOrEqual(paid, 10 + requests * 0.2 + 3 * Math.ceil(nowMs / 1_000));
    }
  }));
});

Deno.test("RetryBudget is one budget for all workers that share its cells", () => {
  let nowMs = 0;
  const cells = { int32: new Int32Array(new SharedArrayBuffer(16)), milli: 2, second: 3 };
  const workers = [1, 2, 3].map(() => new RetryBudget(CONFIG, () => nowMs, cells));
  assertEquals(workers.map((worker) => spend(worker, 4)), [4, 4, 2]);
  nowMs = 1_000;
  assertEquals(workers.map((worker) => spend(worker, 2)), [2, 1, 0]);
});

/** What another worker does just before this one's next compare-and-swap. */
function before(swap: (int32: Int32Array) => void, then: () => void): void {
  const { compareExchange } = Atomics;
  Atomics.compareExchange = ((...given: [Int32Array, number, number, number]) => {
    Atomics.compareExchange = compareExchange;
    swap(given[0]);
    return compareExchange(...given);
  }) as typeof compareExchange;
  try {
    then();
  } finally {
    Atomics.compareExchange = compareExchange;
  }
}

Deno.test("RetryBudget.spend() pays no retry that another worker took in the same moment", () => {
  for (const [reserve, left] of [[1, 0], [2, 0], [5, 3]] as const) {
    const budget = alone({ ...CONFIG, budgetReserve: reserve }, () => 0);
    before((int32) => int32[0]! -= 1_000, () => assertEquals(budget.spend(), reserve > 1));
    assertEquals(budget.left, left);
  }
});

Deno.test("RetryBudget pays for a second once, whichever worker sees it first", () => {
  let nowMs = 0;
  const budget = alone({ ...CONFIG, budgetReserve: 0 }, () => nowMs);
  nowMs = 1_000;
  before((int32) => {
    int32[1] = 2;
    int32[0] = 3_000;
  }, () => assertEquals(spend(budget, 10), 3));
});

Deno.test("RetryBudget reckons time by whole seconds, and back in time as none", () => {
  let nowMs = 1_500;
  const budget = alone({ budgetPercent: 0, budgetMinPerSecond: 1, budgetReserve: 0 }, () => nowMs);
  for (
    const [ms, paid] of [[1_999, 0], [2_000, 1], [2_999, 0], [2_000, 0], [1_000, 0], [3_000, 1]] as const
  ) {
    nowMs = ms;
    assertEquals(spend(budget, 2), paid, `at ${ms} ms`);
  }
});

Deno.test("RetryBudget.left tells whole retries", () => {
  const budget = alone({ budgetPercent: 100, budgetMinPerSecond: 0, budgetReserve: 0 }, () => 0);
  budget.apply({ budgetPercent: 60, budgetMinPerSecond: 0, budgetReserve: 0 });
  const left = Array.from({ length: 4 }, () => {
    budget.earn();
    return budget.left;
  });
  assertEquals(left, [0, 1, 1, 2]);
});

Deno.test("RetryBudget never wraps around, however much is earned within a second", () => {
  const cells = { int32: new Int32Array(2), milli: 0, second: 1 };
  const budget = new RetryBudget({ ...CONFIG, budgetPercent: 100 }, () => 0, cells);
  cells.int32[0] = 999_999_500;
  for (let i = 0; i < 5; i++) budget.earn();
  assertEquals(budget.left, 1_000_000);
});

Deno.test("RetryBudget with nothing configured pays nothing", () => {
  const budget = alone({ budgetPercent: 0, budgetMinPerSecond: 0, budgetReserve: 0 }, () => 5_000);
  budget.earn();
  assertEquals(budget.spend(), false);
});

Deno.test("RetryBudget.apply() changes the share from then on", () => {
  const budget = alone({ ...CONFIG, budgetReserve: 0 }, () => 0);
  budget.apply({ ...CONFIG, budgetPercent: 100 });
  budget.earn();
  assertEquals(budget.left, 1);
});

Deno.test("each request to an upstream earns its share of a retry there", async () => {
  await using origin = await startOrigin([reset(), reset(), reply(200)]);
  const retry = { budgetPercent: 50, budgetMinPerSecond: 0, budgetReserve: 0 };
  const still = new StillProxy([origin], { retry });
  assertEquals(await still.get(), [502, "weir; error=connection_terminated"]);
  const second = still.get();
  await until("it waits to be tried again", () => still.totals.upstream(0, UpstreamField.retries) === 1);
  still.pass(1_000);
  still.notice();
  assertEquals([await second, origin.requests.length], [[200, ""], 3]);
  still.proxy.retire();
});

Deno.test("a request that reached no endpoint goes on elsewhere without a budget", async () => {
  await using dead = await startOrigin();
  await using origin = await startOrigin(reply(200));
  await dead.stop();
  const retry = { budgetPercent: 0, budgetMinPerSecond: 0, budgetReserve: 0 };
  const still = new StillProxy([dead, origin], { retry });
  for (let turn = 0; turn < 2; turn++) assertEquals(await still.get(), [200, ""]);
  assertEquals(still.totals.upstream(0, UpstreamField.retryConnect), 1);
  still.proxy.retire();
});
