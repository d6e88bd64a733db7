// The JSON of /status: everything that the dashboard shows, and nothing that it does not.
//
// Pure: a reading of the pod and the traffic of the last moments in, plain data out. Times are milliseconds
// since 1970; rates and percentiles are over the last ten seconds (`traffic.ts`).

import { EndpointField, WorkerField } from "../board/fields.ts";
import { ColumnCell, EndpointCell, UpstreamCell } from "../board/layout.ts";
import { endpointCell } from "./metrics_endpoint.ts";
import { upstreamCell } from "./metrics_upstream.ts";
import { endpointState, type EndpointStateName, type Reading } from "./reading.ts";
import type {
  CertificateInfo,
  CheckInfo,
  ConfigInfo,
  DiscoveryInfo,
  EndpointInfo,
  PodEvent,
  PodInfo,
  ProbeState,
  UpstreamInfo,
  WorkerInfo,
} from "./sources.ts";
import { rowKey, type Traffic, type TrafficMeter } from "./traffic.ts";
import { type Verdict, verdict } from "./verdict.ts";

export interface Status {
  readonly at: number;
  readonly verdict: Verdict;
  readonly pod: PodInfo;
  readonly probes: ProbeState;
  readonly now: Traffic & { readonly inFlight: number };
  readonly upstreams: readonly UpstreamStatus[];
  readonly routes: readonly RouteStatus[];
  readonly workers: readonly WorkerStatus[];
  readonly config: ConfigInfo;
  /** Null without TLS. */
  readonly certificate: CertificateInfo | null;
  /** Oldest first. */
  readonly events: readonly PodEvent[];
}

export interface UpstreamStatus {
  readonly name: string;
  readonly policy: string;
  readonly health: string;
  readonly whenAllUnhealthy: "panic" | "fail";
  readonly inFlight: number;
  readonly waiting: number;
  readonly requestsPerSecond: number;
  readonly retriesPerSecond: number;
  readonly retryBudgetLeft: number;
  readonly endpoints: readonly EndpointStatus[];
  /** Endpoints that discovery found and that the pod has no room for. */
  readonly leftOut: number;
  /** Its addresses that are looked up. */
  readonly discovery: readonly DiscoveryInfo[];
}

export interface EndpointStatus extends Traffic {
  readonly id: string;
  readonly state: EndpointStateName;
  /** Why it does not serve; null when it does. */
  readonly why: string | null;
  /** Now, with slow start. */
  readonly weight: number;
  readonly weightConfigured: number;
  readonly backup: boolean;
  readonly inFlight: number;
  /** Null while it is not ejected. */
  readonly ejectedUntil: number | null;
  readonly lastCheck: CheckInfo | null;
  readonly consecutiveFailures: number;
  readonly pool: PoolStatus;
}

/** Connections to one endpoint. */
export interface PoolStatus {
  readonly idle: number;
  readonly opened: number;
  readonly reused: number;
  readonly resetsOnReuse: number;
  /** Learned idle limit; 0 when none is known. */
  readonly idleLimitMs: number;
}

export interface RouteStatus extends Traffic {
  readonly name: string;
  readonly target: string;
}

export interface WorkerStatus extends WorkerInfo {
  readonly inFlight: number;
  /** Of clients, open now; null where the listener does not know. */
  readonly connections: number | null;
  readonly webSockets: number;
  readonly loopDelayMaxMs: number;
  readonly heapBytes: number;
}

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
    now: { ...meter.pod(), inFlight: reading.board.podInFlight() },
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

function workerStatus(worker: WorkerInfo, { totals, pod }: Reading): WorkerStatus {
  const { column } = worker;
  const cell = (which: number) => column === null ? 0 : totals.cellOf(column, which);
  const figure = (field: number) => column === null ? 0 : totals.workerOf(column, field);
  return {
    ...worker,
    inFlight: cell(ColumnCell.inFlight),
    connections: pod.knowsConnections ? cell(ColumnCell.connections) : null,
    webSockets: cell(ColumnCell.webSockets),
    loopDelayMaxMs: figure(WorkerField.loopDelayMaxMs),
    heapBytes: figure(WorkerField.heapBytes),
  };
}
