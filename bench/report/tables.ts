// The results as text: one markdown table per scenario, readable in a terminal too, and the targets as lines.

import { CONTESTANTS } from "../contestants.ts";
import { type FigureName, FIGURES } from "../figures.ts";
import {
  type Cell,
  faultyRounds,
  figureOf,
  isValid,
  ratioOf,
  REFERENCES,
  type Results,
  type ScenarioResult,
} from "../results.ts";
import { SEED_SCENARIOS } from "../scenarios.ts";
import type { Spread } from "../statistics.ts";
import type { Verdict } from "../targets.ts";

/** A scenario's table: a row for each contestant, a column for each figure that any of them has, then ratios. */
export function scenarioTable(scenario: ScenarioResult): string {
  const names = Object.keys(FIGURES) as FigureName[];
  const figures = names.filter((figure) => scenario.cells.some((cell) => figureOf(cell, figure) !== null));
  const main = figures[0];
  const references = REFERENCES.filter((name) =>
    scenario.cells.some(({ contestant }) => contestant === name)
  );
  const head = [
    "",
    ...figures.map((figure) => FIGURES[figure].title),
    ...references.map((name) => `x ${name}`),
  ];
  const rows = scenario.cells.map((cell) => {
    const left = faultyRounds(cell);
    const why = cell.faults.join(", ");
    if (!isValid(cell)) return [cell.title, `INVALID: ${why}`];
    const ratios = references.map((to) =>
      main === undefined ? "" : ratio(ratioOf(scenario, main, cell.contestant, to))
    );
    const title = left === 0 ? cell.title : `${cell.title} (${left} rounds left out: ${why})`;
    return [title, ...figures.map((figure) => figureText(cell, figure)), ...ratios];
  });
  return markdownTable(head, rows);
}

/** CPU per request in the seed's scenarios, and what it is in units of tuned nginx. */
export function ratioTable({ scenarios }: Results): string {
  const shown = scenarios.filter(({ name }) => SEED_SCENARIOS.includes(name));
  const named = CONTESTANTS.filter(({ name }) =>
    shown.some(({ cells }) => cells.some((cell) => cell.contestant === name))
  );
  const rows = named.map(({ name, title }) => [
    title,
    ...shown.map((scenario) => {
      const cell = scenario.cells.find(({ contestant }) => contestant === name);
      const spread = cell === undefined ? null : figureOf(cell, "cpuMicros");
      if (spread === null) return "-";
      const times = ratio(ratioOf(scenario, "cpuMicros", name, "nginx-tuned"));
      return `${FIGURES.cpuMicros.print(spread.median)} (${times})`;
    }),
  ]).filter((row) => row.slice(1).some((entry) => entry !== "-"));
  return markdownTable(["CPU µs/request (x nginx, tuned)", ...shown.map(({ title }) => title)], rows);
}

/** `19.1 (18.7-19.8)`: the median and, in parentheses, the lowest and the highest round. */
function figureText(cell: Cell, figure: FigureName): string {
  const spread = figureOf(cell, figure);
  if (spread === null) return "-";
  const { print } = FIGURES[figure];
  const [median, min, max] = [print(spread.median), print(spread.min), print(spread.max)];
  return min === max ? median : `${median} (${min}-${max})`;
}

function ratio(spread: Spread | null): string {
  return spread === null ? "-" : spread.median.toFixed(2);
}

/** Cells are padded, so that the table reads as one in a terminal; short rows are filled up. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(
      3,
      title.length,
      ...rows.map((row) => row.length < head.length && column > 0 ? 0 : row[column]!.length),
    )
  );
  const line = (cells: readonly string[]) =>
    `| ${head.map((_, column) => (cells[column] ?? "").padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${
    widths.map((width, column) => column === 0 ? "-".repeat(width) : "-".repeat(width - 1) + ":").join(" | ")
  } |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

export function targetLines(verdicts: readonly Verdict[]): string {
  const width = "not measured".length;
  return [
    "targets, as medians of ratios",
    ...verdicts.map(({ state, text }) => `  ${state.padEnd(width)}  ${text}`),
  ]
    .join("\n");
}
