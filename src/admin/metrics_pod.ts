// Metrics of the pod, its workers and its routes.

import { RouteField, STATUS_CLASSES, WorkerField } from "../board/fields.ts";
import { ColumnCell } from "../board/layout.ts";
import { by, type Metric, ofPod, ofRoute, ofWorker } from "./metric_table.ts";
import { CERTIFICATE_CHANGES } from "./view.ts";
import { loopDelayMaxMs, type Reading } from "./reading.ts";
import type { RouteInfo, WorkerInfo } from "./view.ts";

const total = (field: number) => (_: null, reading: Reading) => reading.totals.worker(field);

export const podMetrics: readonly Metric[] = ofPod([
  ["info", "weir_build", "Version of Weir and of Deno.", ["version", "deno"], (_, { pod }) => ({
    labels: [pod.version, pod.deno],
    value: 1,
  })],
  [
    "gauge",
    "weir_start_time_seconds",
    "When the pod started, seconds since 1970.",
    [],
    (_, { pod }) => pod.startedAt / 1000,
  ],
  ["gauge", "weir_ready", "1 while /readyz passes.", [], (_, { probes }) => Number(probes.ready)],
  ["gauge", "weir_draining", "1 from the stop signal on.", [], (_, { pod }) => Number(pod.draining !== null)],
  [
    "gauge",
    "weir_config_version",
    "Version of the configuration that is served.",
    [],
    (_, { config }) => config.version,
  ],
  [
    "gauge",
    "weir_config_last_reload_success",
    "1 if the last reload was applied, 0 if it was refused; 1 before any.",
    [],
    (_, { config }) => Number(config.lastReload?.ok ?? true),
  ],
  [
    "gauge",
    "weir_config_last_reload_timestamp_seconds",
    "When the last reload was tried, seconds since 1970; 0 before any.",
    [],
    (_, { config }) => (config.lastReload?.at ?? 0) / 1000,
  ],
  [
    "gauge",
    "weir_certificate_expiry_timestamp_seconds",
    "When the listener's certificate expires, seconds since 1970; absent without TLS.",
    [],
    (_, { certificate }) => certificate === null ? [] : certificate.notAfter / 1000,
  ],
  [
    "gauge",
    "weir_certificate_last_change_success",
    "1 if what stands in the certificate's files is served, 0 if it was refused; absent without TLS.",
    [],
    (_, { certificate }) => certificate === null ? [] : Number(certificate.problem === null),
  ],
  [
    "counter",
    "weir_certificate_changes",
    "Other certificates found in the files since the start; absent without TLS.",
    ["result"],
    (_, { certificate }) =>
      certificate === null
        ? []
        : by(CERTIFICATE_CHANGES, (i) => certificate.changes[CERTIFICATE_CHANGES[i]!]),
  ],
  [
    "gauge",
    "weir_memory_resident_bytes",
    "Resident memory of the process.",
    [],
    (_, { pod }) => pod.residentBytes,
  ],
  ["gauge", "weir_memory_heap_bytes", "Heap of the main thread.", [], (_, { pod }) => pod.heapBytes],
  ["gauge", "weir_requests_in_flight", "Requests in the pod now.", [], (_, { board }) => board.podInFlight()],
  ["counter", "weir_requests", "Requests, counted when they end.", [], total(WorkerField.requests)],
  [
    "counter",
    "weir_connections",
    "Client connections accepted on the traffic port; absent for serve without TLS.",
    [],
    (_, { pod, totals }) => pod.knowsConnections ? totals.worker(WorkerField.connections) : [],
  ],
  ["counter", "weir_bad_requests", "Requests refused as malformed.", [], total(WorkerField.badRequests)],
  [
    "counter",
    "weir_client_gone",
    "Requests whose client left before the answer ended.",
    [],
    total(WorkerField.clientGone),
  ],
  [
    "counter",
    "weir_in_flight_rejected",
    "Requests refused because limits.inFlightMax was reached.",
    [],
    total(WorkerField.rejectedInFlight),
  ],
  [
    "counter",
    "weir_truncated",
    "Answers cut because the endpoint broke off, the request did, or `timeouts.requestMs` was over.",
    [],
    total(WorkerField.truncated),
  ],
  ["counter", "weir_websockets", "WebSockets opened.", [], total(WorkerField.webSockets)],
  [
    "counter",
    "weir_log_lines_dropped",
    "Log lines dropped because stdout was full, or closed.",
    [],
    (_, { pod }) => pod.logLinesDropped,
  ],
  ["counter", "weir_relistens", "Times a worker had to listen again.", [], total(WorkerField.relistens)],
]);

/** Gauges of a worker are 0 while it is not alive. */
const cell = (which: number) => (worker: WorkerInfo, { totals }: Reading) =>
  worker.column === null ? 0 : totals.cellOf(worker.column, which);
const figure = (field: number) => (worker: WorkerInfo, { totals }: Reading) =>
  worker.column === null ? 0 : totals.workerOf(worker.column, field);

export const workerMetrics: readonly Metric[] = ofWorker([
  [
    "gauge",
    "weir_worker_serving",
    "1 while the worker serves.",
    [],
    (worker) => Number(worker.state === "serving"),
  ],
  ["counter", "weir_worker_restarts", "Times the worker was started again.", [], (worker) => worker.restarts],
  ["counter", "weir_worker_hangs", "Times the worker hung and was given up.", [], (worker) => worker.hangs],
  ["gauge", "weir_worker_requests_in_flight", "Requests at the worker now.", [], cell(ColumnCell.inFlight)],
  [
    "gauge",
    "weir_worker_connections",
    "Client connections open on the traffic port; absent for serve without TLS.",
    [],
    (worker, reading) => reading.pod.knowsConnections ? cell(ColumnCell.connections)(worker, reading) : [],
  ],
  ["gauge", "weir_worker_websockets", "WebSockets open.", [], cell(ColumnCell.webSockets)],
  [
    "gauge",
    "weir_worker_loop_delay_max_seconds",
    "Longest stall of the event loop in the last minute, one that lasts included.",
    [],
    (worker, reading) => loopDelayMaxMs(worker, reading) / 1000,
  ],
  ["gauge", "weir_worker_heap_bytes", "Heap of the worker.", [], figure(WorkerField.heapBytes)],
]);

const routeTotal = (field: number) => (route: RouteInfo, { totals }: Reading) =>
  totals.route(route.row, field);

export const routeMetrics: readonly Metric[] = ofRoute([
  [
    "counter",
    "weir_route_responses",
    "Answers by status class; `none`: the client left before one.",
    ["status_class"],
    (route, { totals }) => {
      const statuses = totals.routeStatuses(route.row);
      return by(STATUS_CLASSES, (i) => statuses[i]!);
    },
  ],
  [
    "histogram",
    "weir_route_duration_seconds",
    "From a request's arrival to the last byte of its answer.",
    [],
    (route, { totals }) => ({ labels: [], histogram: totals.routeLatency(route.row) }),
  ],
  ["counter", "weir_route_received_bytes", "Body bytes from clients.", [], routeTotal(RouteField.bytesIn)],
  ["counter", "weir_route_sent_bytes", "Body bytes to clients.", [], routeTotal(RouteField.bytesOut)],
  ["counter", "weir_route_rate_limited", "Requests answered 429.", [], routeTotal(RouteField.rateLimited)],
]);
