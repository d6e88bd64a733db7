// The flags of `deno task bench`. Anything unknown is refused, with every problem at once and what is accepted.

import { parseArgs } from "@std/cli/parse-args";
import { CONTESTANTS } from "./contestants.ts";
import { SCENARIOS } from "./scenarios.ts";

export interface BenchOptions {
  readonly help: boolean;
  readonly quick: boolean;
  /** Contestants to run; null for all. */
  readonly only: readonly string[] | null;
  readonly scenarios: readonly string[] | null;
  /** Null: as the scenario has it. */
  readonly rounds: number | null;
  readonly seconds: number | null;
  /** Write results, charts and documents. */
  readonly write: boolean;
  /** Make charts and documents of the results that are there, without measuring. */
  readonly render: boolean;
  /** Exit 1 unless every target is met. */
  readonly assert: boolean;
}

export const USAGE = `deno task bench [flags]

  --quick            the three main scenarios with the main contestants; ends within two minutes
  --only=a,b         only these contestants: ${list(CONTESTANTS)}
  --scenario=a,b     only these scenarios: ${list(SCENARIOS)}
  --rounds=N         rounds of each scenario, 1 to 100 (default: 9 for the three main ones, 3 for most others)
  --seconds=N        length of each turn, 1 to 60 (default: 1 for most)
  --write            write bench/results.json, docs/img, docs/performance.md and the README's table (default for a full
                     run only); with --scenario, the other scenarios stay as they are; refused where the three main ones lack
  --no-write         do not write them
  --render           write them again from bench/results.json, without measuring
  --assert           exit 1 unless every target is met
  --help             this text`;

const ROUNDS_MAX = 100;
const SECONDS_MAX = 60;

/** @returns the options, or every problem in words. */
export function readFlags(args: readonly string[]): BenchOptions | { problems: string[] } {
  const problems: string[] = [];
  const flags = parseArgs(args, {
    boolean: ["quick", "write", "render", "assert", "help"],
    string: ["only", "scenario", "rounds", "seconds"],
    alias: { scenario: "scenarios" },
    negatable: ["write"],
    default: { write: null },
    unknown: (arg) => {
      problems.push(`${arg} is not known; --help lists the flags`);
    },
  });
  const options: BenchOptions = {
    help: flags.help === true,
    quick: flags.quick === true,
    only: names("--only", flags.only, CONTESTANTS, problems),
    scenarios: names("--scenario", flags.scenario, SCENARIOS, problems),
    rounds: count("--rounds", flags.rounds, ROUNDS_MAX, problems),
    seconds: count("--seconds", flags.seconds, SECONDS_MAX, problems),
    write: flags.write === true || flags.write === null && isFullRun(flags),
    render: flags.render === true,
    assert: flags.assert === true,
  };
  return problems.length > 0 ? { problems } : options;
}

/** Only a full run replaces what the documents show. */
function isFullRun(flags: Record<string, unknown>): boolean {
  return flags.quick !== true && flags.only === undefined && flags.scenario === undefined;
}

function names(flag: string, value: unknown, known: readonly { name: string }[], problems: string[]) {
  if (value === undefined) return null;
  const wanted = String(value).split(",").filter(Boolean);
  if (wanted.length === 0) problems.push(`${flag} is empty, accepted: ${list(known)}`);
  for (const name of wanted) {
    if (!known.some((row) => row.name === name)) {
      problems.push(`${flag} has ${JSON.stringify(name)}, accepted: ${list(known)}`);
    }
  }
  return wanted;
}

function count(flag: string, value: unknown, max: number, problems: string[]): number | null {
  if (value === undefined) return null;
  const number = Number(value);
  if (value !== "" && Number.isInteger(number) && number >= 1 && number <= max) return number;
  problems.push(`${flag} is ${JSON.stringify(value)}, must be a whole number from 1 to ${max}`);
  return null;
}

function list(rows: readonly { name: string }[]): string {
  return rows.map(({ name }) => name).join(", ");
}
