// The JSON of /status: everything that the dashboard shows, and nothing that it does not.
//
// Pure: a reading of the pod and the traffic of the last moments in, plain data out. Times are milliseconds
// since 1970; rates and percentiles are over the last ten seconds (`traffic.ts`).

import { EndpointField, WorkerField } from "../board/fields.ts";
import { ColumnCell, EndpointCell, UpstreamCell } from "../board/layout.ts";
import {
  endpointCell,
  endpointState,
  type EndpointStateName,
  loopDelayMaxMs,
  type Reading,
  upstreamCell,
} from "./reading.ts";
import type { EndpointStatus, Status, UpstreamStatus, WorkerStatus } from "./status_shape.ts";
import { rowKey, type TrafficMeter } from "./traffic.ts";
import { verdict } from "./verdict.ts";
import type { EndpointInfo, PodEvent, UpstreamInfo, WorkerInfo } from "./view.ts";

/** What /status says at `at`, milliseconds since 1970. */
export function status(
  at: number,
  reading: Reading,
  meter: TrafficMeter,
  events: readonly PodEvent[],
): Status {
  const body = {
    at,
    pod: reading.pod,
    probes: reading.probes,
    now: {
      ...meter.pod(),
      inFlight: reading.board.podInFlight(),
      rejectedPerSecond: meter.of(rowKey.rejected).errorsPerSecond,
    },
    upstreams: reading.upstreams.map((upstream) => upstreamStatus(upstream, reading, meter)),
    routes: reading.routes.map(({ name, target }) => ({ name, target, ...meter.of(rowKey.route(name)) })),
    workers: reading.workers.map((worker) => workerStatus(worker, reading)),
    config: reading.config,
    certificate: reading.certificate,
    events,
  };
  return { ...body, verdict: verdict(body) };
}

function upstreamStatus(upstream: UpstreamInfo, reading: Reading, meter: TrafficMeter): UpstreamStatus {
  const { name, policy, health, whenAllUnhealthy, leftOut, discovery } = upstream;
  const traffic = meter.of(rowKey.upstream(name));
  return {
    name,
    policy,
    health,
    whenAllUnhealthy,
    inFlight: reading.board.upstreamInFlight(upstream.row),
    waiting: reading.board.upstreamWaiting(upstream.row),
    requestsPerSecond: traffic.requestsPerSecond,
    retriesPerSecond: traffic.errorsPerSecond,
    crowdedOutPerSecond: meter.of(rowKey.crowdedOut(name)).errorsPerSecond,
    retryBudgetLeft: upstreamCell(reading, upstream, UpstreamCell.budgetMilli) / 1000,
    endpoints: upstream.endpoints.map((endpoint) => endpointStatus(name, endpoint, reading, meter)),
    leftOut,
    discovery,
  };
}

function endpointStatus(
  upstream: string,
  endpoint: EndpointInfo,
  reading: Reading,
  meter: TrafficMeter,
): EndpointStatus {
  const { id, row, weight, backup, lastCheck, ejection } = endpoint;
  const state = endpointState(reading, endpoint);
  return {
    id,
    state,
    why: why(state, endpoint),
    weight: reading.verdicts.weightNow(endpoint.row, endpoint.weight),
    weightConfigured: weight,
    backup,
    inFlight: reading.board.endpointInFlight(row),
    ...meter.of(rowKey.endpoint(upstream, id)),
    ejectedUntil: ejection?.until ?? null,
    lastCheck,
    consecutiveFailures: reading.verdicts.consecutiveFailures(row),
    pool: {
      idle: reading.board.endpointIdleConnections(endpoint.row),
      opened: reading.totals.endpoint(row, EndpointField.connectionsOpened),
      reused: reading.totals.endpoint(row, EndpointField.connectionsReused),
      resetsOnReuse: reading.totals.endpoint(row, EndpointField.resetsOnReuse),
      idleLimitMs: endpointCell(reading, endpoint, EndpointCell.idleLimitSeenMs),
    },
  };
}

function why(state: EndpointStateName, { ejection, healthReason }: EndpointInfo): string | null {
  switch (state) {
    case "ejected":
      return ejection?.why ?? null;
    case "unhealthy":
      return healthReason;
    case "unchecked":
      return "takes no traffic before its first check";
    case "draining":
      return "takes no new clients";
    case "leaving":
      return "left discovery, finishes what it has";
    case "serving":
      return null;
  }
}

function workerStatus(worker: WorkerInfo, reading: Reading): WorkerStatus {
  const { totals, pod } = reading;
  const { column } = worker;
  const cell = (which: number) => column === null ? 0 : totals.cellOf(column, which);
  const figure = (field: number) => column === null ? 0 : totals.workerOf(column, field);
  return {
    ...worker,
    inFlight: cell(ColumnCell.inFlight),
    connections: pod.knowsConnections ? cell(ColumnCell.connections) : null,
    webSockets: cell(ColumnCell.webSockets),
    loopDelayMaxMs: loopDelayMaxMs(worker, reading),
    heapBytes: figure(WorkerField.heapBytes),
  };
}
