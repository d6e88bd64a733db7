// One request as its handler sees it: its exchange, its record, and the ways in which Weir answers itself.

import { RouteField } from "../board/fields.ts";
import type { Body, Exchange, HeaderLines, ResponseHead } from "../exchange.ts";
import type { RouteSnapshot } from "../messages.ts";
import { bodyTooLarge } from "./acceptance.ts";
import type { Forwarding } from "./forwarding.ts";
import { interimToClient, type Origin, requestIdOf } from "./headers.ts";
import type { Proxy } from "./proxy.ts";
import { addHsts } from "./redirect_to_tls.ts";
import { refuseBeyondRate } from "./rate_limit.ts";
import { RequestRecord } from "./record.ts";
import { type Refusal, refusalResponse, wholeText } from "./refusal.ts";
import { INTERNAL_ERROR } from "./refusals.ts";
import type { RoutePlan } from "./route_plan.ts";

export class Journey {
  readonly record: RequestRecord;
  private plan: RoutePlan | null = null;
  private begun = false;
  /** Null for a request that goes to no upstream. */
  forwarding: Forwarding | null = null;

  constructor(readonly exchange: Exchange, readonly proxy: Proxy) {
    const { head, peer } = exchange;
    const record = this.record = new RequestRecord(head, proxy.inputs.now());
    record.clientAddress = proxy.trusted.clientAddress(peer.hostname, head);
    const trusted = proxy.trusted.trusts(peer.hostname);
    record.requestId = requestIdOf(head, proxy.identity.config, trusted, proxy.inputs.makeId);
  }

  /** Who asks, as the next hop is told. */
  get origin(): Origin {
    const peer = this.exchange.peer.hostname;
    return {
      peer,
      trusted: this.proxy.trusted.trusts(peer),
      requestId: this.record.requestId,
      informs: this.exchange.inform !== undefined,
    };
  }

  /** Sends an endpoint's interim answer on; null where the listener cannot. */
  get onInterim(): ((head: ResponseHead) => void) | null {
    const { exchange } = this;
    return exchange.inform === undefined ? null : (head) => void exchange.inform?.(interimToClient(head));
  }

  /** The route that the request takes. */
  follow(route: RouteSnapshot): RoutePlan {
    this.record.route = route;
    return this.plan = this.proxy.plan(route);
  }

  /** The refusal of a request that its route takes no more of now, or takes no such body of; or null. */
  refusalByRoute(): Refusal | null {
    const { exchange, proxy, record } = this;
    const { route, totals } = this.plan!;
    const bodyBytesMax = route.requestBodyBytesMax ?? proxy.snapshot.limits.requestBodyBytesMax;
    if (bodyBytesMax > 0 && (exchange.body?.length ?? 0) > bodyBytesMax) return bodyTooLarge(bodyBytesMax);
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

  /** Sends an answer. Nothing to wait for when it is already gone. */
  send(status: number, reason: string, headers: HeaderLines, body: Body | null): void | Promise<void> {
    const { exchange, record } = this;
    this.begin(status);
    addHsts(headers, exchange.head.scheme, this.proxy.inputs.hstsMaxAgeS);
    if (this.proxy.draining && exchange.head.version !== "2") headers.push("Connection", "close");
    const delivery = exchange.respond({ status, reason, headers }, body);
    if (delivery instanceof Promise) return delivery.then((settled) => void (record.delivery = settled));
    record.delivery = delivery;
  }

  /** An answer of Weir's own that the operator configured, or the protocol asks for. */
  async answer(status: number, headers: HeaderLines, body: Body): Promise<void> {
    const lines = this.plan === null ? headers : this.plan.responseHeaders(headers);
    lines.push("Date", new Date(this.proxy.inputs.epoch()).toUTCString());
    // RFC 9110 8.6: an answer with 204 has none.
    if (status !== 204) lines.push("Content-Length", String(body.length));
    await this.send(status, "", lines, body);
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

  /** An answer of Weir's own because the request cannot go on. Nothing is sent to a client that left. */
  async refuse(refusal: Refusal): Promise<void> {
    const { exchange, proxy, record } = this;
    this.record.cause ||= refusal.error;
    proxy.recorder.refused(refusal);
    if (exchange.clientGone || this.begun) return;
    exchange.body?.cancel();
    const date = () => new Date(proxy.inputs.epoch());
    const via = proxy.identity.config.via;
    const { head, body } = refusalResponse(refusal, exchange.head, record.requestId, via, date);
    await this.send(head.status, head.reason, head.headers, body);
  }

  /** A bug in Weir: told to the log, answered 500 if nothing was answered yet. */
  async fail(error: unknown): Promise<void> {
    this.proxy.inputs.onInternalError(error);
    await this.refuse(INTERNAL_ERROR);
  }

  /** The request is over: what is still claimed is given back, what is known is recorded. */
  end(): void {
    this.forwarding?.end();
    this.proxy.recorder.finish(this.record, this.plan);
  }
}
