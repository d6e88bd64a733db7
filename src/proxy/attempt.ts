// One try at one endpoint: connect, send, read the head of the answer. It neither retries nor logs.
//
// Called by `forwarding.ts`. A `response` or `switched` outcome hands over the lease: it goes back at the end of
// the body, or of what the connection was switched to.
// Every other outcome has given the lease back already.

import { BodyError } from "../exchange.ts";
import { Http1Error } from "../http1/error.ts";
import type { BodyOwner } from "../http1/inlet_body.ts";
import { type OutgoingRequest, requestHead } from "../http1/request_writer.ts";
import type { ParsedResponse } from "../http1/response_head.ts";
import type { TimeoutsConfig } from "../config/schema.ts";
import type { Connection } from "../upstream/connection.ts";
import { ConnectionError } from "../upstream/connection_error.ts";
import { DialError } from "../upstream/dial.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import type { Lease } from "../upstream/lease.ts";
import { type AttemptPhase, isUnasked, type Outcome } from "./outcome.ts";
import type { RequestBody } from "./request_body.ts";
import type { Handshake } from "./upgrade.ts";

/** Nobody has a use for more; each waits in memory until the client takes it. */
const INTERIM_ANSWERS_MAX = 100;
const NOTHING_SENT = { sent: false, reused: false } as const;

/** What all attempts of a request share. */
export interface AttemptInput {
  /** Its framing is `body`'s. */
  readonly request: OutgoingRequest;
  /** Whom the client's request is for. */
  readonly authority: string;
  readonly body: RequestBody | null;
  readonly timeouts: TimeoutsConfig;
  readonly responseHeadBytesMax: number;
  /** Judges a 101; null: none was asked for. */
  readonly handshake: Handshake | null;
  /** An interim answer (1xx) came. */
  onInterim(head: ParsedResponse): void;
}

export class Attempt implements BodyOwner {
  private connection: Connection | null = null;
  private abandoned = false;
  private expired = false;
  private sendFailure: unknown = null;
  /** The endpoint lets the connection live beyond this answer. */
  private persistent = false;

  constructor(
    readonly lease: Lease,
    readonly input: AttemptInput,
    private readonly wheel: TimerWheel,
  ) {}

  /** The client left: whatever is going on ends, and the outcome is `clientGone`. Harmless when it is over. */
  abandon(): void {
    if (this.lease.over) return;
    this.abandoned = true;
    this.lease.release(false);
  }

  /** Its time is up: it ends as timed out, or, with an answer under way, that answer is cut. */
  expire(): void {
    if (this.lease.over) return;
    this.expired = true;
    this.connection?.close();
  }

  /** Its time was up, or its request broke off: what the endpoint had not said by then is not its fault alone. */
  get excused(): boolean {
    return this.expired || this.requestBroke;
  }

  /** The client took so long over the answer that the endpoint may have given it up, or could take no more request. */
  get heldBack(): boolean {
    // A read of the answer that ran out of time met an endpoint that is silent by itself.
    return this.connection?.heldBack === true && this.connection.timedOutIn !== "body";
  }

  /** The client's side ended it: the rest of the request's body did not come, or was not to be sent. */
  get requestBroke(): boolean {
    return this.sendFailure instanceof BodyError || this.connection?.timedOutIn === "request";
  }

  /**
   * @param now monotonic milliseconds, just asked
   * @param limitMs left until a response head must be here; Infinity without such a limit
   */
  async run(now: number, limitMs: number): Promise<Outcome> {
    const { lease, input } = this;
    const limit = limitMs === Infinity ? null : this.armLimit(now, limitMs);
    try {
      const connection = this.connection = lease.takeKept(now) ?? await this.dial(limitMs);
      this.sendRequest(connection, now);
      for (let interims = 0;;) {
        const head = connection.takeHead(input.request.method, input.responseHeadBytesMax);
        if (head === null) await connection.moreHead();
        else if (head.status < 200 && head.status !== 101) {
          if (++interims > INTERIM_ANSWERS_MAX) {
            throw new Http1Error("malformed", "interim answers without end");
          }
          input.onInterim(head);
          if (head.status === 100) connection.outlet.goOn();
        } else return this.respondedWith(head, connection);
      }
    } catch (error) {
      const outcome = this.failedWith(error, limitMs);
      lease.release(false);
      return outcome;
    } finally {
      if (limit !== null) this.wheel.remove(limit);
    }
  }

  private async dial(limitMs: number): Promise<Connection> {
    const { connectMs, tlsHandshakeMs } = this.input.timeouts;
    const connection = await this.lease.open({ connectMs, tlsHandshakeMs, bothMs: limitMs });
    if (this.expired) throw new DialError("timedOut", `no connection within ${limitMs} ms`);
    return connection;
  }

  private armLimit(now: number, limitMs: number): Timer {
    const limit = new Timer(() => this.expire());
    this.wheel.arm(limit, limitMs, now);
    return limit;
  }

  private sendRequest(connection: Connection, now: number): void {
    const { request, authority, body, timeouts } = this.input;
    const { outlet } = connection;
    const host = this.lease.endpoint.hostFor(authority);
    const head = requestHead(request, host, outlet.headRoom, outlet.posted);
    if (body !== null) return void this.sendBody(connection, body, head);
    if (this.lease.reused) connection.expectHead(timeouts.responseHeadMs, now);
    else connection.expectHead(timeouts.responseHeadMs);
    outlet.post(head);
  }

  /** Sends beside the reading of the answer, which may come early. Never rejects. */
  private async sendBody(connection: Connection, body: RequestBody, head: Uint8Array): Promise<void> {
    const { timeouts } = this.input;
    const { responseHeadMs } = timeouts;
    try {
      await body.send(connection, head, timeouts, this.wheel);
      if (!connection.headRead) connection.expectHead(responseHeadMs);
    } catch (error) {
      this.sendFailure = error;
      // The client's side failed: there is nothing to wait for. The endpoint's did: it may have answered.
      if (error instanceof BodyError || connection.timedOutIn !== null) connection.close();
      else if (!connection.headRead) connection.expectHead(responseHeadMs);
    }
  }

  private respondedWith(head: ParsedResponse, connection: Connection): Outcome {
    if (head.status === 101) return this.switchedWith(head, connection);
    const { endpoint, idleMs, reused } = this.lease;
    if (head.keepAliveMs > 0) endpoint.idleLimit.learnFromHeader(head.keepAliveMs);
    else if (isUnasked(head, reused)) {
      endpoint.idleLimit.learnFromReset(idleMs, endpoint.upstream.pool.idleMs);
    } else if (reused) endpoint.idleLimit.learnFromReuse(idleMs, endpoint.upstream.pool.idleMs);
    this.persistent = head.persistent;
    const body = connection.body(head, this.input.timeouts.responseBodyIdleMs, this);
    if (body === null) this.end(head.persistent);
    return { kind: "response", at: connection.headAt, head, body };
  }

  private switchedWith(head: ParsedResponse, connection: Connection): Outcome {
    const { handshake } = this.input;
    const problem = handshake === null ? "101 without an upgrade" : handshake.problemWith(head);
    if (problem !== null) throw new Http1Error("malformed", problem);
    connection.bodyIdleMs = Infinity;
    return { kind: "switched", at: connection.headAt, head, connection };
  }

  /** The answer's body was read to its end, or will not be. */
  bodyEnded(complete: boolean): void {
    this.end(complete && this.persistent);
  }

  /**
   * The answer is over. A request still being sent is cut off: its answer has been given. Its body is left as it
   * is: another attempt may go on with it.
   */
  private end(clean: boolean): void {
    this.lease.release(clean && this.connection!.outlet.done);
  }

  private failedWith(error: unknown, limitMs: number): Outcome {
    if (this.abandoned) return { kind: "clientGone" };
    if (this.connection === null) return dialOutcome(error, this.expired ? this.overtime(limitMs) : null);
    const { reused } = this.lease;
    if (this.expired) return this.outOfTime(this.connection, limitMs);
    if (this.sendFailure instanceof BodyError) return requestBodyOutcome(this.sendFailure);
    if (error instanceof Http1Error) return { kind: "malformed", sent: true, reused, detail: error.message };
    if (!(error instanceof ConnectionError)) throw error;
    const { phase, message: detail } = error;
    const { answered, outlet: { begun } } = this.connection;
    // Who has read a request of the connection has taken its client: a later refusal may be of this request, read too.
    const unread = !reused && !answered;
    if (error.kind === "refused" && unread) return { ...NOTHING_SENT, kind: "tlsFailed", detail };
    if (error.kind === "timedOut") {
      if (phase === "request") return { kind: "badRequestBody", cause: "timedOut", detail };
      const excused = phase === "head" && this.input.body?.withheld === true;
      return { kind: "timedOut", phase, sent: true, reused, excused, detail };
    }
    const where = phase === "request" ? "send" : phase;
    return { kind: "reset", phase: where, sent: begun, reused, answered, detail };
  }

  private outOfTime({ outlet }: Connection, limitMs: number): Outcome {
    const detail = "out of time";
    const { body } = this.input;
    // While an upload keeps coming, its client is waited for only now and then: the shares decide, not the moment.
    if (outlet.awaitsClient || body?.tookLonger(this.wheel.now) === true) {
      return { kind: "badRequestBody", cause: "timedOut", detail };
    }
    const excused = body?.withheld === true;
    const phase = this.overtime(limitMs);
    return { kind: "timedOut", phase, sent: true, reused: this.lease.reused, excused, detail };
  }

  /** Whose time is over once it has expired: less than an attempt may take may have been left of the request's. */
  private overtime(limitMs: number): AttemptPhase {
    return limitMs < (this.input.timeouts.attemptMs || Infinity) ? "request" : "attempt";
  }
}

/** @param overtime whose time was over meanwhile, or null */
function dialOutcome(error: unknown, overtime: AttemptPhase | null): Outcome {
  if (!(error instanceof DialError)) throw error;
  const detail = error.message;
  switch (error.kind) {
    case "timedOut":
      return { ...NOTHING_SENT, kind: "timedOut", phase: overtime ?? "connect", detail };
    case "tlsTimedOut":
      return { ...NOTHING_SENT, kind: "timedOut", phase: overtime ?? "tls", detail };
    case "tlsFailed":
      return { ...NOTHING_SENT, kind: "tlsFailed", detail };
    case "refused":
    case "unresolved":
    case "local":
      return { ...NOTHING_SENT, kind: "refused", local: error.kind === "local", detail };
  }
}

function requestBodyOutcome(error: BodyError): Outcome {
  if (error.kind === "clientGone" || error.kind === "truncated") return { kind: "clientGone" };
  return { kind: "badRequestBody", cause: error.kind, detail: error.message };
}
