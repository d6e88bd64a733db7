// How an attempt can end, as one union, and what each ending means for the client and for the endpoint.
//
// `attempt.ts` produces outcomes, `handler.ts` switches on them once, `retry_policy.ts` says which are worth another
// attempt. Nobody else interprets what a socket did.

import type { Body } from "../exchange.ts";
import type { ParsedResponse } from "../http1/response_head.ts";
import type { Connection } from "../upstream/connection.ts";

/** Where an attempt was when it ended; `attempt` and `request`: whose time as a whole was over. */
export type AttemptPhase = "connect" | "tls" | "send" | "head" | "body" | "attempt" | "request";

/** An attempt that got no response head. `sent`: whether a byte of the request may have reached the endpoint. */
export type Failure =
  /** No connection: refused, unreachable, unresolved, or no descriptor on this side. Nothing was sent. */
  | {
    readonly kind: "refused";
    readonly sent: false;
    readonly reused: false;
    /** This side could not (descriptors, ports): no endpoint is to blame. */
    readonly local?: boolean;
    readonly detail: string;
  }
  | {
    readonly kind: "timedOut";
    readonly phase: AttemptPhase;
    readonly sent: boolean;
    readonly reused: boolean;
    /** The client, too, kept its side back, and waited for 100: no endpoint is to blame (RFC 9110 10.1.1). */
    readonly excused?: boolean;
    readonly detail: string;
  }
  /** The endpoint closed or reset the connection. */
  | {
    readonly kind: "reset";
    readonly phase: "send" | "head" | "body";
    readonly sent: boolean;
    readonly reused: boolean;
    /** Whether a byte of an answer had come. */
    readonly answered: boolean;
    readonly detail: string;
  }
  /** What it sent is not HTTP/1.1, or larger than its limit. */
  | { readonly kind: "malformed"; readonly sent: true; readonly reused: boolean; readonly detail: string }
  | { readonly kind: "tlsFailed"; readonly sent: false; readonly reused: false; readonly detail: string };

/** The client's side ended the attempt; no endpoint is to blame. */
export type ClientEnd =
  | { readonly kind: "clientGone" }
  | {
    readonly kind: "badRequestBody";
    readonly cause: "malformed" | "timedOut" | "tooLarge";
    readonly detail: string;
  };

/** The endpoint has answered, as far as its head. */
export interface Responded {
  readonly kind: "response";
  /** Monotonic milliseconds: when the head was in. */
  readonly at: number;
  readonly head: ParsedResponse;
  readonly body: Body | null;
}

/** The endpoint has changed the protocol (101): its connection belongs to what comes next. */
export interface Switched {
  readonly kind: "switched";
  /** Monotonic milliseconds: when the head was in. */
  readonly at: number;
  readonly head: ParsedResponse;
  readonly connection: Connection;
}

/** What an attempt came to: `handler.ts` switches on it, once. */
export type Outcome =
  | Responded
  | Switched
  | Failure
  | ClientEnd;

/** What Weir answers for a failure: status, and the error type of Proxy-Status (RFC 9209 2.3). */
export interface FailureAnswer {
  readonly status: 502 | 503 | 504;
  readonly error: string;
}

/** 504 for silence, 502 for everything else that an endpoint did (RFC 9110 15.6.3, 15.6.5). */
export function answerFor(failure: Failure): FailureAnswer {
  switch (failure.kind) {
    case "refused":
      return { status: 502, error: "connection_refused" };
    case "timedOut":
      return { status: 504, error: failure.sent ? "http_response_timeout" : "connection_timeout" };
    case "reset":
      return { status: 502, error: failure.answered ? "http_response_incomplete" : "connection_terminated" };
    case "malformed":
      return { status: 502, error: "http_protocol_error" };
    case "tlsFailed":
      return { status: 502, error: "tls_protocol_error" };
    default:
      return unreachable(failure);
  }
}

/** The failure in the words of logs and explain. */
export function describeFailure(failure: Failure): string {
  switch (failure.kind) {
    case "refused":
      return `refused: ${failure.detail}`;
    case "timedOut":
      return `timed out (${failure.phase})`;
    case "reset":
      return `reset (${failure.phase})${failure.reused ? " on a kept connection" : ""}`;
    case "malformed":
      return `malformed answer: ${failure.detail}`;
    case "tlsFailed":
      return `TLS failed: ${failure.detail}`;
    default:
      return unreachable(failure);
  }
}

/** Statuses that say the endpoint, not the request, is in trouble. */
export function isGatewayStatus(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** Whether another attempt may bring a better answer. `reused`: it came on a kept connection. */
export function isTentative(head: ParsedResponse, reused: boolean): boolean {
  return isGatewayStatus(head.status) || isUnasked(head, reused);
}

/**
 * RFC 9110 15.5.9: an endpoint that has waited too long for a request says so and closes. On a kept connection that
 * crosses the request which is sent at last.
 */
export function isUnasked({ status, persistent }: ParsedResponse, reused: boolean): boolean {
  return status === 408 && reused && !persistent;
}

/** Marks a switch over a union as complete: the compiler refuses a kind that is not handled. */
export function unreachable(value: never): never {
  throw new Error(`unhandled kind: ${JSON.stringify(value)}`);
}
