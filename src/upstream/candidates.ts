// Which endpoints of a group may take a request: the list that a balancing policy chooses from.
//
// Pure. The order of preference is: usable primaries; with too few of them, usable backups too; then
// draining ones, which still serve; then, if the operator chose panic, everything that is not leaving. Those
// that await their first check are as good as absent: many that join at once are no reason to panic.
//
// Verdicts reach a worker at once, the snapshot that names new endpoints a moment later. When all endpoints are
// replaced together, those that leave serve on for that moment.

import { EndpointState } from "../board/verdicts.ts";
import type { UpstreamSnapshot } from "../messages.ts";

/** Where an endpoint stands, as far as narrowing looks at it. */
export interface Standing {
  readonly backup: boolean;
  /** EndpointState bits. */
  readonly state: number;
}

/** What a group is narrowed to. */
export interface Candidates<E> {
  readonly endpoints: readonly E[];
  /** Whom a request may still be sent to that all of `endpoints` have failed: backups, then those that drain. */
  readonly spares: readonly E[];
  /** True when health is being ignored because too few endpoints are usable. */
  readonly panic: boolean;
}

type Policy = Pick<UpstreamSnapshot, "whenAllUnhealthy" | "panicPercent">;

/** Narrows a group. Empty when nothing may be used: the answer is 503. */
export function narrow<E extends Standing>(all: readonly E[], policy: Policy): Candidates<E> {
  const first = firstChoice(all, policy);
  const chosen = new Set(first.endpoints);
  const others = all.filter((endpoint) => !chosen.has(endpoint));
  const backups = others.filter((endpoint) => endpoint.backup && endpoint.state === 0);
  const draining = others.filter((endpoint) => endpoint.state === EndpointState.draining);
  return { ...first, spares: [...backups, ...draining] };
}

function firstChoice<E extends Standing>(all: readonly E[], policy: Policy): Omit<Candidates<E>, "spares"> {
  const staying = all.filter((endpoint) => (endpoint.state & EndpointState.leaving) === 0);
  // Successors are on their way, or the next snapshot is empty and says so.
  if (staying.length === 0) return { endpoints: all, panic: false };
  const primaries = staying.filter((endpoint) => !endpoint.backup && !isDraining(endpoint));
  const usable = primaries.filter((endpoint) => endpoint.state === 0);
  const known = primaries.filter((endpoint) => (endpoint.state & EndpointState.unchecked) === 0);
  const enough = usable.length > 0 && usable.length * 100 >= known.length * policy.panicPercent;
  if (enough) return { endpoints: usable, panic: false };

  const backups = staying.filter((endpoint) => endpoint.backup && endpoint.state === 0);
  if (backups.length > 0) return { endpoints: [...usable, ...backups], panic: false };

  const draining = staying.filter((endpoint) => endpoint.state === EndpointState.draining);
  if (usable.length === 0 && draining.length > 0) return { endpoints: draining, panic: false };

  if (policy.whenAllUnhealthy === "fail") return { endpoints: usable, panic: false };
  const anything = [usable.length > 0 ? known : primaries, staying].find((some) => some.length > 0) ?? [];
  return { endpoints: anything, panic: anything.length > usable.length };
}

function isDraining(endpoint: Standing): boolean {
  return (endpoint.state & EndpointState.draining) !== 0;
}
