// What is known of one request while it travels: filled in by the handler, read once when it is over.
//
// Metrics, access log, traces and explain are all made from this one record, so that they agree.

import type { Delivery, RequestHead } from "../exchange.ts";
import type { AttemptStory, RequestStory, RouteSnapshot } from "../messages.ts";
import type { RequestTrace } from "../tracing/tracer.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { WebSocketRelay } from "./websocket_relay.ts";

/** One attempt, as it went. */
export interface AttemptRecord {
  readonly endpoint: string;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  headAt: number;
  outcome: string;
  reused: boolean;
  retryVerdict?: string;
  budgetLeft?: number;
}

export class RequestRecord {
  requestId = "";
  clientAddress = "";
  route: RouteSnapshot | null = null;
  upstream: Upstream | null = null;
  readonly attempts: AttemptRecord[] = [];
  /** 0 while no answer was begun. */
  status = 0;
  delivery: Delivery | null = null;
  /** Body bytes that came from the client. */
  bytesIn = 0;
  /** Why Weir answered by itself or cut the answer; empty when the endpoint's answer went through. */
  cause = "";
  endedAt = 0;
  /** Null without tracing. */
  trace: RequestTrace | null = null;
  /** How a WebSocket was closed, or that Weir ended a stream of events; null for everything else. */
  close: { readonly code: number | null; readonly by: string } | null = null;

  constructor(
    readonly head: RequestHead,
    /** Monotonic milliseconds. */
    readonly startedAt: number,
  ) {}

  /** A WebSocket is over. */
  endWebSocket(relay: WebSocketRelay): void {
    const { code = null, by = "weir", broken = true, reason = "" } = relay.ended ?? {};
    this.close = { code, by };
    this.bytesIn = relay.bytesIn;
    const bytes = relay.bytesOut;
    if (!broken || by === "weir") this.delivery = { kind: "complete", bytes };
    else if (by === "client") this.delivery = { kind: "clientGone", bytes };
    else this.delivery = { kind: "truncated", bytes, error: new Error(reason) };
    if (by === "weir" && code !== 1001) this.cause = `websocket_${code}`;
    else if (broken && by === "endpoint") this.cause = "connection_terminated";
  }

  get bytesOut(): number {
    return this.delivery?.bytes ?? 0;
  }

  get clientGone(): boolean {
    return this.delivery === null || this.delivery.kind === "clientGone";
  }

  /** Status as it is logged: 499 when the client left before an answer began. */
  get loggedStatus(): number {
    return this.status === 0 ? 499 : this.status;
  }

  get endedBy(): string {
    const kind = this.delivery?.kind ?? "clientGone";
    return kind === "complete" ? kind : kind === "truncated" ? "endpoint broke off" : "client left";
  }

  /** The story that explain tells. @param epochMs wall time of the arrival */
  story(epochMs: number): RequestStory {
    const { head } = this;
    return {
      kind: "story",
      requestId: this.requestId,
      at: epochMs,
      method: head.method,
      target: head.target,
      client: this.clientAddress,
      route: this.route?.name ?? null,
      upstream: this.upstream?.name ?? null,
      attempts: this.attempts.map((attempt) => this.attemptStory(attempt)),
      status: this.status === 0 ? null : this.status,
      durationMs: this.endedAt - this.startedAt,
      bytes: this.bytesOut,
      endedBy: this.cause === "" ? this.endedBy : `${this.endedBy}: ${this.cause}`,
    };
  }

  private attemptStory(attempt: AttemptRecord): AttemptStory {
    return {
      endpoint: attempt.endpoint,
      startedMs: attempt.startedAt - this.startedAt,
      headMs: attempt.headAt === 0 ? null : attempt.headAt - this.startedAt,
      outcome: attempt.outcome,
      reused: attempt.reused,
      ...(attempt.retryVerdict === undefined ? {} : { retryVerdict: attempt.retryVerdict }),
      ...(attempt.budgetLeft === undefined ? {} : { budgetLeft: attempt.budgetLeft }),
    };
  }
}
