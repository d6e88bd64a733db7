// One request as its handler sees it: its exchange, its record, and the ways in which Weir answers itself.

import { RouteField } from "../board/fields.ts";
import type { Body, Delivery, Exchange, HeaderLines, ResponseHead } from "../exchange.ts";
import type { RouteSnapshot } from "../messages.ts";
import type { RequestTrace, Tracer } from "../tracing/tracer.ts";
import { plainAddress } from "./client_address.ts";
import type { Forwarding } from "./forwarding.ts";
import { type Asker, interimToClient, requestIdOf } from "./headers.ts";
import type { Proxy } from "./proxy.ts";
import { addHsts } from "./redirect_to_tls.ts";
import { refuseBeyondRate } from "./rate_limit.ts";
import { RequestRecord } from "./record.ts";
import { type Refusal, refusalResponse } from "./refusal.ts";
import { INTERNAL_ERROR, ofBodyLength } from "./refusals.ts";
import type { RoutePlan } from "./route_plan.ts";
import { askedFor, type Told, toldBy } from "./forwarded_fields.ts";
import { wholeText } from "./whole_body.ts";

export class Journey implements Asker {
  readonly record: RequestRecord;
  readonly told: Told | null;
  private plan: RoutePlan | null = null;
  private begun = false;
  /** It has stood at the turnstile or in a queue: more time has passed since it came than an attempt answers for. */
  waited = false;
  /** Its own at the turnstile, or that of the last that began with it. */
  number = 0;
  /** Null for a request that goes to no upstream. */
  forwarding: Forwarding | null = null;

  constructor(readonly exchange: Exchange, readonly proxy: Proxy) {
    const { peer } = this;
    const { head } = exchange;
    const record = this.record = new RequestRecord(head, proxy.inputs.now());
    const { trusted, identity } = proxy;
    const told = this.told = trusted.trusts(peer)
      ? toldBy(peer, head.headers, trusted, identity.config)
      : null;
    record.clientAddress = told === null ? peer : told.client;
    record.requestId = requestIdOf(head, identity, told !== null, proxy.inputs.makeId);
    if (proxy.inputs.tracer !== null) record.trace = this.beginTrace(proxy.inputs.tracer);
  }

  private beginTrace(tracer: Tracer): RequestTrace {
    const { exchange: { head }, peer, told, record: { startedAt }, proxy } = this;
    const { redactQuery } = proxy.snapshot.accessLog;
    return tracer.begin({ head, ...askedFor(head, told), peer, startedAt, redactQuery });
  }

  get peer(): string {
    return plainAddress(this.exchange.peer.hostname);
  }

  get requestId(): string {
    return this.record.requestId;
  }

  get informs(): boolean {
    return this.exchange.inform !== undefined;
  }

  get relaysTrailers(): boolean {
    return this.exchange.relaysTrailers === true;
  }

  /** Sends an endpoint's interim answer on, where the listener can. */
  inform(head: ResponseHead): void {
    if (this.informs) void this.exchange.inform!(interimToClient(head));
  }

  /** The route that the request takes. */
  follow(route: RouteSnapshot): RoutePlan {
    const plan = this.plan = this.proxy.plan(route);
    this.record.route = route;
    plan.inFlight.move(1);
    return plan;
  }

  /** The refusal of a request that its route takes no more of now, or takes no such body of; or null. */
  refusalByRoute(): Refusal | null {
    const { exchange, proxy, record } = this;
    const plan = this.plan!;
    const { route, totals } = plan;
    const bodyBytesMax = plan.requestBodyBytesMax(proxy.snapshot.limits);
    const tooLarge = ofBodyLength(exchange.body?.length ?? 0, bodyBytesMax);
    if (tooLarge !== null) return tooLarge;
    if (route.rateLimit === undefined) return null;
    const { rates } = proxy;
    const refusal = refuseBeyondRate(rates, route.rateLimit, route.name, exchange.head, record.clientAddress);
    if (refusal !== null) totals.add(RouteField.rateLimited);
    return refusal;
  }

  /** The answer begins; it is the request's only one. */
  begin(status: number): void {
    this.begun = true;
    this.record.status = status;
  }

  /** Sends an answer; settled at once when it is already gone. The record is to have what comes of it. */
  send(head: ResponseHead, body: Body | null): Delivery | Promise<Delivery> {
    const { exchange, proxy } = this;
    this.begin(head.status);
    addHsts(head, exchange.head.scheme, proxy.inputs.hstsMaxAgeS);
    if (proxy.draining && exchange.head.version !== "2") head.headers.push("Connection", "close");
    return exchange.respond(head, body);
  }

  /** An answer of Weir's own that the operator configured, or the protocol asks for. */
  async answer(status: number, headers: HeaderLines, body: Body): Promise<void> {
    this.exchange.body?.cancel();
    const lines = this.plan === null ? headers : this.plan.responseHeaders(headers);
    lines.push("Date", new Date(this.proxy.inputs.epoch()).toUTCString());
    // RFC 9110 8.6: an answer with 204 has none.
    if (status !== 204) lines.push("Content-Length", String(body.length));
    this.record.delivery = await this.send({ status, reason: "", headers: lines }, body);
  }

  /** The readiness probe on the traffic port. */
  async tellReady(): Promise<void> {
    const { ready } = this.proxy;
    await this.answer(
      ready ? 200 : 503,
      ["Content-Type", "text/plain"],
      wholeText(ready ? "ready\n" : "not ready\n"),
    );
  }

  /**
   * An answer of Weir's own because the request cannot go on. To a client that left nothing is sent, and nothing
   * failed.
   */
  async refuse(refusal: Refusal): Promise<void> {
    const { exchange, proxy, record } = this;
    proxy.recorder.refused(refusal);
    if (exchange.clientGone && !this.begun) return;
    record.cause ||= refusal.error;
    if (this.begun) return;
    record.message = refusal.message;
    exchange.body?.cancel();
    const date = new Date(proxy.inputs.epoch());
    const { head, body } = refusalResponse(
      refusal,
      exchange.head,
      record.requestId,
      proxy.identity.config,
      date,
    );
    record.delivery = await this.send(head, body);
  }

  /** A bug in Weir: told to the log, answered 500 if nothing was answered yet. */
  async fail(error: unknown): Promise<void> {
    this.proxy.inputs.onInternalError(error);
    await this.refuse(INTERNAL_ERROR);
  }

  /** The request is over: what is still claimed is given back, nobody reads on, what is known is recorded. */
  end(): void {
    this.forwarding?.end();
    const { exchange, proxy, record } = this;
    exchange.body?.cancel();
    if (proxy.cutting && record.delivery?.kind !== "complete") record.cause ||= "drain_deadline";
    proxy.recorder.finish(record, this.plan);
    this.plan?.inFlight.move(-1);
  }
}
