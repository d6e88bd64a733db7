// What nobody wrote: the route that takes everything, and the names of routes that have none.
// Called by whoever makes a snapshot; a name labels a route in metrics, logs and explain.

import type { RouteConfig } from "../config/route_schema.ts";
import type { Config } from "../config/schema.ts";

/** The routes that hold: those that are written, else one that takes everything to the default upstream. */
export function routesInForce(
  { routes, upstreams }: Pick<Config, "routes" | "upstreams">,
): readonly RouteConfig[] {
  const upstream = defaultUpstreamOf(Object.keys(upstreams));
  if (routes.length > 0 || upstream === undefined) return routes;
  return [{ name: "default", match: {}, upstream, splitSticky: false }];
}

/** The upstream that gets everything when no route is written: `default`, else the only one there is. */
export function defaultUpstreamOf(names: readonly string[]): string | undefined {
  return names.includes("default") ? "default" : names.length === 1 ? names[0] : undefined;
}

/** Whether a route matches every request. */
export function takesEverything({ match }: RouteConfig): boolean {
  return match.host === undefined && match.path === undefined && match.method === undefined &&
    Object.keys(match.headers ?? {}).length === 0 && Object.keys(match.query ?? {}).length === 0;
}

/** The operator's name for a route, else one made from its match: `GET example.org/users/{id} [x-canary]`. */
export function routeName({ name, match }: RouteConfig): string {
  if (name !== undefined) return name;
  const method = match.method === undefined ? "" : match.method.join(",") + " ";
  const host = match.host === undefined ? "" : [match.host].flat().join(",");
  const conditions = [...Object.keys(match.headers ?? {}), ...Object.keys(match.query ?? {})];
  const suffix = conditions.length === 0 ? "" : ` [${conditions.join(",")}]`;
  return `${method}${host}${match.path ?? (host === "" ? "*" : "")}${suffix}`;
}

/** A name for each route, in order: those made from matches are told apart by a number, as in `/users #2`. */
export function routeNames(routes: readonly RouteConfig[]): string[] {
  const seen = new Map(routes.flatMap(({ name }) => name === undefined ? [] : [[name, 1]]));
  return routes.map((route) => {
    if (route.name !== undefined) return route.name;
    const name = routeName(route);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} #${count}`;
  });
}
