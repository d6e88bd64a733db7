// The command `simulate`: prints how each policy spreads requests, and what that costs, one table per scenario.

import { parseArgs } from "@std/cli/parse-args";
import { type BalanceConfig, balanceSchema } from "../config/schema.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";
import { simulate, type SimulationResult } from "./simulation.ts";

type Policy = BalanceConfig["policy"];

const POLICIES: readonly Policy[] = balanceSchema.shape.policy.unwrap().options;
const SECONDS_MAX = 3_600;
/** Columns of the table, in characters. */
const POLICY_WIDTH = 16;
const FIGURE_WIDTHS = [8, 8, 8, 9];

const USAGE = `usage: deno task simulate [--scenario NAME] [--policy NAME] [--seed N] [--seconds N]
  --scenario  ${SCENARIOS.map(({ name }) => name).join(", ")}; default: all
  --policy    ${POLICIES.join(", ")}; default: all
  --seed      whole number; the same seed gives the same table; default 1
  --seconds   virtual seconds per run, 1 to ${SECONDS_MAX}; default 60
`;

/** What the arguments ask for, or what is wrong with them. */
export type SimulateRequest =
  | {
    readonly scenarios: readonly Scenario[];
    readonly policies: readonly Policy[];
    readonly seed: number;
    readonly seconds: number;
  }
  | { readonly help: string }
  | { readonly problems: readonly string[] };

export function readArguments(args: readonly string[]): SimulateRequest {
  const problems: string[] = [];
  const parsed = parseArgs(args, {
    string: ["scenario", "policy", "seed", "seconds"],
    boolean: ["help"],
    unknown: (arg) => {
      problems.push(`${arg} is not known\n${USAGE.trimEnd()}`);
      return false;
    },
  });
  if (parsed.help === true) return { help: USAGE };
  const scenarioNames = SCENARIOS.map(({ name }) => name);
  const names = oneOrAll("scenario", parsed.scenario, scenarioNames, problems);
  const policies = oneOrAll("policy", parsed.policy, POLICIES, problems);
  const seed = whole("seed", parsed.seed ?? "1", 0, 2 ** 32 - 1, problems);
  const seconds = whole("seconds", parsed.seconds ?? "60", 1, SECONDS_MAX, problems);
  if (problems.length > 0) return { problems };
  return { scenarios: SCENARIOS.filter(({ name }) => names.includes(name)), policies, seed, seconds };
}

function oneOrAll<T extends string>(flag: string, value: unknown, all: readonly T[], problems: string[]) {
  if (value === undefined) return all;
  const found = all.filter((each) => each === value);
  if (found.length === 0) {
    problems.push(`--${flag} is ${JSON.stringify(value)}, must be one of ${all.join(", ")}`);
  }
  return found;
}

function whole(flag: string, value: unknown, min: number, max: number, problems: string[]): number {
  const number = /^\d+$/.test(String(value)) ? Number(value) : NaN;
  if (number >= min && number <= max) return number;
  problems.push(`--${flag} is ${JSON.stringify(value)}, must be a whole number from ${min} to ${max}`);
  return min;
}

/** The lines of the table for what was asked. */
export function* tableLines(asked: Extract<SimulateRequest, { seed: number }>): Generator<string> {
  const { scenarios, policies, seed, seconds } = asked;
  yield `seed ${seed}, ${seconds} s each; shares of the last third, in percent`;
  for (const scenario of scenarios) {
    yield "";
    yield `${scenario.name}: ${scenario.about}, ${scenario.requestsPerSecond} requests/s`;
    yield row("policy", ["p50 ms", "p99 ms", "max ms", "failed"], "shares");
    for (const policy of policies) yield resultRow(policy, simulate({ scenario, policy, seed, seconds }));
  }
}

function resultRow(policy: string, result: SimulationResult): string {
  const { p50Ms, p99Ms, maxMs, failures, requests, shares } = result;
  const failed = `${(failures / requests * 100).toFixed(2)} %`;
  const percents = shares.map((share) => (share * 100).toFixed(1)).join(" ");
  return row(policy, [p50Ms.toFixed(1), p99Ms.toFixed(1), maxMs.toFixed(0), failed], percents);
}

function row(policy: string, figures: readonly string[], shares: string): string {
  const columns = figures.map((figure, i) => figure.padStart(FIGURE_WIDTHS[i]!));
  return `  ${policy.padEnd(POLICY_WIDTH)}${columns.join("")}  ${shares}`;
}

/** Runs the command; the result is its exit status. */
function simulateCommand(args: readonly string[]): number {
  const asked = readArguments(args);
  if ("help" in asked) {
    console.log(asked.help.trimEnd());
    return 0;
  }
  if ("problems" in asked) {
    for (const problem of asked.problems) console.error(problem);
    return 64;
  }
  for (const line of tableLines(asked)) console.log(line);
  return 0;
}

if (import.meta.main) {
  const status = simulateCommand(Deno.args);
  // The event loop is empty now; the status is all that is left to say.
  Deno.exitCode = status;
}
