// Which route a request is for. Called once per request by `proxy/handler.ts`, and by explain.
//
// The most specific matching route wins (see `precedence.ts`), found by host, then by path, never by going
// through all routes; one route that takes everything costs one comparison. Nothing here fails, waits or
// keeps what a request holds.

import type { RequestHead } from "../exchange.ts";
import type { RouteSnapshot } from "../messages.ts";
import { takesEverything } from "./default_route.ts";
import { HostIndex } from "./host_index.ts";
import { parsePathPattern, type PathPattern } from "./path_pattern.ts";
import { PathTrie } from "./path_trie.ts";
import { entriesOf, type Entry } from "./precedence.ts";
import { pathEnd, READINGS, readsOneWay } from "./readings.ts";

/** Which route a request is for, or the status that says why none is. */
export type RouteMatch =
  | { readonly kind: "route"; readonly route: RouteSnapshot }
  /** No route names this host: 421 (RFC 9110 15.5.20). */
  | { readonly kind: "unknownHost" }
  /** Some route is for the host, none for this path, these headers or this query: 404. */
  | { readonly kind: "unknownPath" }
  /** Routes are for it but for their method: 405, which must say `Allow` (RFC 9110 15.5.6). */
  | { readonly kind: "methodNotAllowed"; readonly allow: readonly string[] }
  /** An origin may read the path as another route's (see `readings.ts`): 400. */
  | { readonly kind: "ambiguousPath" };

/** Finds the route of a request. Never throws, never waits. */
export interface Router {
  match(head: RequestHead): RouteMatch;
}

const UNKNOWN_HOST: RouteMatch = { kind: "unknownHost" };
const UNKNOWN_PATH: RouteMatch = { kind: "unknownPath" };
const AMBIGUOUS_PATH: RouteMatch = { kind: "ambiguousPath" };

/** A router over the routes of a snapshot. */
export function makeRouter(routes: readonly RouteSnapshot[]): Router {
  if (routes.length === 0) return { match: () => UNKNOWN_PATH };
  const only = routes[0]!;
  if (routes.length === 1 && takesEverything(only)) {
    const match: RouteMatch = { kind: "route", route: only };
    return { match: () => match };
  }
  return new IndexedRouter(routes);
}

/** One host pattern: its entries by path as it is, and as each reading has it. */
interface Tier {
  readonly entries: readonly Entry[];
  readonly raw: PathTrie;
  readonly readings: readonly PathTrie[];
}

class IndexedRouter implements Router {
  private readonly hosts: HostIndex<Tier>;
  private readonly pathsMatter: boolean;
  /** The answer for each route, made once. */
  private readonly answers = new Map<RouteSnapshot, RouteMatch>();

  constructor(routes: readonly RouteSnapshot[]) {
    const entries = entriesOf(routes);
    this.hosts = new HostIndex(entries, tierOf);
    this.pathsMatter = entries.some(({ path }) => path !== null);
    for (const route of routes) this.answers.set(route, { kind: "route", route });
  }

  match(head: RequestHead): RouteMatch {
    const tiers = this.hosts.find(head.authority, head.scheme);
    if (tiers.length === 0) return UNKNOWN_HOST;
    const end = pathEnd(head.target);
    let methodMissed = false;
    for (let i = 0; i < tiers.length; i++) {
      const { raw } = tiers[i]!;
      const found = raw.find(head, head.target, end);
      if (found !== null) return this.unlessAmbiguous(found, tiers, head, end);
      methodMissed ||= raw.methodMissed;
    }
    return methodMissed
      ? { kind: "methodNotAllowed", allow: allowedMethods(tiers, head, end) }
      : UNKNOWN_PATH;
  }

  private unlessAmbiguous(found: Entry, tiers: readonly Tier[], head: RequestHead, end: number): RouteMatch {
    if (this.pathsMatter && !readsOneWay(head.target, end)) {
      const path = head.target.slice(0, end);
      const agree = READINGS.every((read, i) => {
        const text = read(path);
        for (const tier of tiers) {
          const entry = tier.readings[i]!.find(head, text, text.length);
          if (entry !== null) return entry.route === found.route;
        }
        return false;
      });
      if (!agree) return AMBIGUOUS_PATH;
    }
    return this.answers.get(found.route)!;
  }
}

function tierOf(entries: readonly Entry[]): Tier {
  const raw = new PathTrie(entries, ({ path }) => path);
  const readings = READINGS.map((read) => {
    const patterns = new Map(entries.map(({ path }) => [path, path && readPattern(path, read)]));
    const same = entries.every(({ path }) => path === patterns.get(path));
    return same ? raw : new PathTrie(entries, ({ path }) => patterns.get(path)!);
  });
  return { entries, raw, readings };
}

function readPattern(pattern: PathPattern, read: (path: string) => string): PathPattern {
  const text = read(pattern.text);
  return text === pattern.text ? pattern : parsePathPattern(text);
}

/** Methods of the routes that match in all else. Only reached when there is no match: it may be slow. */
function allowedMethods(tiers: readonly Tier[], head: RequestHead, end: number): string[] {
  const written = tiers.flatMap(({ entries }) => entries.flatMap(({ methods }) => methods ?? []));
  return [...new Set(written)].filter((method) =>
    tiers.some(({ raw }) => raw.find({ ...head, method }, head.target, end) !== null)
  ).sort();
}
