// The three charts: requests, errors and latency of the last five minutes.
// Colours come from the style sheet, so light and dark are decided in one place; lines differ by dash too.
// Pointing at a chart shows the figures of that second in all captions.

import { byId, clock, latency, percent, rate } from "./format.js";

const SPAN_MS = 300_000;
const HEIGHT = 132;

const DEFINITIONS = [
  {
    id: "chart-requests",
    show: rate,
    series: [{ label: "requests/s", colour: "--chart-1", fill: true, of: (p) => p.requestsPerSecond }],
  },
  {
    id: "chart-errors",
    show: percent,
    least: 2,
    series: [{
      label: "5xx",
      colour: "--chart-bad",
      fill: true,
      of: errorPercentOf,
    }],
  },
  {
    id: "chart-latency",
    show: latency,
    series: [
      { label: "p50", colour: "--chart-1", of: (p) => p.p50Ms },
      { label: "p90", colour: "--chart-2", dash: [6, 3], of: (p) => p.p90Ms },
      { label: "p99", colour: "--chart-3", dash: [2, 3], of: (p) => p.p99Ms },
    ],
  },
];

/** Errors in a hundred requests of one second. */
export function errorPercentOf({ requestsPerSecond, errorsPerSecond }) {
  return requestsPerSecond > 0 ? Math.min(100, errorsPerSecond / requestsPerSecond * 100) : 0;
}

export class Charts {
  points = [];
  plots = [];

  /** `onPoint` is told the point that is pointed at, or null. */
  constructor(onPoint) {
    this.onPoint = onPoint;
    this.draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    const fit = new ResizeObserver(() => this.fit());
    for (const { id } of DEFINITIONS) fit.observe(byId(id));
  }

  /** All points anew. */
  replace(points) {
    this.points = points;
    this.show();
  }

  /** One more point; one that is known already is not added again. */
  add(point) {
    const last = this.points.at(-1);
    if (point === undefined || point.at === last?.at) return;
    // The wall clock of the pod was set back.
    while (this.points.at(-1)?.at > point.at) this.points.pop();
    this.points.push(point);
    while (this.points.length > 0 && this.points[0].at < point.at - SPAN_MS) this.points.shift();
    this.show();
  }

  draw() {
    for (const plot of this.plots) plot.destroy();
    this.plots = DEFINITIONS.map((definition) => {
      const target = byId(definition.id);
      const all = options(definition, target.clientWidth || 300);
      all.hooks = { setCursor: [({ cursor }) => this.onPoint(this.points[cursor.idx] ?? null)] };
      return new uPlot(all, data(definition, this.points), target);
    });
  }

  show() {
    DEFINITIONS.forEach((definition, i) => this.plots[i].setData(data(definition, this.points)));
  }

  fit() {
    DEFINITIONS.forEach(({ id }, i) => {
      const width = byId(id).clientWidth;
      if (width > 0 && width !== this.plots[i].width) this.plots[i].setSize({ width, height: HEIGHT });
    });
  }
}

function data({ series }, points) {
  return [points.map((p) => p.at), ...series.map(({ of }) => points.map(of))];
}

function options({ series, show, least = 1 }, width) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return {
    width,
    height: HEIGHT,
    ms: 1,
    // On the right there is room for half of a time: a minute may be at the very end.
    padding: [8, 16, 0, 0],
    cursor: { sync: { key: "weir" }, points: { size: 6 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: {
      x: { time: true, range: (_, __, max) => [(max ?? Date.now()) - SPAN_MS, max ?? Date.now()] },
      y: { range: (_, __, max) => [0, Math.max(least, (max ?? 0) * 1.15)] },
    },
    axes: [
      {
        ...axis,
        size: 24,
        space: 40,
        incrs: [60_000],
        values: (_, at) => at.map((t) => clock(t).slice(0, 5)),
      },
      { ...axis, size: 54, space: 36, values: (_, values) => values.map(show) },
    ],
    series: [
      {},
      ...series.map((line) => ({
        label: line.label,
        stroke: colour(line.colour),
        fill: line.fill ? `${colour(line.colour)}22` : undefined,
        width: 1.75,
        dash: line.dash,
        points: { show: false },
      })),
    ],
  };
}
