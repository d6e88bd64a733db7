// What an attempt says of its endpoint: written into the attempt's record and counted on the board.

import { EndpointField } from "../board/fields.ts";
import type { TimeoutsConfig } from "../config/schema.ts";
import { BodyError } from "../exchange.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Attempt } from "./attempt.ts";
import type { Group } from "./group.ts";
import { describeFailure, type Failure, isGatewayStatus, type Outcome } from "./outcome.ts";
import type { Proxy } from "./proxy.ts";
import type { AttemptRecord, RequestRecord } from "./record.ts";

const NO_BODY = { wholeAt: 0, waitedSince: 0 };

/**
 * Counts what the attempt came to. Clients that leave are nobody's failure. Whether an answer speaks for its endpoint
 * is seen at its end, by `reportDelivery`.
 */
export function reportOutcome(
  outcome: Outcome,
  { lease, input: { body, timeouts } }: Pick<Attempt, "lease" | "input">,
  entry: AttemptRecord,
  { inputs, recorder }: Pick<Proxy, "inputs" | "recorder">,
  { balancer, upstream }: Pick<Group, "balancer" | "upstream">,
): void {
  const { endpoint } = lease;
  const { wholeAt, waitedSince } = body ?? NO_BODY;
  /** From then on the endpoint alone was waited for. */
  const askedAt = Math.max(entry.startedAt, wholeAt);
  entry.reused = lease.reused;
  switch (outcome.kind) {
    case "response":
    case "switched":
      entry.headAt = outcome.at;
      entry.status = outcome.head.status;
      recorder.answered(endpoint, outcome.head.status, entry.headAt - askedAt, entry.headAt);
      if (isGatewayStatus(outcome.head.status)) endpoint.countGatewayResult(true);
      // Two sides take part in ending what follows a 101.
      else if (outcome.kind === "switched") endpoint.countGatewayResult(false);
      return;
    case "clientGone": {
      entry.outcome = "client left";
      const expectedMs = balancer.expectedMs?.(endpoint, upstream.candidates().endpoints) ?? Infinity;
      const now = inputs.now();
      // Nobody's failure, but where impatient clients wait in vain an answer takes longer than they do.
      if (now - askedAt > expectedMs) endpoint.observeLatency(now - askedAt, now);
      return;
    }
    case "badRequestBody":
      entry.outcome = `request body: ${outcome.detail}`;
      return;
    default: {
      entry.outcome = describeFailure(outcome);
      recorder.unanswered(endpoint, outcome);
      const now = inputs.now();
      const waitedMs = now - Math.max(entry.startedAt, Math.min(wholeAt, waitedSince));
      if (isExcused(outcome, waitedMs, timeouts)) return;
      endpoint.observeFailure(Math.max(0, now - askedAt), now);
      if (outcome.kind === "reset" && outcome.reused && !outcome.answered) {
        endpoint.totals.add(EndpointField.resetsOnReuse);
        endpoint.idleLimit.learnFromReset(lease.idleMs, endpoint.upstream.pool.idleMs);
      } else endpoint.countGatewayResult(true);
    }
  }
}

/**
 * No client, and no lack on this side, may have endpoints ejected or shunned; nor may a time that is over, of which a
 * client's body, the queue or other attempts had more than the endpoint.
 */
function isExcused(failure: Failure, waitedMs: number, timeouts: TimeoutsConfig): boolean {
  if (failure.kind === "refused") return failure.local === true;
  if (failure.kind !== "timedOut") return false;
  if (failure.excused === true) return true;
  // Whoever took longer than a limit of its own has had all of its time.
  if (failure.phase !== "attempt" && failure.phase !== "request") return false;
  const { attemptMs, requestMs } = timeouts;
  return waitedMs < Math.min(attemptMs || Infinity, requestMs || Infinity) / 2;
}

/** Counts what the sending of the endpoint's answer came to, and writes down why it was cut, if it was. */
export function reportDelivery(
  record: RequestRecord,
  endpoint: Endpoint,
  entry: AttemptRecord,
  attempt: Attempt,
): void {
  const { delivery } = record;
  // What a client left unread was good as far as it went.
  if (delivery?.kind !== "truncated") return reportResult(false, endpoint, entry);
  record.cause = attempt.requestBroke ? "http_request_error" : "http_response_incomplete";
  // The time may have been up because the client is slow, and no client may have endpoints ejected.
  if (attempt.excused) return;
  const field = brokenField(delivery.error);
  // A server closes on who takes nothing for long, and one that answers as it reads stops reading.
  if (attempt.heldBack && field !== EndpointField.malformed) return;
  reportResult(true, endpoint, entry);
  endpoint.totals.add(field);
}

/** The EndpointField that counts answers that broke off like this. */
function brokenField(error: unknown): number {
  const how = error instanceof BodyError ? error.kind : "truncated";
  if (how === "timedOut") return EndpointField.timeouts;
  return how === "malformed" ? EndpointField.malformed : EndpointField.resets;
}

/** Counts how an answer went, unless its status has counted as a failure already. */
export function reportResult(failed: boolean, endpoint: Endpoint, entry: AttemptRecord): void {
  if (!isGatewayStatus(entry.status)) endpoint.countGatewayResult(failed);
}
