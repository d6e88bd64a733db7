// `deno task bench`: Weir, its peers and its floor, side by side in one run on this machine.
//
// Reads the flags, sets up a scratch directory, runs the chosen scenarios one after the other, prints progress
// and results, and writes `bench/results.json`, the charts and the generated parts of `docs/performance.md`.
// However it ends, no process and no file of the run is left behind. The only place that exits.

import { type Contestant, CONTESTANTS } from "./contestants.ts";
import { type FigureName, FIGURES } from "./figures.ts";
import { type BenchOptions, readFlags, USAGE } from "./flags.ts";
import { describeMachine, missingForAll, shareCores } from "./machine.ts";
import type { Measured } from "./measure.ts";
import { chooseScenarios, estimateSeconds, fieldOf, paceOf } from "./plan.ts";
import { Processes } from "./processes.ts";
import { publish, readResults, writeResults } from "./report/publish.ts";
import { scenarioTable, targetLines } from "./report/tables.ts";
import { mergeResults, othersMedian, type Results, type ScenarioResult, unmeasuredMain } from "./results.ts";
import { runScenario } from "./rounds.ts";
import type { Scenario } from "./scenarios.ts";
import { chooseContestants, type Skipped, Stage } from "./stage.ts";
import { checkTargets } from "./targets.ts";

const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;
/** On an idle machine it is 1 or 2. */
const OTHERS_PERCENT_MAX = 10;

async function main(args: readonly string[]): Promise<number> {
  const options = readFlags(args);
  if ("problems" in options) {
    for (const problem of options.problems) console.error(`bench: ${problem}`);
    return EXIT_USAGE;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.render) {
    const results = await readResults();
    if (results === null) {
      console.error("bench: there is no bench/results.json yet: run deno task bench");
      return 1;
    }
    await publish(results);
    return 0;
  }
  const missing = missingForAll();
  if (missing !== null) {
    console.error(`bench: cannot run: ${missing}`);
    return 1;
  }
  return await withScratch((stage) => bench(stage, options));
}

/** Everything that `run` starts or writes is gone when this returns, or when Ctrl-C ends it. */
async function withScratch(run: (stage: Stage) => Promise<number>): Promise<number> {
  const cores = shareCores(navigator.hardwareConcurrency);
  const processes = new Processes(cores.load);
  const scratch = await Deno.makeTempDir({ dir: "/tmp", prefix: "weir-bench-" });
  await Deno.chmod(scratch, 0o755);
  const clear = async () => {
    await processes.end();
    await Deno.remove(scratch, { recursive: true }).catch(() => {});
  };
  let stopping = false;
  const interrupted = async () => {
    stopping = true;
    console.log("\nstopping");
    await clear();
    Deno.exit(EXIT_INTERRUPTED);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, interrupted);
  try {
    return await run(new Stage(processes, cores, scratch));
  } catch (error) {
    // What fails now only fails because it is stopped, and the program is about to exit.
    if (stopping) await new Promise<never>(() => {});
    throw error;
  } finally {
    await clear();
  }
}

async function bench(stage: Stage, options: BenchOptions): Promise<number> {
  const { wanted, chosen, skipped } = chooseContestants(CONTESTANTS, options.only, options.quick);
  const { wanted: asked, chosen: scenarios, skipped: impossible } = chooseScenarios(options);
  skipped.push(...impossible);
  skipped.forEach(saySkipped);
  if (scenarios.length === 0) {
    console.error("bench: nothing can be measured: every scenario lacks a program");
    return 1;
  }
  const titles = chosen.filter((one) => scenarios.some((each) => fieldOf(each, [one], options).length > 0));
  console.log(`${countOf(scenarios.length, "scenario")} with ${titles.map(({ title }) => title).join("; ")}`);
  const all = estimateSeconds(scenarios, chosen, options);
  console.log(`about ${countOf(Math.ceil(all / 60), "minute")}`);
  const results: Results = {
    takenAt: new Date().toISOString(),
    machine: await describeMachine(stage.processes),
    contestants: wanted.map(({ name }) => name),
    skipped,
    scenarios: [],
  };
  for (const [at, scenario] of scenarios.entries()) {
    const left = clock(estimateSeconds(scenarios.slice(at), chosen, options));
    console.log(
      `\n${at + 1}/${scenarios.length} ${scenario.title} (${clock(performance.now() / 1000)}, ${left} left)`,
    );
    const result = await measure(stage, scenario, chosen, options, scenarios.length - at);
    // Half a run writes nothing.
    stage.processes.throwIfEnded();
    if (typeof result === "string") {
      skipped.push({ contestant: scenario.title, reason: result });
      saySkipped(skipped.at(-1)!);
      continue;
    }
    results.scenarios.push(result);
    console.log(`\n${scenarioTable(result)}`);
  }
  return await finish(results, options, asked);
}

/** What breaks one scenario costs that scenario alone: then the reason is returned. */
async function measure(
  stage: Stage,
  scenario: Scenario,
  chosen: readonly Contestant[],
  options: BenchOptions,
  scenariosLeft: number,
): Promise<ScenarioResult | string> {
  const pace = paceOf(scenario, options, performance.now(), scenariosLeft);
  const listeners = { onMeasured: sayMeasured, onSkipped: saySkipped };
  try {
    return await runScenario(stage, scenario, fieldOf(scenario, chosen, options), { ...pace, ...listeners });
  } catch (error) {
    await stage.processes.stopAll();
    return error instanceof Error ? error.message : String(error);
  }
}

async function finish(results: Results, options: BenchOptions, asked: readonly Scenario[]): Promise<number> {
  const verdicts = checkTargets(results, asked);
  console.log(`\n${targetLines(verdicts)}`);
  if (othersMedian(results) > OTHERS_PERCENT_MAX) {
    console.log(
      `\nrough figures: ${Math.round(othersMedian(results))} % of the proxy's core went to other programs`,
    );
  }
  if (options.write) {
    const whole = options.scenarios === null ? results : mergeResults(await readResults(), results);
    const unmeasured = unmeasuredMain(whole);
    if (unmeasured.length > 0) {
      console.error(
        `\nbench: nothing is written, all results and documents stay as they are: ` +
          `not measured: ${unmeasured.join("; ")}`,
      );
      return 1;
    }
    await publish(await writeResults(whole));
    console.log("\nwritten: bench/results.json, docs/performance.md, docs/img/, README.md");
  }
  return options.assert && verdicts.some(({ state }) => state !== "met") ? 1 : 0;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Minutes and seconds. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function sayMeasured(round: number, { title }: Contestant, { sample, faults }: Measured): void {
  const figures = (Object.keys(sample) as FigureName[]).map((name) => {
    const { title, print } = FIGURES[name];
    return `${print(sample[name] ?? NaN)} ${title}`;
  });
  console.log(`  round ${round + 1}  ${title.padEnd(20)} ${[...figures, ...faults].join("  ")}`);
}

function saySkipped({ contestant, reason }: Skipped): void {
  console.log(`  skipped: ${contestant}: ${reason}`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
