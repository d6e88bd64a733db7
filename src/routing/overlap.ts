// Routes that stand in each other's way: ties and routes that no request can reach.
// Used by `lint/routes.ts`, never by traffic.

import type { RouteSnapshot } from "../messages.ts";
import { type Condition, conditionImplied, conditionsExclude, presenceOf } from "./conditions.ts";
import { describeHost } from "./host_pattern.ts";
import { criterionBetween, entriesOf, type Entry } from "./precedence.ts";

/** Two routes that one request can match while nothing puts either first; the file's order decides. */
export interface Tie {
  readonly first: RouteSnapshot;
  readonly second: RouteSnapshot;
}

/** A route that no request can reach. */
export interface Unreachable {
  readonly route: RouteSnapshot;
  /** Routes that take all its requests, each at least a part of them. */
  readonly by: readonly RouteSnapshot[];
}

/** Every tie, once per pair of routes, in order of precedence. */
export function findTies(routes: readonly RouteSnapshot[]): Tie[] {
  const ties = new Map<RouteSnapshot, Set<RouteSnapshot>>();
  for (const run of [...byPlace(entriesOf(routes)).values()].flatMap(equalRuns)) {
    run.forEach((second, i) => {
      for (const first of run.slice(0, i)) {
        if (first.route === second.route || !conditionsOverlap(first, second)) continue;
        const seconds = ties.get(first.route) ?? new Set();
        ties.set(first.route, seconds.add(second.route));
      }
    });
  }
  return [...ties].flatMap(([first, seconds]) => [...seconds].map((second) => ({ first, second })));
}

/** Every route all of whose requests go to routes before it. */
export function findUnreachable(routes: readonly RouteSnapshot[]): Unreachable[] {
  const entries = entriesOf(routes);
  const places = byPlace(entries);
  const byRoute = Map.groupBy(entries, ({ route }) => route);
  return routes.flatMap((route) => {
    const by = new Set<RouteSnapshot>();
    const reachable = (byRoute.get(route) ?? []).some((entry) => {
      const before = places.get(placeOf(entry))!.filter((other) =>
        other.rank < entry.rank && other.route !== route
      );
      const takers = takersOf(entry, before);
      takers.forEach((taker) => by.add(taker.route));
      return takers.length === 0;
    });
    return reachable ? [] : [{ route, by: [...by] }];
  });
}

/**
 * Of the entries `before` it for its place, those that together take all that `entry` matches; none when it is left
 * something.
 */
function takersOf(entry: Entry, before: readonly Entry[]): Entry[] {
  const candidates = before.filter(({ methods }) => methods === null || entry.methods !== null);
  if (entry.methods === null) return takersForMethod(entry, candidates);
  const takers = entry.methods.map((method) =>
    takersForMethod(entry, candidates.filter(({ methods }) => methods === null || methods.includes(method)))
  );
  return takers.every((list) => list.length > 0) ? [...new Set(takers.flat())] : [];
}

function takersForMethod(entry: Entry, candidates: readonly Entry[]): Entry[] {
  const open = candidates.map((other) => ({ other, asks: unmet(other, entry) }));
  const whole = open.find(({ asks }) => asks.length === 0);
  if (whole !== undefined) return [whole.other];
  return takersOfHalves(open.filter(({ asks }) => asks.length === 1));
}

/** The first two of which one takes the requests with something, the other those without. */
function takersOfHalves(halves: readonly { other: Entry; asks: Condition[] }[]): Entry[] {
  const firsts = new Map<string, Entry>();
  const presences = halves.map(({ other, asks }) => ({ other, presence: presenceOf(asks[0]!) }));
  for (const { other, presence } of presences) {
    if (presence !== null && !firsts.has(presence.key)) firsts.set(presence.key, other);
  }
  for (const { other, presence } of presences) {
    const rest = presence === null ? undefined : firsts.get(presence.opposite);
    if (rest !== undefined) return [other, rest];
  }
  return [];
}

/** Conditions of `other` that a request for `entry` need not fulfil. */
function unmet(other: Entry, entry: Entry): Condition[] {
  return other.conditions.filter((condition) =>
    !entry.conditions.some((given) => conditionImplied(condition, given))
  );
}

/** Runs of entries that no criterion tells apart; entries come in order, so equal ones are neighbours. */
function equalRuns(entries: readonly Entry[]): Entry[][] {
  const runs: Entry[][] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    if (run !== undefined && criterionBetween(run[0]!, entry) === null) run.push(entry);
    else runs.push([entry]);
  }
  return runs;
}

/** Whether one request can fulfil what both ask besides their place. */
function conditionsOverlap(a: Entry, b: Entry): boolean {
  return (a.methods === null || b.methods === null ||
    a.methods.some((method) => b.methods!.includes(method))) &&
    !a.conditions.some((left) => b.conditions.some((right) => conditionsExclude(left, right)));
}

/**
 * Hosts and paths that differ are never in each other's way: where a request is for both, they differ in a criterion,
 * and the one that goes first leaves requests to the other. So only the few entries of one place are compared.
 */
function byPlace(entries: readonly Entry[]): Map<string, Entry[]> {
  return Map.groupBy(entries, placeOf);
}

/** The host and path of an entry, whatever its `{name}` segments are called. */
function placeOf({ host, path }: Entry): string {
  const segments = path?.segments.map((segment) => `/${segment ?? "{}"}`) ?? ["any path"];
  return `${describeHost(host)} ${segments.join("")}${path?.open ? "/*" : ""}`;
}
