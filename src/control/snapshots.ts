// From what the operator wrote and what discovery found to what workers are told: pure assembly.
//
// Called by `pod/publisher.ts` for every publication. Rows and file contents come in; nothing is looked up here.

import type { Config, RouteConfig, UpstreamConfig } from "../config/schema.ts";
import type {
  EndpointsChange,
  EndpointSnapshot,
  RouteSnapshot,
  Snapshot,
  UpstreamSnapshot,
  UpstreamTlsSnapshot,
} from "../messages.ts";
import { routeNames, routesInForce } from "../routing/default_route.ts";
import type { DiscoveredEndpoint } from "./discovery/discovery.ts";
import type { JudgedUpstream } from "./judgement.ts";

/** Board rows by identity. */
export interface Rows {
  upstream(name: string): number;
  endpoint(upstream: string, id: string): number;
  route(name: string): number;
}

/** An upstream as it is known now: configured, and resolved. */
export interface KnownUpstream {
  readonly name: string;
  readonly config: UpstreamConfig;
  readonly endpoints: readonly DiscoveredEndpoint[];
  readonly tls: UpstreamTlsSnapshot;
}

/** What workers are told of an upstream. */
export function upstreamSnapshot(known: KnownUpstream, rows: Rows): UpstreamSnapshot {
  const { name, config, endpoints, tls } = known;
  return {
    name,
    row: rows.upstream(name),
    endpoints: endpoints.map((endpoint) => endpointSnapshot(endpoint, rows.endpoint(name, endpoint.id))),
    balance: config.balance,
    whenAllUnhealthy: config.whenAllUnhealthy,
    panicPercent: config.panicPercent,
    hostHeader: config.hostHeader,
    ...(config.sticky === undefined ? {} : { sticky: config.sticky }),
    retry: config.retry,
    timeouts: config.timeouts,
    pool: config.pool,
    limits: config.limits,
    tls,
  };
}

/** All but `drain`, which is a verdict and stands on the board. */
function endpointSnapshot({ drain: _drain, ...endpoint }: DiscoveredEndpoint, row: number): EndpointSnapshot {
  return { ...endpoint, row };
}

/** How the endpoints of an upstream now differ from those that workers were told of. */
export function endpointsChange(
  upstream: UpstreamSnapshot,
  now: readonly DiscoveredEndpoint[],
  rows: Rows,
): EndpointsChange {
  const gone = new Map(upstream.endpoints.map((endpoint) => [endpoint.id, endpoint]));
  const joined: EndpointSnapshot[] = [];
  for (const endpoint of now) {
    const row = rows.endpoint(upstream.name, endpoint.id);
    const before = gone.get(endpoint.id);
    if (before !== undefined && isSame(before, endpoint, row)) gone.delete(endpoint.id);
    else joined.push(endpointSnapshot(endpoint, row));
  }
  return { upstream: upstream.name, left: [...gone.keys()], joined };
}

/** An id says scheme, host and port. */
function isSame(before: EndpointSnapshot, now: DiscoveredEndpoint, row: number): boolean {
  return before.row === row && before.authority === now.authority && before.weight === now.weight &&
    before.backup === now.backup;
}

/** An upstream after a change, its endpoints in the order in which workers have them. */
export function changedUpstream(
  upstream: UpstreamSnapshot,
  { left, joined }: EndpointsChange,
): UpstreamSnapshot {
  const leavers = new Set(left);
  return { ...upstream, endpoints: [...upstream.endpoints.filter(({ id }) => !leavers.has(id)), ...joined] };
}

/** What the judge of its endpoints is told of an upstream. */
export function judgedUpstream(known: KnownUpstream, rows: Rows): JudgedUpstream {
  const { name, config, endpoints, tls } = known;
  return {
    name,
    row: rows.upstream(name),
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, row: rows.endpoint(name, endpoint.id) })),
    health: config.health,
    ejection: config.ejection,
    slowStart: config.slowStart,
    tls,
  };
}

/** Everything that workers are told. */
export function snapshotOf(
  version: number,
  config: Config,
  upstreams: readonly KnownUpstream[],
  stickyKey: string,
  rows: Rows,
): Snapshot {
  return {
    version,
    upstreams: upstreams.map((known) => upstreamSnapshot(known, rows)),
    routes: routeSnapshots(routesInForce(config), rows),
    trustedProxies: config.trustedProxies,
    headers: config.headers,
    limits: config.limits,
    accessLog: config.accessLog,
    explainRequestsMax: config.explainRequestsMax,
    unknownUpgrade: config.unknownUpgrade,
    stickyKey,
  };
}

function routeSnapshots(routes: readonly RouteConfig[], rows: Rows): RouteSnapshot[] {
  const names = routeNames(routes);
  return routes.map((route, i) => ({ ...route, name: names[i]!, row: rows.route(names[i]!) }));
}
