// Whether a failed attempt may be tried elsewhere: one pure function, asked by `forwarding.ts` after every one.
//
// What sent nothing may always go elsewhere. What may have been processed may only be sent again when the
// method allows it (RFC 9110 9.2.2): a POST never reaches two origins' handlers.

import { RETRY_REASONS, UpstreamField } from "../board/fields.ts";
import { type HeaderLines, headerValue } from "../exchange.ts";
import type { Failure, Responded } from "./outcome.ts";
import { isUnasked, unreachable } from "./outcome.ts";

/** Why a retry is made, in the words of metrics. */
export type RetryReason = typeof RETRY_REASONS[number];

/** Whether another attempt is right, and why or why not. */
export type RetryVerdict =
  /**
   * `free`: costs no budget and needs no backoff. Nothing was sent, or a kept connection was dead: each can
   * be that once only, and all of them at once when an endpoint dies. `waitMs`: after this.
   */
  | { readonly retry: true; readonly free: boolean; readonly reason: RetryReason; readonly waitMs: number }
  | { readonly retry: false; readonly why: string };

/** What the verdict depends on. */
export interface RetryFacts {
  /** The failure, or the status of an answer. */
  readonly ended: Failure | {
    readonly kind: "status";
    readonly status: number;
    /** It crossed the request: `isUnasked`. */
    readonly unasked: boolean;
    readonly retryAfterMs: number | null;
  };
  readonly method: string;
  /** The request carries an Idempotency-Key and the operator lets that count. */
  readonly idempotencyKeyed: boolean;
  /** All of the body that was read from the client is kept, or there is none. */
  readonly replayable: boolean;
  /** Attempts made, this one included. */
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly onStatus: readonly number[];
  /** Milliseconds until the request's deadline; Infinity without one. */
  readonly deadlineLeftMs: number;
  /** Milliseconds to wait before a retry that is not free. */
  readonly backoffMs: number;
}

/** A longer Retry-After is for the client to wait out: it gets the answer, and the endpoint its rest. */
export const RETRY_AFTER_MAX_MS = 1_000;

/** RFC 9110 9.2.2: methods whose effect is the same once or twice. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
    case "TRACE":
    case "PUT":
    case "DELETE":
      return true;
    default:
      return false;
  }
}

/** The verdict on one more attempt. */
export function retryVerdict(facts: RetryFacts): RetryVerdict {
  if (facts.attempts >= facts.attemptsMax) return no(`attempt ${facts.attempts} was the last`);
  if (facts.deadlineLeftMs <= 0) return no("the request's deadline has passed");
  if (!facts.replayable) return no("the request body is larger than what is kept");
  const { ended } = facts;
  if (ended.kind !== "status" && !ended.sent) return atOnce(ended.reused ? "reused" : "connect");
  const repeatable = isIdempotent(facts.method) || facts.idempotencyKeyed;
  if (!repeatable) return no(`${facts.method} may have been processed`);
  switch (ended.kind) {
    case "status":
      return ended.unasked ? atOnce("reused") : statusVerdict(ended.status, ended.retryAfterMs, facts);
    case "reset":
      if (ended.phase === "body") return no("the answer had begun");
      // A kept connection that died before any answer is most likely one that the endpoint was closing anyway.
      return ended.reused && !ended.answered ? atOnce("reused") : later("reset", facts);
    case "timedOut":
      return ended.phase === "body" ? no("the answer had begun") : later("timeout", facts);
    case "malformed":
      return later("malformed", facts);
    default:
      return unreachable(ended);
  }
}

function statusVerdict(status: number, retryAfterMs: number | null, facts: RetryFacts): RetryVerdict {
  if (!facts.onStatus.includes(status)) return no(`status ${status} is not one to retry`);
  const leastMs = retryAfterMs ?? 0;
  if (leastMs > RETRY_AFTER_MAX_MS) return no("Retry-After asks for more than a retry waits");
  if (leastMs >= facts.deadlineLeftMs) return no("Retry-After is past the deadline");
  return later("status", facts, leastMs);
}

function atOnce(reason: RetryReason): RetryVerdict {
  return { retry: true, free: true, reason, waitMs: 0 };
}

/** After the backoff, and no less than `leastMs`: unless no time is left then. */
function later(reason: RetryReason, { backoffMs, deadlineLeftMs }: RetryFacts, leastMs = 0): RetryVerdict {
  const waitMs = Math.max(backoffMs, leastMs);
  if (waitMs >= deadlineLeftMs) return no("the wait before a retry is past the deadline");
  return { retry: true, free: false, reason, waitMs };
}

function no(why: string): RetryVerdict {
  return { retry: false, why };
}

/** What an attempt came to, as far as a retry depends on it. */
export function endingOf(outcome: Responded | Failure, reused: boolean): RetryFacts["ended"] {
  if (outcome.kind !== "response") return outcome;
  const { status, headers } = outcome.head;
  const unasked = isUnasked(outcome.head, reused);
  return { kind: "status", status, unasked, retryAfterMs: retryAfterMs(headers) };
}

/** The UpstreamField that counts retries made for this reason. */
export function retryField(reason: RetryReason): number {
  return UpstreamField.retryConnect + RETRY_REASONS.indexOf(reason);
}

/** Milliseconds of a Retry-After in seconds; null when there is none or it is a date. */
function retryAfterMs(headers: HeaderLines): number | null {
  const value = headerValue(headers, "retry-after");
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : null;
}
