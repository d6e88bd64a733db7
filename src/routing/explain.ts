// Why a request goes to its route, and why every other route does not get it, in words.
// Asks the very router that traffic uses for the match; only the words are its own.

import type { RequestHead } from "../exchange.ts";
import type { RouteSnapshot } from "../messages.ts";
import { actualValue, conditionHolds, describeCondition } from "./conditions.ts";
import { describeHost, effectivePort, hostMatches, splitAuthority } from "./host_pattern.ts";
import { pathMatches } from "./path_pattern.ts";
import { criterionBetween, entriesOf, type Entry } from "./precedence.ts";
import { makeRouter, type RouteMatch } from "./router.ts";
import { splitTarget } from "./target.ts";

/** Why a route gets the request, or does not. */
export interface RouteReason {
  readonly route: string;
  readonly chosen: boolean;
  /** A clause: `its path is /a/*, the request's is /b`. */
  readonly why: string;
}

/** What came of a match, and why not of any other route. */
export interface MatchExplanation {
  /** What came of it, as a sentence. */
  readonly verdict: string;
  /** One for each route, most specific first. */
  readonly routes: readonly RouteReason[];
}

/**
 * Plain and slow: goes through all routes, once.
 * @param match what the router of these routes said
 */
export function explainMatch(
  routes: readonly RouteSnapshot[],
  head: RequestHead,
  match: RouteMatch = makeRouter(routes).match(head),
): MatchExplanation {
  const entries = entriesOf(routes);
  const first = entries.find((entry) => mismatch(entry, head) === null);
  const reasons = [...Map.groupBy(entries, ({ route }) => route)]
    .map(([route, own]) => reasonFor(route, own, first, match, head));
  return { verdict: verdictOf(match, routes.length, head), routes: reasons };
}

function reasonFor(
  route: RouteSnapshot,
  own: readonly Entry[],
  first: Entry | undefined,
  match: RouteMatch,
  head: RequestHead,
): RouteReason {
  const matching = own.find((entry) => mismatch(entry, head) === null);
  const chosen = match.kind === "route" && match.route === route;
  if (matching === undefined || first === undefined) {
    return { route: route.name, chosen, why: whyNot(own, head) };
  }
  if (chosen) return { route: route.name, chosen, why: "it matches, and no more specific route does" };
  if (first.route === route) {
    return { route: route.name, chosen, why: "it matches the path as sent, but not every reading of it" };
  }
  const words = criterionBetween(first, matching)?.words ??
    "of equals, the one that stands first in the file";
  return { route: route.name, chosen, why: `it matches too, but ${first.route.name} goes first: ${words}` };
}

/** Of several hosts, the reason at the one that came furthest. */
function whyNot(own: readonly Entry[], head: RequestHead): string {
  const reasons = own.map((entry) => mismatch(entry, head)!);
  const furthest = reasons.find((reason) => reason.step !== "host");
  return furthest?.words ?? reasons.map(({ words }) => words).join("; ");
}

function mismatch(entry: Entry, head: RequestHead): { step: "host" | "later"; words: string } | null {
  const { name, port } = splitAuthority(head.authority);
  if (!hostMatches(entry.host, name, effectivePort(port, head.scheme))) {
    return {
      step: "host",
      words: `its host is ${describeHost(entry.host)}, the request's is ${head.authority}`,
    };
  }
  const words = pathMismatch(entry, head) ?? methodMismatch(entry, head) ?? conditionMismatch(entry, head);
  return words === null ? null : { step: "later", words };
}

function pathMismatch({ path }: Entry, head: RequestHead): string | null {
  const requested = splitTarget(head.target).path;
  if (path === null || pathMatches(path, requested)) return null;
  return `its path is ${path.text}, the request's is ${requested}`;
}

function methodMismatch({ methods }: Entry, head: RequestHead): string | null {
  if (methods === null || methods.includes(head.method)) return null;
  return `its method is ${methods.join(" or ")}, the request's is ${head.method}`;
}

function conditionMismatch({ conditions }: Entry, head: RequestHead): string | null {
  const failed = conditions.find((condition) => !conditionHolds(condition, head));
  if (failed === undefined) return null;
  const actual = actualValue(failed, head);
  return `${describeCondition(failed)}, ` + (actual === undefined ? "it is not there" : `it is "${actual}"`);
}

function verdictOf(match: RouteMatch, routes: number, head: RequestHead): string {
  switch (match.kind) {
    case "route":
      return `Route ${match.route.name} takes it.`;
    case "unknownHost":
      return `421: no route is for the host ${head.authority}.`;
    case "unknownPath":
      return routes === 0
        ? "404: there is no route."
        : "404: routes are for this host, none for this request.";
    case "methodNotAllowed":
      return `405: routes match in all but the method; they allow ${match.allow.join(", ")}.`;
    case "ambiguousPath":
      return "400: an origin may read the path as another route's; routes compare it as sent.";
  }
}
