// Writes what readers see: `bench/results.json`, the charts in `docs/img/`, and the parts of `docs/performance.md`
// and of the README that stand between `<!-- bench NAME -->` and `<!-- /bench NAME -->`; their prose stays.

import { othersMedian, type Results, withSummaries } from "../results.ts";
import { checkTargets } from "../targets.ts";
import { drawChart } from "./chart.ts";
import { CHART_PLANS, chartOf, type ChartPlan } from "./charts.ts";
import { seedTable } from "./seed_table.ts";
import { markdownTable, ratioTable, scenarioTable } from "./tables.ts";

const root = new URL("../../", import.meta.url);
const resultsFile = new URL("bench/results.json", root);
const page = new URL("docs/performance.md", root);
const SIGNIFICANT_DIGITS = 5;
const readme = new URL("README.md", root);
const images = new URL("docs/img/", root);

/** @returns the results as the file holds them: what is published of others, nobody could make again from it. */
export async function writeResults(results: Results): Promise<Results> {
  const text = resultsText(results);
  await Deno.writeTextFile(resultsFile, text);
  return JSON.parse(text);
}

/** Figures to five digits, each spread on one line: the file is read by people, and its changes in reviews. */
export function resultsText(results: Results): string {
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(SIGNIFICANT_DIGITS)) : value;
  const text = JSON.stringify(withSummaries(results), rounded, 1);
  return text.replace(/\{([^{}[\]]*)\}/g, (_, inner: string) => `{${inner.replace(/\s*\n\s*/g, " ")}}`) +
    "\n";
}

/** Null before the first run that writes. */
export async function readResults(): Promise<Results | null> {
  const text = await Deno.readTextFile(resultsFile).catch(() => null);
  return text === null ? null : JSON.parse(text);
}

/** Draws the charts and fills the page. */
export async function publish(results: Results): Promise<void> {
  await Deno.mkdir(images, { recursive: true });
  const drawn: string[] = [];
  for (const plan of CHART_PLANS) {
    const chart = chartOf(plan, results);
    if (chart === null) continue;
    for (const theme of ["light", "dark"] as const) {
      await Deno.writeTextFile(new URL(`${plan.file}-${theme}.svg`, images), drawChart(chart, theme));
    }
    drawn.push(picture("img", plan));
  }
  const sections = {
    machine: machineLines(results),
    targets: targetTable(results),
    seed: seedTable(results),
    charts: drawn.join("\n\n"),
    tables: results.scenarios.map((scenario) => `### ${scenario.title}\n\n${scenarioTable(scenario)}`).join(
      "\n\n",
    ),
  };
  await fill(page, sections);
  await fill(readme, { speed: `${picture("docs/img", CHART_PLANS[0]!)}\n\n${ratioTable(results)}` });
}

async function fill(file: URL, sections: Readonly<Record<string, string>>): Promise<void> {
  await Deno.writeTextFile(file, fillSections(await Deno.readTextFile(file), sections));
}

/** @throws when the page has no place for a section. */
export function fillSections(page: string, sections: Readonly<Record<string, string>>): string {
  for (const [name, content] of Object.entries(sections)) {
    const [open, close] = [`<!-- bench ${name} -->`, `<!-- /bench ${name} -->`];
    const [start, end] = [page.indexOf(open), page.indexOf(close)];
    if (start < 0 || end < start) throw new Error(`the page has no ${open} ... ${close}`);
    page = `${page.slice(0, start + open.length)}\n${content}\n${page.slice(end)}`;
  }
  return page;
}

function picture(directory: string, { file, title, note }: ChartPlan): string {
  return [
    "<picture>",
    `  <source media="(prefers-color-scheme: dark)" srcset="${directory}/${file}-dark.svg">`,
    `  <img alt="${title}: ${note}" src="${directory}/${file}-light.svg">`,
    "</picture>",
  ].join("\n");
}

function machineLines(results: Results): string {
  const { takenAt, machine, skipped, scenarios } = results;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`).join(", ");
  const left = [...skipped, ...scenarios.flatMap((scenario) => scenario.skipped)];
  const missing = new Set(
    left.map(({ contestant, reason }) => `\n- not measured: ${contestant} (${reason})`),
  );
  return [
    `- taken on ${takenAt.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}`,
    `- ${versions}`,
    `- other programs had ${Math.round(othersMedian(results))} % of the proxy's core (median)${
      [...missing].join("")
    }`,
  ].join("\n");
}

function targetTable(results: Results): string {
  return markdownTable(["target", "state"], checkTargets(results).map(({ state, text }) => [text, state]));
}
