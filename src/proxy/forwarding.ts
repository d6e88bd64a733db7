// A request on its way to an upstream: what its attempts share, and the bookkeeping between them.
//
// `handler.ts` drives it; every method does one step. Endpoints are judged here by what their attempts came
// to, and told to the board.

import { EndpointField, UpstreamField } from "../board/fields.ts";
import type { RetryConfig, TimeoutsConfig } from "../config/schema.ts";
import { type Body, headerValue, type ResponseHead } from "../exchange.ts";
import type { ParsedResponse } from "../http1/response_head.ts";
import { Timer } from "../timer_wheel.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Lease } from "../upstream/lease.ts";
import { Attempt, requestLine } from "./attempt.ts";
import { leavable } from "./event_stream.ts";
import type { Failure, Outcome } from "./failure.ts";
import { toClient, toUpstream } from "./headers.ts";
import type { Journey } from "./journey.ts";
import { judge } from "./judgement.ts";
import type { Group } from "./proxy.ts";
import type { NoLease } from "./pending_queue.ts";
import type { AttemptRecord } from "./record.ts";
import { RequestBody } from "./request_body.ts";
import { backoffMs } from "./retry_budget.ts";
import { retryAfterMs, retryField, retryVerdict } from "./retry_policy.ts";
import type { RoutePlan } from "./route_plan.ts";
import { Selection } from "./selection.ts";
import type { Handshake } from "./upgrade.ts";

type Answer = Extract<Outcome, { kind: "response" }>;

export class Forwarding {
  /** Largest request body; 0 is no limit. */
  readonly bodyBytesMax: number;
  private readonly retry: RetryConfig;
  private readonly timeouts: TimeoutsConfig;
  private readonly body: RequestBody | null;
  private readonly headers: string[];
  private readonly target: string;
  private readonly selection: Selection;
  private readonly deadline: Timer | null;
  private current: Attempt | null = null;
  private currentLease: Lease | null = null;
  private entry: AttemptRecord | null = null;
  private deadlineAt = Infinity;

  constructor(
    private readonly journey: Journey,
    private readonly plan: RoutePlan,
    private readonly group: Group,
    /** What the request asks to become; null for nothing but an answer. */
    private readonly handshake: Handshake | null,
  ) {
    const { exchange, proxy, record } = journey;
    const { retry, timeouts } = plan.settings(group.upstream);
    this.retry = retry;
    this.timeouts = timeouts;
    this.bodyBytesMax = plan.route.requestBodyBytesMax ?? proxy.snapshot.limits.requestBodyBytesMax;
    this.body = exchange.body === null
      ? null
      : new RequestBody(exchange.body, retry.bodyKeptBytesMax, this.bodyBytesMax);
    const lines = plan.requestHeaders(toUpstream(exchange.head, journey.origin, proxy.identity));
    this.headers = handshake === null ? lines : handshake.headers(lines);
    this.target = plan.targetFor(exchange.head.target);
    this.selection = new Selection(group, { head: exchange.head, clientAddress: record.clientAddress });
    record.upstream = group.upstream;
    group.upstream.inFlight.add(1);
    group.upstream.totals.add(UpstreamField.requests);
    group.budget.earn();
    exchange.onClientGone = () => {
      this.selection.leave();
      this.current?.abandon();
    };
    this.deadline = this.armDeadline(timeouts.requestMs);
  }

  private armDeadline(ms: number): Timer | null {
    if (ms === 0) return null;
    const { inputs } = this.journey.proxy;
    const timer = new Timer(() => this.current?.expire());
    this.deadlineAt = inputs.now() + ms;
    inputs.wheel.arm(timer, ms);
    return timer;
  }

  private disarmDeadline(): void {
    if (this.deadline !== null) this.journey.proxy.inputs.wheel.remove(this.deadline);
  }

  /** A claim on the endpoint for the next attempt; `full` while all are at their limit. */
  lease(): Lease | NoLease {
    return this.selection.next();
  }

  /** Waits while all endpoints are at their limit. */
  waitForLease(): Promise<Lease | NoLease> {
    return this.selection.waitForRoom(this.deadlineAt - this.journey.proxy.inputs.now());
  }

  /** One try at the leased endpoint; `judge` is told what it came to. */
  attempt(lease: Lease): Promise<Outcome> {
    const { exchange, proxy, record } = this.journey;
    const { endpoint } = lease;
    const startedAt = proxy.inputs.now();
    const entry: AttemptRecord = { endpoint: endpoint.id, startedAt, headAt: 0, outcome: "", reused: false };
    record.attempts.push(entry);
    this.entry = entry;
    this.currentLease = lease;
    this.current = new Attempt(lease, {
      request: requestLine(
        exchange.head.method,
        this.target,
        endpoint.hostFor(exchange.head.authority),
        this.headersFor(endpoint, entry),
        this.body,
      ),
      body: this.body,
      timeouts: this.timeouts,
      responseHeadBytesMax: this.group.upstream.snapshot.limits.responseHeadBytesMax,
      limitMs: Math.min(this.timeouts.attemptMs || Infinity, this.deadlineAt - startedAt),
      onInterim: this.journey.onInterim,
      handshake: this.handshake,
    }, proxy.inputs.wheel);
    return this.current.run(startedAt);
  }

  /** The header lines of an attempt: the same for all, but for the span that each is in a trace. */
  private headersFor({ snapshot: { scheme, host, port } }: Endpoint, entry: AttemptRecord): string[] {
    const { trace } = this.journey.record;
    return trace === null
      ? this.headers
      : trace.beginAttempt(entry, { scheme, host, port, target: this.target }, this.headers);
  }

  /** Writes down and counts what the attempt came to. Clients that leave count against nobody. */
  judge(outcome: Outcome, lease: Lease): void {
    // What a connection was switched to has no end that anybody set.
    if (outcome.kind === "switched") this.disarmDeadline();
    judge(outcome, lease, this.entry!, this.journey.proxy);
    if (outcome.kind !== "response" && outcome.kind !== "switched") this.journey.record.trace?.endAttempt();
  }

  /** Whether to go round again after this; charges the budget and waits out the backoff. */
  async triesAgain(outcome: Answer | Failure): Promise<boolean> {
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
    if (outcome.kind === "response") this.discard(outcome);
    upstream.totals.add(UpstreamField.retries);
    upstream.totals.add(retryField(verdict.reason));
    if (!verdict.free) await this.backOff(verdict.waitMs);
    return true;
  }

  private verdictOn(outcome: Answer | Failure) {
    const { exchange, proxy } = this.journey;
    const ended = outcome.kind === "response"
      ? {
        kind: "status" as const,
        status: outcome.head.status,
        retryAfterMs: retryAfterMs(outcome.head.headers),
      }
      : outcome;
    return retryVerdict({
      ended,
      method: exchange.head.method,
      idempotencyKeyed: this.retry.idempotencyKey &&
        headerValue(exchange.head.headers, "idempotency-key") !== undefined,
      replayable: this.body === null || this.body.replayable,
      attempts: this.selection.tried.length,
      attemptsMax: this.retry.attemptsMax,
      onStatus: this.retry.onStatus,
      deadlineLeftMs: this.deadlineAt - proxy.inputs.now(),
    });
  }

  private discard(answer: Answer): void {
    answer.body?.cancel();
    this.currentLease?.release(false);
    this.journey.record.trace?.endAttempt();
  }

  /** Waits, and no less than the endpoint asked for. */
  private backOff(leastMs: number): Promise<void> {
    const { wheel, random } = this.journey.proxy.inputs;
    const ms = backoffMs(
      this.selection.tried.length,
      this.retry.backoffBaseMs,
      this.retry.backoffCapMs,
      random,
    );
    return new Promise((resolve) => wheel.arm(new Timer(resolve), Math.max(leastMs, ms)));
  }

  /** The endpoint's head as the client gets it. */
  clientHead(head: ParsedResponse): ResponseHead {
    const { inputs } = this.journey.proxy;
    const { status, reason, headers } = toClient(head, () => new Date(inputs.epoch()));
    const cookie = this.selection.cookieFor(this.currentLease!.endpoint);
    if (cookie !== null) headers.push("Set-Cookie", cookie);
    return { status, reason, headers: this.plan.responseHeaders(headers) };
  }

  /** Sends the endpoint's answer to the client; settles with its last byte. */
  relay(head: ParsedResponse, body: Body | null): void | Promise<void> {
    const client = this.clientHead(head);
    const { endpoint } = this.currentLease!;
    const sent = body !== null && body.length === null ? leavable(body, head.headers, this.journey) : body;
    const sending = this.journey.send(client.status, client.reason, client.headers, sent);
    return sending === undefined ? this.delivered(endpoint) : sending.then(() => this.delivered(endpoint));
  }

  private delivered(endpoint: Endpoint): void {
    const { record, proxy, exchange } = this.journey;
    const { delivery } = record;
    // Once the client is gone its request is abandoned, which no endpoint is to blame for.
    if (exchange.clientGone) record.delivery = { kind: "clientGone", bytes: delivery!.bytes };
    const endedAt = proxy.inputs.now();
    record.endedAt = endedAt;
    proxy.recorder.delivered(endpoint, endedAt - this.entry!.startedAt);
    if (record.delivery!.kind === "truncated") {
      record.cause = "http_response_incomplete";
      // The whole request's time may have been up because its client is slow.
      if (this.current!.outOfTime) return;
      endpoint.countGatewayResult(true);
      endpoint.totals.add(EndpointField.resets);
    }
  }

  /** Gives back what is still claimed. */
  end(): void {
    const { exchange, record } = this.journey;
    this.disarmDeadline();
    exchange.onClientGone = null;
    this.current?.abandon();
    if (this.body !== null) record.bytesIn = this.body.bytesRead;
    this.group.upstream.inFlight.add(-1);
  }
}
