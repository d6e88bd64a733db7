// The lint rule about sticky cookies of one name, of which a browser keeps but one for each host.

import { upstreamsOf } from "../config/derived.ts";
import type { Config, RouteConfig } from "../config/schema.ts";
import { coversName, describeHost, type HostPattern, parseHostPattern } from "../routing/host_pattern.ts";
import type { LintReport, LintRule } from "./finding.ts";

export const stickyShared: LintRule = {
  name: "sticky-cookie-shared",
  check: (config) => {
    const uses = stickyUses(config);
    const closed = closedHosts(config.routes);
    return Object.entries(Object.groupBy(uses, ({ cookie }) => cookie)).flatMap(([cookie, sharing = []]) => {
      const names = [...new Set(sharing.map(({ upstream }) => upstream))].sort();
      const of = Object.groupBy(sharing, ({ upstream }) => upstream);
      return names.flatMap((name, i): LintReport[] => {
        const other = names.slice(0, i).find((before) =>
          of[name]!.some((use) => of[before]!.some((one) => shareClients(use, one, closed)))
        );
        return other === undefined ? [] : [{
          path: ["upstreams", name, "sticky", "cookie"],
          severity: "warning",
          state: `is ${cookie}, as in upstreams.${other}`,
          why: "A browser keeps one cookie of a name for a host: each of the two takes the other's away.",
          fix: "Give each a name of its own.",
        }];
      });
    });
  },
};

/** A route that leads to a sticky upstream. */
interface StickyUse {
  readonly upstream: string;
  readonly cookie: string;
  readonly route: RouteConfig;
  readonly hosts: readonly HostPattern[];
  /** Those of the hosts that are exact, by name: most are, and sets need not be compared name by name. */
  readonly names: ReadonlySet<string>;
  readonly patterns: readonly HostPattern[];
}

function stickyUses({ routes, upstreams }: Config): StickyUse[] {
  return routes.flatMap((route) => {
    const sticky = upstreamsOf(route).filter((upstream) => upstreams[upstream]!.sticky);
    if (sticky.length === 0) return [];
    const hosts = [route.match.host ?? "*"].flat().map(parseHostPattern);
    const patterns = hosts.filter(({ kind }) => kind !== "exact");
    const names = new Set(hosts.filter(({ kind }) => kind === "exact").map(({ name }) => name));
    return sticky.map((upstream) => ({
      upstream,
      cookie: upstreams[upstream]!.sticky!.cookie,
      route,
      hosts,
      names,
      patterns,
    }));
  });
}

/** Hosts of which one route takes every request, as texts without port: nothing is left to a wildcard around them. */
function closedHosts(routes: readonly RouteConfig[]): ReadonlySet<string> {
  const open = ({ host: _, path = "/*", ...conditions }: RouteConfig["match"]) =>
    path !== "/*" || Object.keys(conditions).length > 0;
  return new Set(
    routes.filter(({ match }) => !open(match)).flatMap(({ match: { host = "*" } }) =>
      [host].flat().map(parseHostPattern).filter(({ port }) => port === null).map(describeHost)
    ),
  );
}

/** Whether a client may come by both. Cookies know hosts, and no ports or paths. */
function shareClients(a: StickyUse, b: StickyUse, closed: ReadonlySet<string>): boolean {
  if (a.route === b.route && a.route.splitSticky) return false;
  const meets = (one: HostPattern) => (other: HostPattern) => haveHostInCommon(one, other, closed);
  return !a.names.isDisjointFrom(b.names) ||
    a.patterns.some((one) => b.hosts.some(meets(one))) ||
    b.patterns.some((one) => a.hosts.some(meets(one)));
}

function haveHostInCommon(a: HostPattern, b: HostPattern, closed: ReadonlySet<string>): boolean {
  const isClosed = (host: HostPattern) => closed.has(describeHost({ ...host, port: null }));
  if (coversName(a, b)) return coversName(b, a) || !isClosed(b);
  return coversName(b, a) && !isClosed(a);
}
