// Everything that /metrics tells: all tables in the order in which they are printed.
//
// A metric is a line in one of the tables; `docs/metrics.md` holds the same lines and a test compares the two.

import { exposition, type Format } from "./exposition.ts";
import type { Metric } from "./metric_table.ts";
import { endpointMetrics } from "./metrics_endpoint.ts";
import { podMetrics, routeMetrics, workerMetrics } from "./metrics_pod.ts";
import { discoveryMetrics, upstreamMetrics } from "./metrics_upstream.ts";
import type { Reading } from "./reading.ts";

export const ALL_METRICS: readonly Metric[] = [
  ...podMetrics,
  ...workerMetrics,
  ...routeMetrics,
  ...upstreamMetrics,
  ...discoveryMetrics,
  ...endpointMetrics,
];

/** The page that a scraper gets. */
export function metricsPage(reading: Reading, format: Format): string {
  return exposition(ALL_METRICS.map((metric) => [metric, metric.series(reading)] as const), format);
}
