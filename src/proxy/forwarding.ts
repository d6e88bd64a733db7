// A request on its way to an upstream: what its attempts share, and the bookkeeping between them.
//
// `handler.ts` drives it; every method does one step. `report.ts` tells the board
// what attempts come to.

import { UpstreamField } from "../board/fields.ts";
import type { RetryConfig, TimeoutsConfig } from "../config/schema.ts";
import type { Body, Delivery, ExchangeListener, HeaderLines, ResponseHead } from "../exchange.ts";
import { headerValue } from "../exchange.ts";
import type { OutgoingRequest } from "../http1/request_writer.ts";
import type { ParsedResponse } from "../http1/response_head.ts";
import type { Lease } from "../upstream/lease.ts";
import { Attempt, type AttemptInput } from "./attempt.ts";
import { Backoff, backoffMs } from "./backoff.ts";
import { Deadline } from "./deadline.ts";
import { leavable } from "./event_stream.ts";
import type { Failure, Outcome, Responded } from "./outcome.ts";
import { toClient } from "./headers.ts";
import type { Journey } from "./journey.ts";
import { reportDelivery, reportOutcome, reportResult } from "./report.ts";
import type { Group } from "./group.ts";
import type { Claim, NoLease } from "./pending_queue.ts";
import { AttemptRecord } from "./record.ts";
import { RequestBody } from "./request_body.ts";
import { endingOf, retryField, retryVerdict } from "./retry_policy.ts";
import type { RoutePlan } from "./route_plan.ts";
import { Selection } from "./selection.ts";
import { upstreamRequest } from "./upstream_request.ts";
import type { Handshake } from "./upgrade.ts";

export class Forwarding implements AttemptInput, ExchangeListener {
  /** Largest request body; 0 is no limit. */
  readonly bodyBytesMax: number;
  readonly timeouts: TimeoutsConfig;
  readonly body: RequestBody | null;
  request: OutgoingRequest;
  /** Those that all attempts share, where one looks at them. */
  private readonly headers: HeaderLines;
  private readonly retry: RetryConfig;
  private readonly selection: Selection;
  /** Null without one. */
  private readonly deadline: Deadline | null;
  private current: Attempt | null = null;
  private entry: AttemptRecord | null = null;
  private backoff: Backoff | null = null;
  /** What the last attempt came to. */
  outcome: Outcome | null = null;

  constructor(
    private readonly journey: Journey,
    private readonly plan: RoutePlan,
    private readonly group: Group,
    /** What the request asks to become; null for nothing but an answer. */
    readonly handshake: Handshake | null,
  ) {
    const { exchange, proxy, record } = journey;
    const { retry, timeouts } = plan.settings(group.upstream);
    this.retry = retry;
    this.timeouts = timeouts;
    this.bodyBytesMax = plan.requestBodyBytesMax(proxy.snapshot.limits);
    this.body = exchange.body === null
      ? null
      : new RequestBody(exchange.body, retry.bodyKeptBytesMax, this.bodyBytesMax, proxy.identity);
    this.request = upstreamRequest(journey, plan, handshake, this.body);
    this.headers = this.request.headers;
    this.selection = new Selection(group, record);
    record.upstream = group.upstream;
    group.upstream.inFlight.move(1);
    group.upstream.totals.add(UpstreamField.requests);
    group.budget.earn(record.startedAt);
    exchange.listener = this;
    this.deadline = timeouts.requestMs === 0
      ? null
      : new Deadline(proxy.inputs.wheel, record.startedAt, timeouts.requestMs, () => this.current?.expire());
  }

  get authority(): string {
    return this.journey.exchange.head.authority;
  }

  get responseHeadBytesMax(): number {
    return this.group.upstream.snapshot.limits.responseHeadBytesMax;
  }

  onInterim(head: ParsedResponse): void {
    this.journey.inform(head);
  }

  clientLeft(): void {
    this.selection.leave();
    this.current?.abandon();
    this.backoff?.end();
  }

  /** Milliseconds until the request's deadline. */
  private get timeLeftMs(): number {
    return this.deadline === null ? Infinity : this.deadline.at - this.journey.proxy.inputs.now();
  }

  /** A claim on the endpoint for the next attempt; `full` while those that may take it are at their limit. */
  lease(): Claim {
    const straight = this.entry === null && !this.journey.waited;
    return straight || this.timeLeftMs > 0 ? this.selection.next() : this.outOfTime();
  }

  /** Waits while those that may take it are at their limit. */
  async waitForLease(): Promise<Lease | NoLease> {
    this.journey.waited = true;
    const lease = await this.selection.waitForRoom(this.timeLeftMs);
    // The client may have left since the lease was handed out.
    const { clientGone } = this.journey.exchange;
    if (typeof lease === "string" && lease !== "queueTimeout") return lease;
    if (!clientGone && this.timeLeftMs > 0) return lease;
    if (lease !== "queueTimeout") lease.release(false);
    return clientGone ? "clientGone" : this.outOfTime();
  }

  private outOfTime(): NoLease {
    if (this.entry !== null) this.entry.retryVerdict = "no: the request's deadline passed before it";
    return "outOfTime";
  }

  /** One try at the leased endpoint; `report` is told what it came to. */
  attempt(lease: Lease): Promise<Outcome> {
    const { proxy, record, waited } = this.journey;
    const startedAt = record.attempts.length === 0 && !waited ? record.startedAt : proxy.inputs.now();
    this.entry = new AttemptRecord(lease.endpoint.id, startedAt);
    record.addAttempt(this.entry);
    if (record.trace !== null) {
      const place = { ...lease.endpoint.snapshot, target: this.request.target };
      const headers = record.trace.beginAttempt(this.entry, place, this.headers);
      this.request = { ...this.request, headers };
    }
    this.current = new Attempt(lease, this, proxy.inputs.wheel);
    const limitMs = Math.min(
      this.timeouts.attemptMs || Infinity,
      (this.deadline?.at ?? Infinity) - startedAt,
    );
    return this.current.run(startedAt, limitMs);
  }

  /** Writes down and counts what the attempt came to. Clients that leave count against nobody. */
  report(outcome: Outcome): void {
    // What a connection was switched to has no end that anybody set.
    if (outcome.kind === "switched") this.deadline?.disarm();
    this.outcome = outcome;
    const { entry, journey, group } = this;
    if (outcome.kind === "response") journey.proxy.inputs.turnstile.turnedSince(journey.number);
    reportOutcome(outcome, this.current!, entry!, journey.proxy, group);
    if (outcome.kind !== "response" && outcome.kind !== "switched") journey.record.trace?.endAttempt();
  }

  /** Whether to go round again after this; charges the budget and waits out the backoff. */
  async triesAgain(outcome: Responded | Failure): Promise<boolean> {
    const { budget, upstream } = this.group;
    const entry = this.entry!;
    const verdict = this.verdictOn(outcome);
    if (!verdict.retry) {
      entry.retryVerdict = `no: ${verdict.why}`;
      return false;
    }
    const paid = verdict.free || budget.spend();
    entry.budgetLeft = budget.left;
    entry.retryVerdict = paid ? `yes: ${verdict.reason}` : "no: the retry budget is used up";
    if (!paid) {
      upstream.totals.add(UpstreamField.retryBudgetExhausted);
      return false;
    }
    this.body?.giveUpAttempt();
    if (outcome.kind === "response") this.discard(outcome);
    if (verdict.reason === "reused") {
      this.selection.wasStale(this.retry.attemptsMax - this.selection.tried.length);
    }
    upstream.totals.add(UpstreamField.retries);
    upstream.totals.add(retryField(verdict.reason));
    if (!verdict.free) {
      this.backoff = new Backoff(this.journey.proxy.inputs.wheel, verdict.waitMs);
      await this.backoff.over;
    }
    return true;
  }

  private verdictOn(outcome: Responded | Failure) {
    const { exchange, proxy } = this.journey;
    const { backoffBaseMs, backoffCapMs } = this.retry;
    const attempts = this.selection.tried.length;
    return retryVerdict({
      ended: endingOf(outcome, this.entry!.reused),
      method: exchange.head.method,
      // By an empty one nobody knows a request again.
      idempotencyKeyed: this.retry.idempotencyKey &&
        (headerValue(exchange.head.headers, "idempotency-key") ?? "") !== "",
      replayable: this.body === null || this.body.replayable,
      attempts,
      attemptsMax: this.retry.attemptsMax,
      onStatus: this.retry.onStatus,
      deadlineLeftMs: this.timeLeftMs,
      backoffMs: backoffMs(attempts, backoffBaseMs, backoffCapMs, proxy.inputs.random),
    });
  }

  /** The client does not get this answer. */
  discard(answer: Responded): void {
    answer.body?.cancel();
    this.journey.record.trace?.endAttempt();
  }

  /** The endpoint's head as the client gets it. */
  clientHead(head: ParsedResponse): ResponseHead {
    if (!head.pass()) toClient(head, this.journey.proxy.inputs.epoch);
    const cookie = this.selection.cookieFor(this.current!.lease.endpoint);
    // Most answers go on as they stand: asking for their lines takes them apart.
    if (cookie === null && !this.plan.editsAnswers) return head;
    const headers = this.plan.responseHeaders(head.headers);
    // After the route's edits: who takes the endpoint's cookies away still wants clients to stay where they are.
    if (cookie !== null) headers.push("Set-Cookie", cookie);
    return { status: head.status, reason: head.reason, headers };
  }

  /** Sends the endpoint's answer to the client; `delivered` wants to know how that ended. */
  relay(head: ParsedResponse, body: Body | null): Delivery | Promise<Delivery> {
    let sent = body;
    if (body !== null && body.length === null) {
      sent = leavable(body, head, this.journey);
      // Events have no end to wait for.
      if (sent !== body) reportResult(false, this.current!.lease.endpoint, this.entry!);
    }
    return this.journey.send(this.clientHead(head), sent);
  }

  /** The last byte of the answer left, or none will any more. */
  delivered(delivery: Delivery): void {
    const { record, proxy, exchange } = this.journey;
    const { endpoint } = this.current!.lease;
    // Once the client is gone its request is abandoned, which no endpoint is to blame for.
    record.delivery = exchange.clientGone ? { kind: "clientGone", bytes: delivery.bytes } : delivery;
    record.endedAt = proxy.inputs.now();
    proxy.recorder.delivered(endpoint, record.endedAt - this.entry!.startedAt);
    reportDelivery(record, endpoint, this.entry!, this.current!);
  }

  /** Gives back what is still claimed. */
  end(): void {
    this.deadline?.disarm();
    this.journey.exchange.listener = null;
    this.current?.abandon();
    if (this.body !== null) this.journey.record.bytesIn = this.body.bytesRead;
    this.group.upstream.inFlight.move(-1);
  }
}
