// Which endpoint the next attempt of a request goes to: its cookie's, the policy's, or any other that is left.
//
// One per request. Taking a lease is trying an endpoint: it is not tried again while others stand, but for a client
// that belongs there. With all at their limit the request waits in its upstream's queue; one whose cookie leads to an
// endpoint at its limit waits there for that one, and goes elsewhere when it has waited in vain.

import type { PickContext } from "../balance/balancer.ts";
import { UpstreamField } from "../board/fields.ts";
import { EndpointState } from "../board/verdicts.ts";
import type { RequestHead } from "../exchange.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Lease } from "../upstream/lease.ts";
import type { Group } from "./group.ts";
import type { Claim, NoLease, Round, Waiter } from "./pending_queue.ts";

const NONE: readonly Endpoint[] = [];

/**
 * Where a client's cookie says, as long as that endpoint serves, or null. One that drains still does, and in panic all
 * that the policy chooses from.
 */
export function stickyEndpoint({ sticky, upstream }: Group, { headers }: RequestHead): Endpoint | null {
  const id = sticky === null ? null : sticky.endpointOf(headers);
  const endpoint = id === null ? undefined : upstream.endpoint(id);
  if (endpoint === undefined) return null;
  if ((endpoint.state & ~EndpointState.draining) === 0) return endpoint;
  const { endpoints, panic } = upstream.candidates();
  return panic && endpoints.includes(endpoint) ? endpoint : null;
}

/** Whether a client whose cookie leads to an endpoint waits when that is full: not for one that fails or leaves. */
export function isWaitedFor({ state }: Endpoint, { upstream }: Group): boolean {
  return state === 0 && upstream.snapshot.limits.queueMax > 0;
}

function hasRoom({ isFull }: Endpoint): boolean {
  return !isFull;
}

export class Selection implements Waiter {
  tried: readonly Endpoint[] = NONE;
  /** Of those, the ones of which nothing else is known than that a kept connection was dead. */
  private stale: readonly Endpoint[] = NONE;
  /** Where the client's cookie led; null when it led nowhere. */
  private stuckTo: Endpoint | null = null;
  /** It leads there once more. */
  private returns = false;
  /** Where the cookie leads, and there is no room. */
  waitsFor: Endpoint | null = null;
  /** Whose cookie that was. */
  private ledBy: Group["sticky"] = null;
  /** It has waited for that, or for those that it had not tried, in vain. */
  private moves = false;

  constructor(private readonly group: Group, private readonly context: PickContext) {}

  /** A claim on the endpoint for the next attempt; `full` when those that may take the request have no room. */
  next(): Claim {
    return this.group.queue.letsPass() || this.passes() ? this.claim() : "full";
  }

  /**
   * What room there is for it is not for those that wait, but at an endpoint that drains, or at a backup: its cookie
   * leads there, or all others have failed it.
   */
  private passes(): boolean {
    const { endpoints, spares, panic } = this.group.upstream.candidates();
    if (this.belongs) {
      const endpoint = stickyEndpoint(this.group, this.context.head);
      return endpoint !== null && !endpoint.isFull && !endpoints.includes(endpoint);
    }
    const isFresh = (endpoint: Endpoint) => !this.tried.includes(endpoint);
    return !panic && !endpoints.some(isFresh) && spares.some(isFresh);
  }

  /** Its next attempt is for where its cookie leads. */
  private get belongs(): boolean {
    return this.tried.length === 0 || this.returns;
  }

  /** The queue's: a claim for the one whose turn it is. */
  claim(round?: Round): Claim {
    if (round !== undefined && this.particular && !this.mayUse(round)) return "full";
    const { upstream } = this.group;
    const { endpoints, spares, panic } = upstream.candidates();
    const isFirst = this.tried.length === 0;
    let lease = this.belongs ? this.stickyLease() : null;
    if (this.waitsFor !== null) return "full";
    lease ??= isFirst
      ? this.firstLease(endpoints) ?? this.otherLease(endpoints, NONE)
      : (panic ? this.usableLease(endpoints) : null) ?? this.otherLease(endpoints, spares);
    if (lease !== null) {
      this.returns = false;
      if (panic) upstream.totals.add(UpstreamField.panicPicks);
      this.tried = [...this.tried, lease.endpoint];
      if (this.stale !== NONE) {
        // What ended one kept connection may have ended others.
        lease.dialsAnew = true;
        this.stale = this.stale.filter((endpoint) => endpoint !== lease.endpoint);
      }
      return lease;
    }
    if (endpoints.length > 0) return "full";
    upstream.totals.add(UpstreamField.noEndpoint);
    return "noEndpoint";
  }

  /** Whether its claim may come to anything but `full`. Thousands may wait that have tried what has room. */
  private mayUse(round: Round): boolean {
    const { waitsFor, tried, stale } = this;
    if (waitsFor !== null) return !this.isHeldUp(waitsFor);
    const { endpoints, spares } = this.group.upstream.candidates();
    if (round.endpoints !== endpoints) {
      round.endpoints = endpoints;
      round.room = endpoints.filter(hasRoom);
    }
    // Its cookie may lead to a spare, and so may its having tried all that stand, of which none may be left.
    if (this.belongs || tried.length >= endpoints.length) {
      return round.room.length + spares.length > 0 || endpoints.length === 0;
    }
    return round.room.some((endpoint) => !tried.includes(endpoint) || stale.includes(endpoint));
  }

  /** Where its cookie leads it would wait as it does. */
  private isHeldUp(endpoint: Endpoint): boolean {
    const { group, group: { sticky, upstream } } = this;
    return sticky === this.ledBy && upstream.endpoint(endpoint.id) === endpoint && endpoint.isFull &&
      isWaitedFor(endpoint, group);
  }

  /**
   * The last claim came to nothing but a kept connection that was dead: its endpoint may be as good as any, and a client
   * whose cookie led there goes there again, unless the next attempt is the last.
   */
  wasStale(attemptsLeft: number): void {
    const endpoint = this.tried.at(-1)!;
    this.stale = [...this.stale, endpoint];
    this.returns = endpoint === this.stuckTo && attemptsLeft > 1;
  }

  /** True once endpoints were tried, or for one alone: what is left for this request is not what is left for others. */
  get particular(): boolean {
    return this.tried.length > 0 || this.waitsFor !== null;
  }

  /** Waits for room, as the upstream allows, but no longer than `msMax`. */
  async waitForRoom(msMax: number): Promise<Lease | NoLease> {
    const { queue, upstream } = this.group;
    const { queueMax, queueTimeoutMs } = upstream.snapshot.limits;
    const waiting = queue.wait(this, { queueMax, timeoutMs: Math.min(queueTimeoutMs, msMax) });
    const waited = await waiting;
    const result = waited === "queueFull" || waited === "queueTimeout" ? this.elsewhere(waited) : waited;
    if (waited !== "queueFull") upstream.totals.add(UpstreamField.queued);
    else if (result === waited) upstream.totals.add(UpstreamField.queueFull);
    if (waited === "queueTimeout") upstream.totals.add(UpstreamField.queueTimeouts);
    return result;
  }

  /** What one comes to that has waited in vain for some endpoints only, or behind others that may not go there. */
  private elsewhere(why: NoLease): Lease | NoLease {
    if (!this.particular && !this.passes()) return why;
    this.moves = true;
    const claim = this.next();
    return claim === "full" ? why : claim;
  }

  /** The client left: waits no longer. Harmless when it does not wait. */
  leave(): void {
    this.group.queue.leave(this);
  }

  /** Where the client's cookie says. */
  private stickyLease(): Lease | null {
    const endpoint = stickyEndpoint(this.group, this.context.head);
    this.stuckTo = this.waitsFor = null;
    if (endpoint === null) return null;
    const lease = endpoint.lease();
    if (lease !== null) this.stuckTo = endpoint;
    else if (this.mayWaitFor(endpoint)) {
      this.waitsFor = endpoint;
      this.ledBy = this.group.sticky;
    }
    return lease;
  }

  /** What follows another attempt goes on elsewhere, and so does what has waited. */
  private mayWaitFor(endpoint: Endpoint): boolean {
    return this.tried.length === 0 && !this.moves && isWaitedFor(endpoint, this.group);
  }

  /** Where the policy says. */
  private firstLease(endpoints: readonly Endpoint[]): Lease | null {
    return endpoints.length === 0 ? null : this.group.balancer.pick(endpoints, this.context).lease();
  }

  /** In panic health is ignored only until the request itself has met an endpoint that fails. */
  private usableLease(endpoints: readonly Endpoint[]): Lease | null {
    const hasFailed = (endpoint: Endpoint) => this.tried.includes(endpoint) && !this.stale.includes(endpoint);
    const isUsable = (endpoint: Endpoint) => endpoint.state === 0 && !hasFailed(endpoint);
    return this.otherLease(endpoints.filter(isUsable), NONE);
  }

  /**
   * Not where it was tried before while others stand, spares included, and then rather where that proved nothing;
   * not where the limit is reached. Once it has waited for those in vain, wherever there is room.
   */
  private otherLease(endpoints: readonly Endpoint[], spares: readonly Endpoint[]): Lease | null {
    const isFresh = (endpoint: Endpoint) => !this.tried.includes(endpoint);
    const isStale = (endpoint: Endpoint) => this.stale.includes(endpoint);
    const wishes = [endpoints.filter(isFresh), spares.filter(isFresh), endpoints.filter(isStale), endpoints];
    const wished = wishes.find((wish) => wish.length > 0) ?? NONE;
    // Picking is a scan: it is not for finding out, one by one, that thousands are full.
    let open = wished.filter(hasRoom);
    if (open.length === 0 && this.moves) open = endpoints.filter(hasRoom);
    while (open.length > 0) {
      const pick = this.group.balancer.pickOther(open);
      const lease = pick.lease();
      if (lease !== null) return lease;
      open = open.filter((endpoint) => endpoint !== pick);
    }
    return null;
  }

  /** The Set-Cookie value that keeps the client where it was served, or null when it is kept already. */
  cookieFor(served: Endpoint): string | null {
    const { sticky } = this.group;
    return sticky === null || served === this.stuckTo ? null : sticky.setCookieFor(served.id);
  }
}
