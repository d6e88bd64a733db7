// What is known of one request while it travels: filled in by the handler, read once when it is over.
//
// Metrics, access log, traces and explain are all made from this one record, so that they agree.

import type { Delivery, RequestHead } from "../exchange.ts";
import type { AttemptStory, RequestStory, RouteSnapshot } from "../messages.ts";
import type { PickContext } from "../balance/balancer.ts";
import type { RequestTrace } from "../tracing/tracer.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { RelayEnd } from "./websocket_relay.ts";

/** One attempt, as it went. */
export class AttemptRecord {
  /** Monotonic milliseconds; 0 while no response head has come. */
  headAt = 0;
  /** Of the response; 0 for none. */
  status = 0;
  /** What it came to in words; empty when it is the status that says it. */
  private words = "";
  reused = false;
  retryVerdict: string | undefined = undefined;
  budgetLeft: number | undefined = undefined;

  constructor(
    readonly endpoint: string,
    /** Monotonic milliseconds. */
    readonly startedAt: number,
  ) {}

  /** What it came to: its status, or words. */
  get outcome(): string {
    return this.status > 0 ? String(this.status) : this.words;
  }

  set outcome(words: string) {
    this.words = words;
  }
}

const NO_ATTEMPTS: readonly AttemptRecord[] = [];

/** A relay that is over, as it is recorded. */
interface EndedRelay {
  /** Null: its sides ended it without a word. */
  readonly ended: RelayEnd | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export class RequestRecord implements PickContext {
  requestId = "";
  clientAddress = "";
  route: RouteSnapshot | null = null;
  upstream: Upstream | null = null;
  attempts: readonly AttemptRecord[] = NO_ATTEMPTS;
  /** 0 while no answer was begun. */
  status = 0;
  delivery: Delivery | null = null;
  /** Body bytes that came from the client. */
  bytesIn = 0;
  /** Why Weir answered by itself or cut the answer; empty when the endpoint's answer went through. */
  cause = "";
  /** What Weir's own answer says of it; empty without one. */
  message = "";
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

  addAttempt(attempt: AttemptRecord): void {
    this.attempts = this.attempts.length === 0 ? [attempt] : [...this.attempts, attempt];
  }

  /** A WebSocket is over. */
  endWebSocket(relay: EndedRelay): void {
    const { code = null, by = "weir", broken = true } = relay.ended ?? {};
    this.close = { code, by };
    this.endRelay(relay, by, broken);
    if (by === "weir" && code !== 1001) this.cause = `websocket_${code}`;
  }

  /** A raw tunnel to something else is over. */
  endTunnel(relay: EndedRelay): void {
    const { by = "client", broken = false } = relay.ended ?? {};
    this.endRelay(relay, by, broken);
    if (by === "weir") this.cause = "tunnel_idle";
  }

  private endRelay({ ended, bytesIn, bytesOut: bytes }: EndedRelay, by: string, broken: boolean): void {
    this.bytesIn = bytesIn;
    if (!broken || by === "weir") this.delivery = { kind: "complete", bytes };
    else if (by === "client") this.delivery = { kind: "clientGone", bytes };
    else {
      this.delivery = { kind: "truncated", bytes, error: new Error(ended?.reason ?? "") };
      this.cause = "connection_terminated";
    }
  }

  /** One attempt, and its answer went through: nothing to tell but figures. */
  get wentStraight(): boolean {
    const { attempts, delivery, cause, close } = this;
    return attempts.length === 1 && attempts[0]!.retryVerdict === undefined &&
      delivery?.kind === "complete" &&
      cause === "" && close === null;
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

  private get endedBy(): string {
    const kind = this.delivery?.kind ?? "clientGone";
    if (kind === "complete") return kind;
    if (kind === "clientGone") return "client left";
    return this.cause === "http_request_error" ? "request broke off" : "endpoint broke off";
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
      endedBy: [this.endedBy, this.cause, this.message].filter((words) => words !== "").join(": "),
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
