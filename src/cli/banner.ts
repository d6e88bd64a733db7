// What Weir says when it starts: where it listens, from which file, what it balances over, and a line to try.

import { bracketed } from "../config/endpoint_url.ts";
import { plural } from "../config/findings.ts";
import type { RouteConfig } from "../config/route_schema.ts";
import type { DiscoveredEndpoint } from "../control/discovery/discovery.ts";
import type { Pod } from "../pod/pod.ts";
import { VERSION } from "../version.ts";

/** Endpoints of an upstream that are named; further ones are counted. */
const SHOWN_MAX = 8;

export function banner(pod: Pod): string {
  const { host, port } = pod.address;
  const { listen, admin, routes } = pod.config;
  const { file } = pod.loaded;
  const scheme = listen.tls === undefined ? "http" : "https";
  const workers = plural(pod.supervisor.handles.length, "worker");
  const upstreams = pod.upstreams.all().flatMap(({ name, config, endpoints }) =>
    upstreamLines(name, config.balance.policy, endpoints)
  );
  return [
    `weir ${VERSION}`,
    `  listening on ${scheme}://${bracketed(host)}:${port} with ${workers} (listener ${listen.listener})`,
    ...(listen.tls?.redirectPort === undefined ? [] : [
      `  redirecting http://${bracketed(host)}:${listen.tls.redirectPort} to it`,
    ]),
    `  admin on http://${bracketed(admin.host)}:${pod.adminPort} (dashboard, /metrics, /readyz)`,
    ...(file === undefined ? [] : [
      `  configuration from ${file}${routes.length === 0 ? "" : ` with ${plural(routes.length, "route")}`}`,
    ]),
    ...upstreams,
    `  try: curl ${scheme === "https" ? "-ik" : "-i"}${hostFlag(routes)} ${scheme}://${
      reachable(host)
    }:${port}/`,
    "",
  ].join("\n");
}

/** curl's flag for a host that is served, where all routes name theirs: any other gets 421. */
export function hostFlag(routes: readonly Pick<RouteConfig, "match">[]): string {
  const hosts = routes.map(({ match }) => [match.host ?? "*"].flat());
  const named = hosts.some((list) => list.includes("*")) ? undefined : hosts.flat().find(isExact);
  return named === undefined ? "" : ` -H 'Host: ${named}'`;
}

function isExact(host: string): boolean {
  return !host.startsWith("*");
}

/** An upstream and its first endpoints, as their addresses are written. */
export function upstreamLines(
  name: string,
  policy: string,
  endpoints: readonly Pick<DiscoveredEndpoint, "id" | "weight" | "backup" | "drain">[],
): string[] {
  const further = endpoints.length - SHOWN_MAX;
  return [
    `  upstream ${name}: ${policy} over ${plural(endpoints.length, "endpoint")}`,
    ...endpoints.slice(0, SHOWN_MAX).map(({ id, weight, backup, drain }) =>
      `    ${id}${weight === 1 ? "" : `;weight=${weight}`}${backup ? ";backup" : ""}${drain ? ";drain" : ""}`
    ),
    ...(further > 0 ? [`    and ${further} more`] : []),
  ];
}

/** An address that a client on this machine can use. */
function reachable(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "localhost" : bracketed(host);
}
