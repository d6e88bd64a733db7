// One look at the pod, shared by everything that is told about it at that moment.
//
// Joins what the view says with what the board says. Called once per scrape, status or dashboard tick.

import { WorkerField } from "../board/fields.ts";
import { Totals } from "../board/totals.ts";
import { EndpointState, Verdicts } from "../board/verdicts.ts";
import type { Board } from "../board/layout.ts";
import type {
  AdminView,
  CertificateInfo,
  ConfigInfo,
  EndpointInfo,
  PodInfo,
  ProbeState,
  RouteInfo,
  UpstreamInfo,
  WorkerInfo,
} from "./view.ts";

/** The pod at one moment. */
export interface Reading {
  readonly board: Board;
  readonly totals: Totals;
  readonly verdicts: Verdicts;
  readonly probes: ProbeState;
  readonly pod: PodInfo;
  readonly workers: readonly WorkerInfo[];
  readonly config: ConfigInfo;
  readonly upstreams: readonly UpstreamInfo[];
  readonly certificate: CertificateInfo | null;
  readonly routes: readonly RouteInfo[];
}

/** Everything that can be told of this moment. */
export function read(view: AdminView): Reading {
  return {
    board: view.board,
    totals: new Totals(view.board),
    verdicts: new Verdicts(view.board),
    probes: view.probes(),
    pod: view.pod(),
    workers: view.workers(),
    config: view.config(),
    upstreams: view.upstreams(),
    certificate: view.certificate(),
    routes: view.routes(),
  };
}

/** The longest stall of a worker's event loop, one that lasts included: of that the worker itself cannot tell yet. */
export function loopDelayMaxMs({ column, stalledMs }: WorkerInfo, { totals }: Reading): number {
  const told = column === null ? 0 : totals.workerOf(column, WorkerField.loopDelayMaxMs);
  return Math.max(told, stalledMs);
}

/** A cell of an endpoint that all workers share; `cell` is a value of EndpointCell. */
export function endpointCell({ board }: Reading, { row }: EndpointInfo, cell: number): number {
  return Atomics.load(board.int32, board.layout.endpointCell(row, cell));
}

/** A cell of an upstream that all workers share; `cell` is a value of UpstreamCell. */
export function upstreamCell({ board }: Reading, { row }: UpstreamInfo, cell: number): number {
  return Atomics.load(board.int32, board.layout.upstreamCell(row, cell));
}

/** An endpoint's state in one word, the gravest first; `serving` takes traffic. */
export const ENDPOINT_STATES = [
  "serving",
  "ejected",
  "unhealthy",
  "unchecked",
  "leaving",
  "draining",
] as const;
export type EndpointStateName = typeof ENDPOINT_STATES[number];

/** The one word for an endpoint now. */
export function endpointState(reading: Reading, endpoint: EndpointInfo): EndpointStateName {
  const bits = reading.verdicts.state(endpoint.row);
  if (bits & EndpointState.leaving) return "leaving";
  if (bits & EndpointState.ejected) return "ejected";
  // One that has failed its first check is not unhealthy yet, but that says more than that it awaits one.
  if (bits & EndpointState.unchecked) return endpoint.checksFailed > 0 ? "unhealthy" : "unchecked";
  if (bits & EndpointState.unhealthy) return "unhealthy";
  return bits & EndpointState.draining ? "draining" : "serving";
}
