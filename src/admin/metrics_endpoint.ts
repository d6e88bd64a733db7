// Metrics of endpoints: what Weir sent to each and how it fared.

import { EndpointField, STATUS_CLASSES } from "../board/fields.ts";
import { EndpointCell } from "../board/layout.ts";
import { by, type Metric, ofEndpoint } from "./metric_table.ts";
import { ENDPOINT_STATES, endpointCell, endpointState, type Reading } from "./reading.ts";
import { EJECTION_REASONS, type EndpointInfo } from "./view.ts";

const total = (field: number) => (endpoint: EndpointInfo, { totals }: Reading) =>
  totals.endpoint(endpoint.row, field);

const FAILURES = {
  connect: EndpointField.connectFailures,
  reset: EndpointField.resets,
  timeout: EndpointField.timeouts,
  malformed: EndpointField.malformed,
};

export const endpointMetrics: readonly Metric[] = ofEndpoint([
  [
    "counter",
    "weir_endpoint_attempts",
    "Attempts at the endpoint, retries counted; not those that the client ended before an answer.",
    [],
    total(EndpointField.attempts),
  ],
  ["counter", "weir_endpoint_responses", "Its answers by status class; `none`: there was none.", [
    "status_class",
  ], (endpoint, { totals }) => {
    const statuses = totals.endpointStatuses(endpoint.row);
    return by(STATUS_CLASSES, (i) => statuses[i]!);
  }],
  [
    "counter",
    "weir_endpoint_failures",
    "Attempts without a whole answer, by cause; `connect`: no connection, or no TLS.",
    ["reason"],
    (
      endpoint,
      { totals },
    ) => by(Object.keys(FAILURES), (i) => totals.endpoint(endpoint.row, Object.values(FAILURES)[i]!)),
  ],
  [
    "counter",
    "weir_endpoint_gateway_failures",
    "Failures and 502, 503, 504: what ejection counts.",
    [],
    total(EndpointField.gatewayFailures),
  ],
  [
    "histogram",
    "weir_endpoint_head_duration_seconds",
    "From the attempt's start, or from the last byte of the client's body, to the response head; 0 for one that " +
    "comes before that byte.",
    [],
    (endpoint, { totals }) => ({ labels: [], histogram: totals.endpointHeadLatency(endpoint.row) }),
  ],
  [
    "histogram",
    "weir_endpoint_duration_seconds",
    "From the attempt's start to the last byte of the answer.",
    [],
    (endpoint, { totals }) => ({ labels: [], histogram: totals.endpointTotalLatency(endpoint.row) }),
  ],
  [
    "counter",
    "weir_endpoint_sent_bytes",
    "Bytes sent to the endpoint, heads included.",
    [],
    total(EndpointField.bytesToUpstream),
  ],
  [
    "counter",
    "weir_endpoint_received_bytes",
    "Bytes that came from the endpoint, heads included.",
    [],
    total(EndpointField.bytesFromUpstream),
  ],
  [
    "gauge",
    "weir_endpoint_requests_in_flight",
    "Requests at the endpoint now.",
    [],
    (endpoint, { board }) => board.endpointInFlight(endpoint.row),
  ],
  [
    "counter",
    "weir_endpoint_connections_opened",
    "Connections made to the endpoint.",
    [],
    total(EndpointField.connectionsOpened),
  ],
  [
    "counter",
    "weir_endpoint_connections_reused",
    "Attempts on a connection that had served before.",
    [],
    total(EndpointField.connectionsReused),
  ],
  [
    "counter",
    "weir_endpoint_connections_closed",
    "Connections closed by either side.",
    [],
    total(EndpointField.connectionsClosed),
  ],
  ["gauge", "weir_endpoint_connections_idle", "Connections kept for the next request.", [], (
    endpoint,
    { board },
  ) => board.endpointIdleConnections(endpoint.row)],
  [
    "counter",
    "weir_endpoint_reused_resets",
    "Kept connections found dead before the first answer byte.",
    [],
    total(EndpointField.resetsOnReuse),
  ],
  [
    "gauge",
    "weir_endpoint_idle_limit_seconds",
    "Idle time learned after which the endpoint closes; 0: none.",
    [],
    (endpoint, reading) => endpointCell(reading, endpoint, EndpointCell.idleLimitSeenMs) / 1000,
  ],
  ["gauge", "weir_endpoint_state", "1 for the state it is in, 0 for the others.", ["state"], (
    endpoint,
    reading,
  ) => {
    const state = endpointState(reading, endpoint);
    return by(ENDPOINT_STATES, (i) => Number(ENDPOINT_STATES[i] === state));
  }],
  ["gauge", "weir_endpoint_weight", "Its weight now: configured weight times its slow-start share.", [], (
    endpoint,
    reading,
  ) => reading.verdicts.weightNow(endpoint.row, endpoint.weight)],
  ["counter", "weir_endpoint_ejections", "Times it was taken out for failing traffic.", ["reason"], (
    endpoint,
  ) => by(EJECTION_REASONS, (i) => endpoint.ejections[EJECTION_REASONS[i]!])],
  ["counter", "weir_endpoint_checks", "Health checks by result.", ["result"], (endpoint) => [
    { labels: ["passed"], value: endpoint.checksPassed },
    { labels: ["failed"], value: endpoint.checksFailed },
  ]],
  [
    "gauge",
    "weir_endpoint_last_check_success",
    "1 if the last health check passed; absent before any, and where checks are off.",
    [],
    (
      endpoint,
    ) => endpoint.lastCheck === null ? [] : Number(endpoint.lastCheck.passed),
  ],
  [
    "gauge",
    "weir_endpoint_last_check_timestamp_seconds",
    "When it was last checked; absent before any, and where checks are off.",
    [],
    (
      endpoint,
    ) => endpoint.lastCheck === null ? [] : endpoint.lastCheck.at / 1000,
  ],
]);
