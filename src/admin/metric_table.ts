// The shape of a metric in the tables of this room, and the few ways in which one is read.
//
// A metric is one line in `metrics_pod.ts`, `metrics_upstream.ts` or `metrics_endpoint.ts`: its public name,
// its help and where it stands on the board. Labels are bounded by configuration, never by what clients send.

import type { MetricDefinition, Series } from "./exposition.ts";
import type { Reading } from "./reading.ts";
import type { DiscoveryInfo, EndpointInfo, RouteInfo, UpstreamInfo, WorkerInfo } from "./view.ts";

export interface Metric extends MetricDefinition {
  series(reading: Reading): Iterable<Series>;
}

type Value = number | Series | readonly Series[];

/** Puts the subject's own labels in front of those of each value. */
function labelled(own: readonly string[], value: Value): Series[] {
  if (typeof value === "number") return [{ labels: own, value }];
  const many = "labels" in value ? [value] : value;
  return many.map((series) => ({ ...series, labels: [...own, ...series.labels] }));
}

/** `{ value }` for each name, the name being the label. */
export function by(names: readonly string[], value: (index: number) => number): Series[] {
  return names.map((name, index) => ({ labels: [name], value: value(index) }));
}

type Columns<Subject> = readonly [
  type: MetricDefinition["type"],
  name: string,
  help: string,
  /** Labels beyond the subject's own. */
  labels: readonly string[],
  value: (subject: Subject, reading: Reading) => Value,
];

function table<Subject>(
  ownLabels: readonly string[],
  subjects: (reading: Reading) => Iterable<readonly [readonly string[], Subject]>,
  rows: readonly Columns<Subject>[],
): Metric[] {
  return rows.map(([type, name, help, labels, value]) => ({
    type,
    name,
    help,
    labels: [...ownLabels, ...labels],
    *series(reading) {
      for (const [own, subject] of subjects(reading)) yield* labelled(own, value(subject, reading));
    },
  }));
}

export const ofPod = (rows: readonly Columns<null>[]) => table([], () => [[[], null]], rows);

export const ofWorker = (rows: readonly Columns<WorkerInfo>[]) =>
  table(["worker"], (r) => r.workers.map((w) => [[String(w.index)], w] as const), rows);

export const ofUpstream = (rows: readonly Columns<UpstreamInfo>[]) =>
  table(["upstream"], (r) => r.upstreams.map((u) => [[u.name], u] as const), rows);

export const ofDiscovery = (rows: readonly Columns<DiscoveryInfo>[]) =>
  table(
    ["upstream", "source"],
    (r) => r.upstreams.flatMap((u) => u.discovery.map((d) => [[u.name, d.source], d] as const)),
    rows,
  );

export const ofEndpoint = (rows: readonly Columns<EndpointInfo>[]) =>
  table(
    ["upstream", "endpoint"],
    (r) => r.upstreams.flatMap((u) => u.endpoints.map((e) => [[u.name, e.id], e] as const)),
    rows,
  );

export const ofRoute = (rows: readonly Columns<RouteInfo>[]) =>
  table(["route"], (r) => r.routes.map((route) => [[route.name], route] as const), rows);
