// What the benchmark writes: flags it accepts, configurations it fills, tables, charts and targets it makes.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CONTESTANTS } from "../bench/contestants.ts";
import { readFlags } from "../bench/flags.ts";
import { type Chart, drawChart, escapeXml } from "../bench/report/chart.ts";
import { estimateSeconds, fieldOf } from "../bench/plan.ts";
import { reasonIn } from "../bench/ready.ts";
import { SCENARIOS } from "../bench/scenarios.ts";
import { fillSections, resultsText } from "../bench/report/publish.ts";
import { ratioTable, scenarioTable } from "../bench/report/tables.ts";
import type { Cell, Results } from "../bench/results.ts";
import { faultyRounds, isValid, mergeResults, unmeasuredMain } from "../bench/results.ts";
import { checkTargets } from "../bench/targets.ts";
import { fillTemplate } from "../bench/template.ts";
import { startWords } from "../bench/weir_command.ts";

Deno.test("readFlags() refuses every unknown flag, name and value in one go", () => {
  const read = readFlags([
    "--quik",
    "--only=weir,nginks",
    "--scenario=1mb",
    "--rounds=0",
    "--seconds=x",
    "stray",
  ]);
  const problems = "problems" in read ? read.problems : [];
  assertEquals(problems.length, 6);
  assertStringIncludes(problems.join("\n"), "--quik is not known");
  assertStringIncludes(problems.join("\n"), "stray is not known");
  assertStringIncludes(problems.join("\n"), '--only has "nginks", accepted: weir, weir-wire, weir-log');
  assertStringIncludes(problems.join("\n"), '--rounds is "0", must be a whole number from 1 to 100');
});

Deno.test("readFlags() lets only a full run replace the documents, unless told otherwise", () => {
  const writes = (...args: string[]) => {
    const read = readFlags(args);
    return "problems" in read ? read.problems : read.write;
  };
  assertEquals(writes(), true);
  assertEquals(writes("--no-write"), false);
  assertEquals(writes("--quick"), false);
  assertEquals(writes("--only=weir"), false);
  assertEquals(writes("--scenarios=h2"), false);
  assertEquals(writes("--quick", "--write"), true);
});

Deno.test("fillTemplate() repeats a line per origin and fills the others once", () => {
  const filled = fillTemplate("listen {{port}};\nserver 127.0.0.1:{{origin}}; # {{port}}", { port: 80 }, [
    1,
    2,
  ]);
  assertEquals(filled, "listen 80;\nserver 127.0.0.1:1; # 80\nserver 127.0.0.1:2; # 80");
});

Deno.test("fillTemplate() refuses a name without a value", () => {
  assertThrows(() => fillTemplate("{{prot}}", { port: 80 }, []), Error, "{{prot}} has no value");
});

Deno.test("every configuration of a peer has a value for every name in it", async () => {
  const certificate = { certFile: "/tmp/c", keyFile: "/tmp/k", bothFile: "/tmp/b" };
  const values = { port: 1, workers: 1, scratch: "/tmp/x", ...certificate };
  const peers = new URL("../bench/peers/", import.meta.url);
  for await (const { name } of Deno.readDir(peers)) {
    if (name.endsWith(".ts")) continue;
    assert(!fillTemplate(await Deno.readTextFile(new URL(name, peers)), values, [2]).includes("{{"), name);
  }
});

Deno.test("reasonIn() finds the line that says why a program ended", () => {
  assertEquals(
    reasonIn("error: Module not found\n\nStack backtrace:\n   0: <unknown>\n"),
    "error: Module not found",
  );
  assertEquals(reasonIn("starting\nno such file\n"), "no such file");
  assertEquals(reasonIn(""), "it ended without a word");
});

Deno.test("startWords() takes the start task word by word", () => {
  const words = ["--allow-net", "--allow-env=A,B", "src/main.ts", "start"];
  assertEquals(startWords("deno run --allow-net --allow-env='A,B' src/main.ts start"), words);
  for (const task of ["", "node src/main.ts", "deno run main.ts"]) {
    assertThrows(() => startWords(task), Error, "no start task");
  }
});

const CELLS: Cell[] = [
  {
    contestant: "weir",
    title: "Weir (serve)",
    kind: "weir",
    samples: [{ cpuMicros: 20 }, { cpuMicros: 40 }, { cpuMicros: 22 }],
    faults: [],
  },
  {
    contestant: "floor",
    title: "floor",
    kind: "bound",
    samples: [{ cpuMicros: 16 }, { cpuMicros: 32 }, { cpuMicros: 20 }],
    faults: [],
  },
  { contestant: "fetch", title: "<fetch>", kind: "bound", samples: [{}], faults: ["3 read errors"] },
];
const RESULTS: Results = {
  takenAt: "2026-01-01T00:00:00Z",
  machine: { cpu: "a", cores: 2, kernel: "b", versions: {} },
  contestants: ["weir", "floor", "fetch"],
  skipped: [],
  scenarios: [{
    name: "1kb",
    title: "1 KB",
    takenAt: "2026-01-01T00:00:00Z",
    seconds: 1,
    cells: CELLS,
    skipped: [],
  }],
};

Deno.test("checkTargets() compares medians of ratios, and an invalid side is not measured", () => {
  const verdicts = checkTargets(RESULTS);
  assertEquals(verdicts[0], { state: "met", text: "weir CPU µs/request, 1kb: 1.25 x floor, at most 1.30" });
  assertEquals(verdicts.length, 2, "the other targets are about contestants that did not take part");
  assertEquals(verdicts[1], {
    state: "not measured",
    text: "weir CPU µs/request, 1kb: x fetch, at most 0.65",
  });
});

Deno.test("checkTargets() tells a scenario that was wanted and did not run as not measured", () => {
  const verdicts = checkTargets({ ...RESULTS, scenarios: [] }, [{ name: "1kb" }]);
  assertEquals(verdicts.map(({ state }) => state), ["not measured", "not measured"]);
});

Deno.test("scenarioTable() shows median, spread and ratios, and an invalid cell with its reason", () => {
  const table = scenarioTable(RESULTS.scenarios[0]!);
  assertStringIncludes(table, "22.0 (20.0-40.0)");
  assertStringIncludes(table, "1.25");
  assertStringIncludes(table, "INVALID: 3 read errors");
});

Deno.test("a cell counts while most of its rounds are without a fault, and its table row says which were not", () => {
  const one = { cpuMicros: 9 };
  const cell = { ...CELLS[0]!, samples: [one, {}, one], faults: ["2 read errors"] };
  assertEquals([faultyRounds(cell), isValid(cell)], [1, true]);
  assertEquals(isValid({ ...cell, samples: [one, {}] }), false);
  const table = scenarioTable({ ...RESULTS.scenarios[0]!, cells: [cell] });
  assertStringIncludes(table, "Weir (serve) (1 rounds left out: 2 read errors)");
});

Deno.test("ratioTable() shows each contestant beside tuned nginx, and leaves out whom nobody measured", () => {
  const nginx: Cell = { ...CELLS[0]!, contestant: "nginx-tuned", title: "nginx, tuned" };
  const table = ratioTable({
    ...RESULTS,
    scenarios: [{ ...RESULTS.scenarios[0]!, cells: [...CELLS, nginx] }],
  });
  assertStringIncludes(table, "| 22.0 (1.00)");
  assertStringIncludes(table, "| 20.0 (0.80)");
  assert(!table.includes("fetch"), table);
});

Deno.test("mergeResults() replaces the scenarios that were taken again, in the order of the tables", () => {
  const scenario = (name: string, title: string) => ({ ...RESULTS.scenarios[0]!, name, title });
  const older: Results = { ...RESULTS, scenarios: [scenario("1kb", "old"), scenario("memory", "old")] };
  const newer: Results = {
    ...RESULTS,
    contestants: ["haproxy"],
    scenarios: [scenario("1kb", "new"), scenario("h2", "new")],
  };
  const merged = mergeResults(older, newer);
  assertEquals(merged.scenarios.map(({ name, title }) => `${name} ${title}`), [
    "1kb new",
    "h2 new",
    "memory old",
  ]);
  assertEquals(merged.contestants, ["weir", "haproxy", "fetch", "floor"]);
  const elsewhere = { ...older, machine: { ...older.machine, cpu: "another" } };
  assertEquals(mergeResults(elsewhere, newer), newer);
  assertEquals(mergeResults(null, newer), newer);
});

Deno.test("unmeasuredMain() names the main scenarios that are not there, or with no valid figure", () => {
  const results = (...names: string[]) => ({
    ...RESULTS,
    scenarios: names.map((name) => ({ ...RESULTS.scenarios[0]!, name })),
  });
  assertEquals(unmeasuredMain(results("1kb", "10kb", "300kb")), []);
  const titles = ["1 KB, 4 origins", "10 KB, 8 origins", "300 KB, 4 origins"];
  assertEquals(unmeasuredMain(results("h2", "memory")), titles);
  const faulty = { ...results("1kb").scenarios[0]!, cells: [CELLS[2]!] };
  const { scenarios } = results("10kb", "300kb");
  assertEquals(unmeasuredMain({ ...RESULTS, scenarios: [faulty, ...scenarios] }), titles.slice(0, 1));
});

Deno.test("resultsText() writes what readResults() reads back, a spread on each line", () => {
  const text = resultsText(RESULTS);
  const { scenarios } = JSON.parse(text);
  assertEquals(scenarios[0].cells[0].samples, CELLS[0]!.samples);
  assertStringIncludes(text, '"cpuMicros": { "median": 22, "min": 20, "max": 40 }');
  assertStringIncludes(resultsText({ ...RESULTS, takenAt: "{x: [1]}" }), '"takenAt": "{x: [1]}"');
});

const FULL = readFlags([]) as Exclude<ReturnType<typeof readFlags>, { problems: string[] }>;

Deno.test("fieldOf() has everyone in the seed's scenarios, and only those with something to say in the others", () => {
  const field = (name: string, options = FULL) =>
    fieldOf(SCENARIOS.find((scenario) => scenario.name === name)!, CONTESTANTS, options).map(({ name }) =>
      name
    );
  assertEquals(field("1kb").length, CONTESTANTS.length - 2, "all but Weir with a log");
  assertEquals(field("log"), ["weir", "weir-wire", "weir-log", "weir-wire-log"]);
  assertEquals(field("h2").includes("weir-wire"), false, "it speaks HTTP/1.1 only");
  assertEquals(field("post-1kb").includes("floor"), false, "it answers GET only");
  assertEquals(field("connect").includes("nginx"), false, "its tuned configuration stands for it");
  assertEquals(
    field("connect", { ...FULL, only: ["nginx"] }).includes("nginx"),
    true,
    "unless it is asked for",
  );
});

Deno.test("estimateSeconds() keeps a full run below twenty-five minutes, and a quick one below two minutes", () => {
  assert(estimateSeconds(SCENARIOS, CONTESTANTS, FULL) < 25 * 60);
  assertEquals(estimateSeconds(SCENARIOS, CONTESTANTS, { ...FULL, quick: true }), 120);
});

Deno.test("drawChart() is well-formed XML whatever the labels hold, in both themes", () => {
  const chart: Chart = {
    title: 'a < b & "c"',
    note: "less is better",
    rows: [{ label: "<weir>", kind: "weir" }, { label: "peer & co", kind: "peer" }],
    reference: 1,
    sameScale: false,
    columns: [
      { title: "1 KB", values: [{ median: 2, min: 1, max: 3 }, null], print: String },
      { title: "nothing", values: [null, null], print: String },
    ],
  };
  for (const theme of ["light", "dark"] as const) {
    for (const reference of [0, 1, null]) assertWellFormed(drawChart({ ...chart, reference }, theme));
  }
});

/** Tags nest and close, attributes are quoted, and no bare `&` or `<` is left. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)(\w+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g,
    (_, closing, name, _attributes, empty) => {
      if (closing) assertEquals(open.pop(), name);
      else if (!empty) open.push(name);
      return "";
    },
  );
  assertEquals(open, []);
  assert(!rest.includes("<"), rest);
  assert(!/&(?!#\d+;)/.test(rest), rest);
  assert(!/NaN|undefined|Infinity/.test(xml), xml);
}

Deno.test("drawChart() makes bars of two columns comparable where they share a scale", () => {
  const column = (value: number) => ({
    title: String(value),
    values: [{ median: value, min: value, max: value }],
    print: String,
  });
  const rows = [{ label: "weir", kind: "weir" as const }];
  const chart = { title: "", note: "", rows, reference: null, columns: [column(1), column(2)] };
  const widths = (sameScale: boolean) =>
    [...drawChart({ ...chart, sameScale }, "light").matchAll(/<rect [^>]*width="([\d.]+)"/g)]
      .map(([, width]) => Number(width));
  const [one = 0, two = 0] = widths(true);
  assertEquals(two / one, 2);
  assertEquals(new Set(widths(false)).size, 1);
});

Deno.test("escapeXml() escapes what markup is made of", () => {
  assertEquals(escapeXml('<a href="b">&'), "&#60;a href=&#34;b&#34;&#62;&#38;");
});

Deno.test("fillSections() replaces what is between the marks and keeps the prose", () => {
  const page = "prose\n<!-- bench a -->\nold\n<!-- /bench a -->\nmore";
  const filled = fillSections(page, { a: "new" });
  assertEquals(filled, "prose\n<!-- bench a -->\nnew\n<!-- /bench a -->\nmore");
  assertEquals(fillSections(filled, { a: "new" }), filled);
  assertThrows(() => fillSections(page, { b: "new" }), Error, "<!-- bench b -->");
});
