// The two text formats in which metrics leave: Prometheus 0.0.4 and OpenMetrics 1.0.
//
// Pure: families and their series in, text out. What differs between the formats is here and nowhere else.
// Sources: prometheus.io/docs/instrumenting/exposition_formats; OpenMetrics 1.0 (github.com/prometheus/OpenMetrics).

import { LATENCY_BOUNDS_MS } from "../board/fields.ts";
import type { Histogram } from "../board/histogram.ts";

/** The text formats by their names. */
export type Format = "prometheus" | "openmetrics";

/** What an answer in each format is called. */
export const CONTENT_TYPE: Readonly<Record<Format, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** A metric as it is defined; its series come with each reading. */
export interface MetricDefinition {
  /** Without the suffixes that a type adds (`_total`, `_info`, `_bucket`, `_sum`, `_count`). */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram" | "info";
  readonly help: string;
  readonly labels: readonly string[];
}

/** One series: values of the labels, in the order of the definition, and its value now. */
export type Series =
  | { readonly labels: readonly string[]; readonly value: number }
  | { readonly labels: readonly string[]; readonly histogram: Histogram };

/** The name under which a scraper stores a metric: what a query has to say. */
export function publicName(metric: MetricDefinition): string {
  if (metric.type === "counter") return `${metric.name}_total`;
  return metric.type === "info" ? `${metric.name}_info` : metric.name;
}

/** The whole page. */
export function exposition(
  metrics: Iterable<readonly [MetricDefinition, Iterable<Series>]>,
  format: Format,
): string {
  const lines: string[] = [];
  for (const [metric, series] of metrics) {
    head(lines, metric, format);
    for (const one of series) sample(lines, metric, one);
  }
  if (format === "openmetrics") lines.push("# EOF");
  return lines.join("\n") + "\n";
}

const UNITS = ["seconds", "bytes"] as const;

function head(lines: string[], metric: MetricDefinition, format: Format): void {
  const open = format === "openmetrics";
  // OpenMetrics names the family, the older format the sample.
  const family = open ? metric.name : publicName(metric);
  const type = metric.type === "info" && !open ? "gauge" : metric.type;
  const unit = UNITS.find((unit) => metric.name.endsWith(`_${unit}`));
  lines.push(`# HELP ${family} ${open ? escapeLabel(metric.help) : escapeHelp(metric.help)}`);
  lines.push(`# TYPE ${family} ${type}`);
  if (open && unit !== undefined) lines.push(`# UNIT ${family} ${unit}`);
}

function sample(lines: string[], metric: MetricDefinition, series: Series): void {
  const labels = metric.labels.map((name, i) => `${name}="${escapeLabel(series.labels[i]!)}"`).join(",");
  if ("value" in series) {
    lines.push(`${publicName(metric)}${braced(labels)} ${number(series.value)}`);
    return;
  }
  const lead = labels === "" ? "" : `${labels},`;
  let cumulative = 0;
  series.histogram.counts.forEach((count, i) => {
    cumulative += count;
    lines.push(`${metric.name}_bucket{${lead}le="${LE_LABELS[i]!}"} ${number(cumulative)}`);
  });
  lines.push(`${metric.name}_sum${braced(labels)} ${number(series.histogram.sumMs / 1000)}`);
  lines.push(`${metric.name}_count${braced(labels)} ${number(cumulative)}`);
}

/** Bounds in seconds, whole ones as `1.0`: OpenMetrics asks for it, and one series keeps one name in both. */
const LE_LABELS: readonly string[] = [
  ...LATENCY_BOUNDS_MS.map((ms) => ms % 1000 === 0 ? `${ms / 1000}.0` : String(ms / 1000)),
  "+Inf",
];

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function number(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  // Hardly any label needs it, and a page has thousands.
  return /["\\\n]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text;
}
