import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { type BalanceConfig } from "../../src/config/schema.ts";
import { pareto } from "../../src/simulate/chance.ts";
import { readArguments, type SimulateRequest, tableLines } from "../../src/simulate/command.ts";
import { SCENARIOS } from "../../src/simulate/scenarios.ts";
import { simulate, type SimulationResult } from "../../src/simulate/simulation.ts";

type Policy = BalanceConfig["policy"];
const POLICIES: readonly Policy[] = ["round_robin", "least_request", "peak_ewma", "consistent_hash"];

/** Every policy on every scenario, once for all tests. */
const results = new Map<string, SimulationResult>();

function resultOf(name: string, policy: Policy): SimulationResult {
  const key = `${name} ${policy}`;
  const scenario = SCENARIOS.find((each) => each.name === name)!;
  const result = results.get(key) ?? simulate({ scenario, policy, seed: 1, seconds: 60 });
  results.set(key, result);
  return result;
}

for (const policy of ["least_request", "peak_ewma"] as const) {
  Deno.test(`${policy} beats round_robin on p99 with one slow endpoint`, () => {
    const [own, turns] = [resultOf("one-slow", policy), resultOf("one-slow", "round_robin")];
    assertLess(own.p99Ms, turns.p99Ms / 2);
  });
}

// The failing endpoint is ejected: that is no starving.
for (const { name } of SCENARIOS.filter(({ name }) => name !== "one-failing")) {
  for (const policy of POLICIES) {
    Deno.test(`${policy} starves nobody in ${name}`, () => {
      resultOf(name, policy).shares.forEach((share, i) => assertGreater(share, 0, `endpoint ${i}`));
    });
  }
}

for (const policy of POLICIES) {
  Deno.test(`${policy} keeps to the weights 1:2:4`, () => {
    resultOf("weights", policy).shares.forEach((share, i) => assertAlmostEquals(share, 2 ** i / 7, 0.04));
  });

  Deno.test(`${policy} gives those that joined their share, and they do not drown while they start`, () => {
    const { shares, p99Ms } = resultOf("scale-out", policy);
    shares.forEach((share) => assertAlmostEquals(share, 0.1, 0.02));
    assertLess(p99Ms, 70);
  });
}

Deno.test("round_robin is exact to a turn", () => {
  const { attempts } = resultOf("equal", "round_robin");
  assert(Math.max(...attempts) - Math.min(...attempts) <= 1, `${attempts}`);
});

for (const policy of POLICIES) {
  Deno.test(`${policy} with ejection loses few requests to an endpoint that fails fast`, () => {
    const { failures, requests } = resultOf("one-failing", policy);
    assertGreater(failures, 0);
    assertLess(failures / requests, 0.01);
  });
}

for (const policy of ["round_robin", "least_request", "consistent_hash"] as const) {
  Deno.test(`${policy} gives an endpoint that comes back from its ejection little to fail at first`, () => {
    const scenario = SCENARIOS.find(({ name }) => name === "one-failing")!;
    const before = simulate({ scenario, policy, seed: 1, seconds: 30 });
    // At a tenth of its share five in a row, which eject it again, take two looks instead of one.
    const again = resultOf("one-failing", policy).failures - before.failures;
    assert(again >= 5 && again <= 10, `${again} failures`);
  });
}

function table(args: string[]): string {
  const asked = readArguments(args) as Extract<SimulateRequest, { seed: number }>;
  return [...tableLines(asked)].join("\n");
}

Deno.test("simulate prints the same table for the same seed, another one for another", () => {
  const args = ["--scenario", "heavy-tail", "--seconds", "3"];
  const first = table([...args, "--seed", "7"]);
  assertEquals(table([...args, "--seed=7"]), first);
  assert(table([...args, "--seed", "8"]) !== first);
  assertEquals(first.split("\n").length, 3 + 1 + POLICIES.length);
});

Deno.test("simulate names every problem with its arguments at once", () => {
  const asked = readArguments([
    "--policy",
    "roundrobin",
    "--seed=-1",
    "--seconds",
    "0",
    "--scenario",
    "x",
    "--fast",
  ]);
  const { problems } = asked as Extract<SimulateRequest, { problems: unknown }>;
  assertEquals(problems.length, 5);
  assert(
    problems.some((problem) => problem.startsWith('--policy is "roundrobin", must be one of round_robin')),
  );
});

Deno.test("simulate tells of latencies how they lie, whatever their order", () => {
  let turn = 0;
  // 1 to 100, each as often as any other.
  const workMs = () => turn++ * 37 % 100 + 1;
  const endpoints = [{ weight: 1, concurrency: Infinity, workMs, fails: false, joinsAfter: 0 }];
  const scenario = { name: "known", about: "", endpoints, requestsPerSecond: 500 };
  const { p50Ms, p99Ms, maxMs } = simulate({ scenario, policy: "round_robin", seed: 1, seconds: 20 });
  assertAlmostEquals(p50Ms, 50, 1);
  assertAlmostEquals(p99Ms, 99, 1);
  assertAlmostEquals(maxMs, 100, 1e-6);
});

Deno.test("peak_ewma learns in the simulation, too, who is slow", () => {
  // By its load alone it would get a fortieth.
  assertLess(resultOf("one-slow", "peak_ewma").shares[0]!, 0.01);
});

Deno.test("pareto() is at least its least and at most its most", () => {
  assertEquals(pareto(() => 0, 4, 1.3, 2_000), 4);
  assertEquals(pareto(() => 1 - 2 ** -32, 4, 1.3, 2_000), 2_000);
});
