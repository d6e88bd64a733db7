// Draws one chart as SVG text: a row for each contestant, a column for each scenario, a bar in each cell.
//
// Each column has a scale of its own, or all have one, starting at zero; the thin line on a bar's end reaches from the lowest to
// the highest round, and a dashed line carries one row's value through the column, to compare with. Text is text (no fonts, no scripts), the background is the page's, and each chart is drawn
// for a light and for a dark page. Pure: the same chart gives the same bytes.

import type { Spread } from "../statistics.ts";

export type Theme = "light" | "dark";
export type RowKind = "weir" | "peer" | "bound";

export interface Chart {
  readonly title: string;
  /** What is better, and whatever a reader has to know. */
  readonly note: string;
  readonly rows: readonly { readonly label: string; readonly kind: RowKind }[];
  /** The row that the dashed line belongs to; null for none. */
  readonly reference: number | null;
  /** Bars of different columns can be compared. */
  readonly sameScale: boolean;
  readonly columns: readonly {
    readonly title: string;
    /** By row; null where there is no figure. */
    readonly values: readonly (Spread | null)[];
    readonly print: (value: number) => string;
  }[];
}

const WIDTH = 860;
const LABELS = 150;
const COLUMN_GAP = 18;
/** Room behind a bar for its figure. */
const FIGURE = 62;
const HEAD = 84;
const ROW = 25;
const BAR = 15;
/** Between rows of different kinds. */
const GROUP_GAP = 9;

const COLOURS = {
  light: {
    text: "#1f2328",
    muted: "#59636e",
    line: "#d1d9e0",
    weir: "#0b7285",
    peer: "#9aa7b4",
    bound: "#cfd8e0",
  },
  dark: {
    text: "#f0f6fc",
    muted: "#9198a1",
    line: "#3d444d",
    weir: "#3bc9db",
    peer: "#6b7785",
    bound: "#434c56",
  },
} as const;

export function drawChart(chart: Chart, theme: Theme): string {
  const colours = COLOURS[theme];
  const height = bottomOf(chart) + 10;
  const columnWidth = (WIDTH - LABELS) / Math.max(1, chart.columns.length);
  const parts = [
    text(0, 22, chart.title, colours.text, 'font-size="17" font-weight="600"'),
    text(0, 43, noteOf(chart), colours.muted),
    ...chart.rows.map(({ label, kind }, row) =>
      text(0, middle(chart, row), label, colours.text, kind === "weir" ? 'font-weight="600"' : "")
    ),
    ...chart.columns.map((_, column) =>
      drawColumn(chart, column, LABELS + column * columnWidth, columnWidth, theme)
    ),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"` +
    ` role="img" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13">`,
    `<title>${escapeXml(chart.title)}</title>`,
    `<desc>${escapeXml(describe(chart))}</desc>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function drawColumn(chart: Chart, column: number, left: number, width: number, theme: Theme): string {
  const colours = COLOURS[theme];
  const { title, values, print } = chart.columns[column]!;
  const compared = chart.sameScale ? chart.columns.flatMap(({ values }) => values) : values;
  const longest = Math.max(...compared.map((value) => value?.max ?? 0), Number.MIN_VALUE);
  const scale = (value: number) => round(Math.max(0, value) / longest * (width - COLUMN_GAP - FIGURE));
  const bottom = bottomOf(chart);
  const reference = chart.reference === null ? null : values[chart.reference] ?? null;
  return [
    text(left, HEAD - 16, title, colours.muted, 'font-weight="600"'),
    `<path d="M${round(left)} ${HEAD - 6}V${bottom}" stroke="${colours.line}"/>`,
    ...(reference === null ? [] : [
      `<path d="M${round(left + scale(reference.median))} ${HEAD - 6}V${bottom}" stroke="${colours.text}"` +
      ` opacity="0.6" stroke-dasharray="2 3"/>`,
    ]),
    ...values.map((value, row) => {
      if (value === null) return text(left + 6, middle(chart, row), "–", colours.muted);
      const y = top(chart, row) + (ROW - BAR) / 2;
      const [end, low, high] = [scale(value.median), scale(value.min), scale(value.max)];
      const fill = colours[chart.rows[row]!.kind];
      return [
        `<rect x="${round(left)}" y="${y}" width="${end}" height="${BAR}" rx="2" fill="${fill}"/>`,
        `<path d="M${round(left + low)} ${y + BAR / 2}H${
          round(left + high)
        }" stroke="${colours.text}" opacity="0.55"/>`,
        text(left + high + 6, middle(chart, row), print(value.median), colours.text),
      ].join("\n");
    }),
  ].join("\n");
}

/** The chart in words, for those who hear it. */
function describe({ note, rows, columns }: Chart): string {
  const sentences = columns.map(({ title, values, print }) => {
    const figures = rows.map(({ label }, row) =>
      `${label} ${values[row] ? print(values[row].median) : "none"}`
    );
    return `${title}: ${figures.join(", ")}.`;
  });
  return `${note}. ${sentences.join(" ")}`;
}

function noteOf({ note, rows, reference }: Chart): string {
  return reference === null ? note : `${note}; dashed: ${rows[reference]!.label}`;
}

/** Of a row; rows of one kind stand together. */
function top({ rows }: Chart, row: number): number {
  const changes = rows.slice(1, row + 1).filter(({ kind }, at) => kind !== rows[at]!.kind).length;
  return HEAD + row * ROW + changes * GROUP_GAP;
}

function middle(chart: Chart, row: number): number {
  return top(chart, row) + ROW / 2 + 4.5;
}

function bottomOf(chart: Chart): number {
  return top(chart, chart.rows.length - 1) + ROW;
}

function text(x: number, y: number, content: string, fill: string, attributes = ""): string {
  return `<text x="${round(x)}" y="${y}" fill="${fill}"${attributes && ` ${attributes}`}>${
    escapeXml(content)
  }</text>`;
}

export function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
