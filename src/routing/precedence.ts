// Which of several matching routes a request is for: the most specific one, whatever the order in the file.
//
// A route becomes one entry for each host it names. Entries are compared by CRITERIA, first difference
// decides; that is the whole precedence, and `docs/routing.md` shows it as a table. Two entries that no
// criterion tells apart keep the order of the file; if one request can be for both it is a tie, which
// `overlap.ts` finds and `check` refuses.

import type { RouteSnapshot } from "../messages.ts";
import { type Condition, conditionsOf } from "./conditions.ts";
import { ANY_HOST, type HostPattern, parseHostPattern } from "./host_pattern.ts";
import { parsePathPattern, type PathPattern } from "./path_pattern.ts";

/** One route at one of its hosts. */
export interface Entry {
  readonly route: RouteSnapshot;
  readonly host: HostPattern;
  /** Null matches every target, `*` too. */
  readonly path: PathPattern | null;
  /** Null matches every method. */
  readonly methods: readonly string[] | null;
  readonly conditions: readonly Condition[];
  /** 0 is looked at first. */
  readonly rank: number;
}

interface Criterion {
  /** "... goes first" */
  readonly words: string;
  /** The larger one goes first. */
  readonly of: (entry: Entry) => number | string;
}

const HOST_KINDS = { any: 0, wildcard: 1, exact: 2 } as const;

/** What puts one matching route before another, the weightiest first. */
export const CRITERIA: readonly Criterion[] = [
  {
    words: "an exact host before a wildcard, a wildcard before any host",
    of: (e) => HOST_KINDS[e.host.kind],
  },
  { words: "the longer wildcard", of: (e) => e.host.kind === "wildcard" ? e.host.name.length : 0 },
  { words: "a host with a port before one without", of: (e) => e.host.port === null ? 0 : 1 },
  {
    words: "an exact path before a template, a template before a prefix, a prefix before none",
    of: pathKind,
  },
  { words: "the longer prefix", of: (e) => e.path?.open ? e.path.segments.length : 0 },
  { words: "the path with more literal segments", of: literalSegments },
  { words: "the path whose literal segments stand further left", of: shape },
  { words: "a written method before none", of: (e) => e.methods === null ? 0 : 1 },
  { words: "more header and query conditions", of: (e) => e.conditions.length },
];

/** Every route at every host, most specific first. */
export function entriesOf(routes: readonly RouteSnapshot[]): Entry[] {
  return routes
    .flatMap((route) => hostsOf(route).map((host) => entryOf(route, host)))
    .sort((a, b) => criterionBetween(a, b)?.order ?? 0)
    .map((entry, rank) => ({ ...entry, rank }));
}

/** What puts one entry before the other: negative order when `a` goes first; null when nothing does. */
export function criterionBetween(a: Entry, b: Entry): { order: number; words: string } | null {
  for (const { words, of } of CRITERIA) {
    const [left, right] = [of(a), of(b)];
    if (left !== right) return { order: left > right ? -1 : 1, words };
  }
  return null;
}

function hostsOf(route: RouteSnapshot): HostPattern[] {
  const { host } = route.match;
  if (host === undefined) return [ANY_HOST];
  return (typeof host === "string" ? [host] : host).map(parseHostPattern);
}

function entryOf(route: RouteSnapshot, host: HostPattern): Entry {
  const { path, method } = route.match;
  return {
    route,
    host,
    path: path === undefined ? null : parsePathPattern(path),
    methods: method ?? null,
    conditions: conditionsOf(route.match),
    rank: 0,
  };
}

function pathKind({ path }: Pick<Entry, "path">): number {
  if (path === null) return 0;
  if (path.open) return 1;
  return path.names.length > 0 ? 2 : 3;
}

function literalSegments({ path }: Entry): number {
  return path === null || pathKind({ path }) === 3 ? 0 : path.segments.length - path.names.length;
}

function shape({ path }: Entry): string {
  return path === null ? "" : path.segments.map((segment) => segment === null ? "0" : "1").join("");
}
