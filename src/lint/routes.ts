// Lint rules about what routes match: what hardly any request has, routes in each other's way.

import type { MatchConfig, RouteConfig } from "../config/schema.ts";
import type { RouteSnapshot } from "../messages.ts";
import { routeNames } from "../routing/default_route.ts";
import { hostMatches, isSameHost, parseHostPattern } from "../routing/host_pattern.ts";
import { findTies, findUnreachable } from "../routing/overlap.ts";
import { parsePathPattern, pathCovers } from "../routing/path_pattern.ts";
import { type LintReport, type LintRule, perRoute } from "./finding.ts";

const dotSegments = perRoute("route-path-dots", ({ match }, path) => {
  if (!/\/(\.|%2e){1,2}(\/|$)/i.test(match.path ?? "")) return [];
  return [{
    path: [...path, "match", "path"],
    severity: "warning",
    state: `is "${match.path}", with dot segments`,
    why: "Clients resolve dot segments before they send a request, so the route gets next to nothing.",
    fix: "Write the path that they lead to.",
  }];
});

/** What stands for more than itself in the paths of other routers: Express, regular expressions. */
const FOREIGN_SEGMENT = /^:[A-Za-z_]|[\\^[\]]|\.\+|\(.*\||\|.*\)/;
const PARAMETER_NAME = /^[\w-]+(\.[\w-]+)*$/;

const foreignSyntax = perRoute("route-path-syntax", ({ match }, path) => {
  if (match.path === undefined) return [];
  const { segments, names, open } = parsePathPattern(match.path);
  const literal = segments.find((segment, i) =>
    segment !== null &&
    (FOREIGN_SEGMENT.test(segment) || segment.endsWith("$") && !open && i === segments.length - 1)
  );
  const name = names.find((name) => !PARAMETER_NAME.test(name));
  const report = (state: string, why: string): LintReport => ({
    path: [...path, "match", "path"],
    severity: "warning",
    state: `is "${match.path}", where ${state}`,
    why,
    fix:
      "Write {name} for any one segment, /* at the end for all below, and a route for each of several paths.",
  });
  return [
    ...literal
      ? [report(`"${literal}" stands for itself`, "The route gets only what has just this in its path.")]
      : [],
    ...name === undefined
      ? []
      : [report(`"{${name}}" takes any one segment`, "In braces is a name, no condition.")],
  ];
});

/** A slash at the end stands for all below in other proxies (nginx, Traefik), and for itself here. */
const slashAtEnd = perRoute("route-path-slash", ({ match, upstream, split }, path, { routes }) => {
  if (!match.path?.endsWith("/") || (upstream ?? split) === undefined) return [];
  const below = parsePathPattern(`${match.path}*`);
  const taken = routes.some(({ match: { path: taker = "/*", host } }) =>
    taker.endsWith("/*") && pathCovers(parsePathPattern(taker), below) && isForHosts(host, match.host)
  );
  return taken ? [] : [{
    path: [...path, "match", "path"],
    severity: "warning",
    state: `is "${match.path}", and no route takes all that is below`,
    why: "With a slash at the end it is that path alone: what is below, and no other route's, gets 404.",
    fix:
      `Write ${below.text} for the path and all below it; a route there that answers 404 says that it is meant.`,
  }];
});

const hostSyntax = perRoute(
  "route-host-syntax",
  ({ match: { host = [] } }, path) =>
    [host].flat().flatMap((pattern, i): LintReport[] => {
      const { name } = parseHostPattern(pattern);
      const odd = name.startsWith("[") ? undefined : /[^a-z0-9._-]|^_$/.exec(name)?.[0];
      if (odd === undefined) return [];
      return [{
        path: [...path, "match", "host", ...(Array.isArray(host) ? [i] : [])],
        severity: "warning",
        state: `is "${pattern}", where "${odd}" stands for itself`,
        why: "Names of hosts have letters, digits, - and dots, so that hardly any request is for this one.",
        fix: "Write the name, *.name for all below it, several names as a list, and no host for any.",
      }];
    }),
);

/** What other proxies take for a pattern: `^v2`, `~*mobile`, `.*`, `*Mobile*`. Media ranges (`text/*`) are values. */
const FOREIGN_VALUE = /^[~^]|\.[*+]|^\*[^/,;]|[^/]\*$/;

const valueSyntax = perRoute(
  "route-value-syntax",
  ({ match }, path) =>
    (["headers", "query"] as const).flatMap((kind) =>
      Object.entries(match[kind] ?? {}).flatMap(([name, wanted]): LintReport[] => {
        const text = typeof wanted === "string" ? wanted : "prefix" in wanted ? wanted.prefix : "";
        if (!FOREIGN_VALUE.test(text)) return [];
        return [{
          path: [...path, "match", kind, name],
          severity: "warning",
          state: "looks like a pattern, and stands for itself",
          why: "Values are equal to the text, or begin with it: hardly any request has just this one.",
          fix: "Write the whole value, {prefix: ...} with its beginning, or {present: true} for any.",
        }];
      })
    ),
);

const cookieWhole = perRoute(
  "route-cookie-whole",
  ({ match: { headers = {} } }, path) =>
    Object.entries(headers).flatMap(([name, wanted]): LintReport[] => {
      if (name.toLowerCase() !== "cookie" || typeof wanted === "object" && "present" in wanted) return [];
      return [{
        path: [...path, "match", "headers", name],
        severity: "warning",
        state: "is compared with the header as a whole",
        why:
          "Clients send all cookies of a site in one header, so that one cookie more makes it another value.",
        fix:
          "Go by a header or query parameter of its own; a split with splitSticky also keeps clients apart.",
      }];
    }),
);

const methodCase = perRoute(
  "route-method-case",
  ({ match }, path) =>
    (match.method ?? []).filter((method) => method !== method.toUpperCase()).map((method) => ({
      path: [...path, "match", "method"],
      severity: "warning",
      state: `has "${method}"`,
      why: "Methods compare with case (RFC 9110 9.1), and those in use are in upper case.",
      fix: `Write ${method.toUpperCase()}.`,
    })),
);

const ties: LintRule = {
  name: "route-tie",
  check: ({ routes }) => {
    const snapshots = snapshotsOf(routes);
    // Of hundreds of routes that all tie, each pair would be a line of its own.
    const bySecond = Map.groupBy(findTies(snapshots), ({ second }) => second);
    return [...bySecond].map(([second, pairs]) => ({
      path: ["routes", second.row, "match"],
      severity: "error",
      state: `ties with routes[${pairs[0]!.first.row}] (${pairs[0]!.first.name})` +
        (pairs.length === 1 ? "" : ` and ${pairs.length - 1} more`),
      why: "One request can match both and neither is more specific, so that only their order here decides.",
      fix:
        "Give one of them a condition more, or one that excludes the other; drop one if they are the same.",
    }));
  },
};

const unreachable: LintRule = {
  name: "route-unreachable",
  check: ({ routes }) => {
    const snapshots = snapshotsOf(routes);
    const tied = new Set(findTies(snapshots).map(({ first, second }) => `${first.row} ${second.row}`));
    return findUnreachable(snapshots)
      .filter(({ route, by }) => by.some((taker) => !tied.has(`${taker.row} ${route.row}`)))
      .map(({ route, by }) => ({
        path: ["routes", route.row, "match"],
        severity: "error",
        state: `is never reached: ${by.map(({ row, name }) => `routes[${row}] (${name})`).join(" and ")} ` +
          `take${by.length === 1 ? "s" : ""} all its requests`,
        why: "What is written for this route never happens.",
        fix: "Remove the route, or narrow the ones before it.",
      }));
  },
};

export const routeRules: readonly LintRule[] = [
  dotSegments,
  foreignSyntax,
  slashAtEnd,
  hostSyntax,
  valueSyntax,
  cookieWhole,
  methodCase,
  ties,
  unreachable,
];

/** Whether a route with the hosts `outer` is for every host of one with `inner`. */
function isForHosts(outer: MatchConfig["host"], inner: MatchConfig["host"]): boolean {
  const patterns = [outer ?? "*"].flat().map(parseHostPattern);
  return [inner ?? "*"].flat().map(parseHostPattern).every((one) =>
    patterns.some((pattern) => isSameHost(pattern, one) || hostMatches(pattern, one.name, one.port ?? -1))
  );
}

/** Routes as a router takes them. */
export function snapshotsOf(routes: readonly RouteConfig[]): RouteSnapshot[] {
  const names = routeNames(routes);
  return routes.map((route, row) => ({ ...route, name: names[row]!, row }));
}
