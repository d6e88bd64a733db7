// Metrics of upstreams: what their clients asked and what became of it, and how their endpoints are found.

import { BY_METHOD, METHODS, RETRY_REASONS, STATUS_CLASSES, UpstreamField } from "../board/fields.ts";
import type { Series } from "./exposition.ts";
import { by, type Metric, ofDiscovery, ofUpstream } from "./metric_table.ts";
import { UpstreamCell } from "../board/layout.ts";
import { ENDPOINT_STATES, endpointState, type Reading, upstreamCell } from "./reading.ts";
import type { UpstreamInfo } from "./view.ts";

const total = (field: number) => (upstream: UpstreamInfo, { totals }: Reading) =>
  totals.upstream(upstream.row, field);

/** Methods that never came are left out; a counter that appears starts at its true value. */
function byMethodAndStatus(upstream: UpstreamInfo, { totals }: Reading): Series[] {
  return METHODS.flatMap((method, m) =>
    STATUS_CLASSES.map((statusClass, s) => ({
      labels: [method, statusClass],
      value: totals.upstream(upstream.row, BY_METHOD + m * STATUS_CLASSES.length + s),
    })).filter(({ value }) => value > 0)
  );
}

export const upstreamMetrics: readonly Metric[] = ofUpstream([
  [
    "counter",
    "weir_upstream_requests",
    "Requests for the upstream, also those that no endpoint got; retries not counted.",
    [],
    total(UpstreamField.requests),
  ],
  [
    "counter",
    "weir_upstream_responses",
    "Answers by method and status class.",
    ["method", "status_class"],
    byMethodAndStatus,
  ],
  [
    "gauge",
    "weir_upstream_requests_in_flight",
    "Requests in the upstream now.",
    [],
    (upstream, { board }) => board.upstreamInFlight(upstream.row),
  ],
  ["counter", "weir_upstream_retries", "Further attempts by what made them necessary.", ["reason"], (
    upstream,
    { totals },
  ) => by(RETRY_REASONS, (i) => totals.upstream(upstream.row, UpstreamField.retryConnect + i))],
  [
    "counter",
    "weir_upstream_retry_budget_exhausted",
    "Retries not made because the budget was spent.",
    [],
    total(UpstreamField.retryBudgetExhausted),
  ],
  [
    "gauge",
    "weir_upstream_retry_budget_left",
    "Retries that the budget holds now.",
    [],
    (upstream, reading) => upstreamCell(reading, upstream, UpstreamCell.budgetMilli) / 1000,
  ],
  [
    "counter",
    "weir_upstream_no_endpoint",
    "Requests refused because no endpoint could take them.",
    [],
    total(UpstreamField.noEndpoint),
  ],
  [
    "counter",
    "weir_upstream_panic_picks",
    "Picks among all endpoints because too few were usable.",
    [],
    total(UpstreamField.panicPicks),
  ],
  [
    "gauge",
    "weir_upstream_queue_waiting",
    "Requests that wait for an endpoint now.",
    [],
    (upstream, { board }) => board.upstreamWaiting(upstream.row),
  ],
  [
    "counter",
    "weir_upstream_queued",
    "Requests that had to wait for an endpoint.",
    [],
    total(UpstreamField.queued),
  ],
  [
    "counter",
    "weir_upstream_queue_timeouts",
    "Requests that waited too long.",
    [],
    total(UpstreamField.queueTimeouts),
  ],
  [
    "counter",
    "weir_upstream_queue_full",
    "Requests refused because the queue was full.",
    [],
    total(UpstreamField.queueFull),
  ],
  ["gauge", "weir_upstream_endpoints", "Endpoints by state.", ["state"], (upstream, reading) => {
    const states = upstream.endpoints.map((endpoint) => endpointState(reading, endpoint));
    return by(ENDPOINT_STATES, (i) => states.filter((state) => state === ENDPOINT_STATES[i]).length);
  }],
]);

export const discoveryMetrics: readonly Metric[] = ofDiscovery([
  [
    "gauge",
    "weir_discovery_failing",
    "1 while the address is not answered as it should be, or by no endpoint; 0 otherwise.",
    [],
    ({ problem }) => Number(problem !== null),
  ],
  [
    "gauge",
    "weir_discovery_last_answer_timestamp_seconds",
    "When the address was last answered in full, seconds since 1970; absent before the first answer.",
    [],
    ({ answeredAt }) => answeredAt === null ? [] : answeredAt / 1000,
  ],
]);
