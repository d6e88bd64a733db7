// An upstream with what decides over it in one worker.
//
// Made by `proxy.ts` for each upstream of a snapshot, and kept while the upstream keeps its row: pools, counts, retry
// budget and queue outlive a reload.

import type { Balancer } from "../balance/balancer.ts";
import { makeBalancer } from "../balance/policies.ts";
import { UpstreamCell } from "../board/layout.ts";
import type { UpstreamSnapshot } from "../messages.ts";
import type { UpstreamContext } from "../upstream/endpoint.ts";
import { Upstream } from "../upstream/upstream.ts";
import { PendingQueue } from "./pending_queue.ts";
import { RetryBudget } from "./retry_budget.ts";
import { StickyCookies } from "./sticky.ts";

/** An upstream with what decides over it in this worker. */
export interface Group {
  readonly upstream: Upstream;
  balancer: Balancer;
  readonly budget: RetryBudget;
  /** Requests of this worker that wait for room at an endpoint. */
  readonly queue: PendingQueue;
  /** Null without sticky sessions. */
  sticky: StickyCookies | null;
}

/** What a worker lends to all its groups. */
export interface GroupInputs extends UpstreamContext {
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** @param stickyKey signs sticky cookies; empty when no upstream is sticky */
export function makeGroup(snapshot: UpstreamSnapshot, stickyKey: string, inputs: GroupInputs): Group {
  const { own, wheel, now } = inputs;
  const upstream = new Upstream(snapshot, inputs);
  const { int32, layout } = own.board;
  const budget = new RetryBudget(snapshot.retry, now, {
    int32,
    milli: layout.upstreamCell(snapshot.row, UpstreamCell.budgetMilli),
    second: layout.upstreamCell(snapshot.row, UpstreamCell.budgetSecond),
  });
  const queue = new PendingQueue(own, snapshot.row, wheel);
  const balancer = balancerOf(upstream, inputs);
  return { upstream, balancer, budget, queue, sticky: stickyOf(snapshot, stickyKey) };
}

/** Takes over a newer snapshot of the same upstream. */
export function refreshGroup(
  group: Group,
  snapshot: UpstreamSnapshot,
  stickyKey: string,
  inputs: GroupInputs,
): void {
  const policyChanged = JSON.stringify(group.upstream.snapshot.balance) !== JSON.stringify(snapshot.balance);
  group.upstream.apply(snapshot);
  group.budget.apply(snapshot.retry);
  if (policyChanged) group.balancer = balancerOf(group.upstream, inputs);
  group.sticky = stickyOf(snapshot, stickyKey);
  group.queue.poke();
}

function balancerOf(upstream: Upstream, { random, now }: GroupInputs): Balancer {
  return makeBalancer(upstream.snapshot.balance, { random, now, turn: () => upstream.turn() });
}

function stickyOf({ sticky, name, endpoints }: UpstreamSnapshot, key: string): StickyCookies | null {
  return sticky === undefined ? null : new StickyCookies(sticky, key, name, endpoints.map(({ id }) => id));
}
