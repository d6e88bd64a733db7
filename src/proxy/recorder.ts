// The end of a request: one record becomes counts on the board, a log line and a story for explain.

import {
  BY_METHOD,
  EndpointField,
  HEAD_LATENCY,
  METHODS,
  ROUTE_LATENCY,
  STATUS_CLASSES,
  statusClassOf,
  TOTAL_LATENCY,
  WorkerField,
} from "../board/fields.ts";
import type { OwnColumn } from "../board/own.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { type Failure, isGatewayStatus, unreachable } from "./outcome.ts";
import type { AccessLog } from "./access_log.ts";
import type { RequestRecord } from "./record.ts";
import type { Refusal } from "./refusal.ts";
import { OVERLOADED } from "./refusals.ts";
import type { RoutePlan } from "./route_plan.ts";
import type { StoryRing } from "./story_ring.ts";

/** To compare the usual ones costs less than to look one up. */
const METHODS_COUNTED: readonly string[] = METHODS;
const OTHER_METHOD = METHODS.length - 1;

/** How long the wall clock is believed after it was asked: somebody may set it. */
const WALL_READ_MS = 1_000;

export class Recorder {
  private wallReadAt = -Infinity;
  private ahead = 0;

  constructor(
    private readonly own: OwnColumn,
    private readonly log: AccessLog,
    private readonly stories: StoryRing,
    /** Monotonic milliseconds. */
    private readonly now: () => number,
    /** Milliseconds since 1970. */
    private readonly epoch: () => number,
  ) {}

  /** An endpoint answered with a head after `headMs`; below 0 when it did not wait for the whole request. */
  answered(endpoint: Endpoint, status: number, headMs: number, now: number): void {
    const { totals } = endpoint;
    totals.add(EndpointField.attempts);
    totals.add(EndpointField.status1xx + statusClassOf(status));
    const waitedMs = Math.max(0, headMs);
    totals.observe(HEAD_LATENCY, waitedMs);
    // Failing is not a way to be fast: it would draw all traffic of a policy that goes by latency.
    if (isGatewayStatus(status)) endpoint.observeFailure(waitedMs, now);
    // Nor is answering half a request.
    else if (headMs >= 0) endpoint.observeLatency(headMs, now);
  }

  /** An attempt got no answer. */
  unanswered(endpoint: Endpoint, failure: Failure): void {
    const { totals } = endpoint;
    totals.add(EndpointField.attempts);
    totals.add(EndpointField.statusNone);
    totals.add(causeField(failure));
  }

  /** An answer that came from `endpoint` is over. */
  delivered(endpoint: Endpoint, totalMs: number): void {
    endpoint.totals.observe(TOTAL_LATENCY, totalMs);
  }

  /** Weir answers by itself because the request cannot go on. */
  refused(refusal: Refusal): void {
    const { worker } = this.own;
    if (refusal === OVERLOADED) worker.add(WorkerField.rejectedInFlight);
    else if (refusal.status === 400) worker.add(WorkerField.badRequests);
  }

  /** The request is over. */
  finish(record: RequestRecord, plan: RoutePlan | null): void {
    if (record.endedAt === 0) record.endedAt = this.now();
    record.trace?.end(record);
    const { worker } = this.own;
    worker.add(WorkerField.requests);
    if (record.clientGone) worker.add(WorkerField.clientGone);
    if (record.delivery?.kind === "truncated") worker.add(WorkerField.truncated);
    if (plan !== null) {
      plan.count(record.status, record.bytesIn, record.bytesOut);
      // How long a WebSocket stood is no latency.
      if (record.status !== 101) plan.totals.observe(ROUTE_LATENCY, record.endedAt - record.startedAt);
    }
    if (record.upstream !== null) {
      const known = METHODS_COUNTED.indexOf(record.head.method);
      const method = known < 0 ? OTHER_METHOD : known;
      const statusClass = statusClassOf(record.status);
      record.upstream.totals.add(BY_METHOD + method * STATUS_CLASSES.length + statusClass);
    }
    if (this.log.off && this.stories.off) return;
    const arrival = record.startedAt + this.wallAhead(record.endedAt);
    this.log.record(record, arrival);
    this.stories.keep(record, arrival);
  }

  /** How far the wall clock is ahead of the monotonic one, milliseconds: asked once a second, since asking costs. */
  private wallAhead(now: number): number {
    if (Math.abs(now - this.wallReadAt) > WALL_READ_MS) {
      this.wallReadAt = now;
      this.ahead = this.epoch() - now;
    }
    return this.ahead;
  }
}

/** The EndpointField that counts failures of this kind. What sent nothing and was not reset never had a connection. */
function causeField(failure: Failure): number {
  if (failure.kind === "reset") return EndpointField.resets;
  if (!failure.sent) return EndpointField.connectFailures;
  switch (failure.kind) {
    case "timedOut":
      return EndpointField.timeouts;
    case "malformed":
      return EndpointField.malformed;
    default:
      return unreachable(failure);
  }
}
