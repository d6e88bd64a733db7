// What Weir says when it has started: where it listens, what it balances over, and a line to try.

import type { Pod } from "../pod/pod.ts";
import { VERSION } from "../version.ts";

/** Upstreams named in full; further ones are counted. */
const SHOWN_MAX = 8;

export function banner(pod: Pod): string {
  const { host, port } = pod.address;
  const scheme = pod.config.listen.tls === undefined ? "http" : "https";
  const url = `${scheme}://${reachable(host)}:${port}`;
  const upstreams = pod.upstreams.all().flatMap(({ name, config, endpoints }) => [
    `  upstream ${name}: ${config.balance.policy} over ${endpoints.length} endpoints`,
    ...endpoints.slice(0, SHOWN_MAX).map(({ id }) => `    ${id}`),
    ...(endpoints.length > SHOWN_MAX ? [`    and ${endpoints.length - SHOWN_MAX} more`] : []),
  ]);
  return [
    `weir ${VERSION}`,
    `  listening on ${scheme}://${bracketed(host)}:${port} with ${pod.supervisor.handles.length} workers`,
    `  admin on http://${bracketed(pod.config.admin.host)}:${pod.adminPort} (dashboard, /metrics, /readyz)`,
    ...upstreams,
    `  try: curl -i ${url}/`,
    "",
  ].join("\n");
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** An address that a client on this machine can use. */
function reachable(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "localhost" : bracketed(host);
}
