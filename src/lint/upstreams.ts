// Lint rules about upstreams: policies that contradict each other, groups that get nothing, settings without effect.

import { checkKind, upstreamsOf } from "../config/derived.ts";
import { parseEndpointEntry } from "../config/endpoint_url.ts";
import { parseIp, renderIp } from "../config/ip_address.ts";
import type { BalanceConfig, UpstreamConfig } from "../config/schema.ts";
import { defaultUpstreamOf } from "../routing/default_route.ts";
import { isWritten, type LintRule, perUpstream } from "./finding.ts";
import { stickyShared } from "./sticky.ts";

const ejectionOfOne = perUpstream("ejection-of-one", ({ upstream, path, context }) => {
  const written = isWritten(context, [...path, "ejection"]);
  return !upstream.ejection.enabled || !isSingle(upstream) || !written ? [] : [{
    path: [...path, "ejection"],
    severity: "warning",
    state: "is on for a group of one",
    why: "The last endpoint in service is never ejected, so nothing ever is.",
    fix: "Set ejection.enabled to false, or add an endpoint.",
  }];
});

const stickyAndHash = perUpstream(
  "sticky-with-consistent-hash",
  ({ upstream, path }) =>
    upstream.sticky === undefined || upstream.balance.policy !== "consistent_hash" ? [] : [{
      path: [...path, "sticky"],
      severity: "warning",
      state: "is written beside balance.policy consistent_hash",
      why:
        "Both choose the endpoint: the cookie wins from the second request on, and the hash no longer holds.",
      fix: "Keep one: consistent_hash needs no cookie, sticky survives a change of the group.",
    }],
);

/** Keys of `balance`, and the policies that go by each. */
const BALANCE_KEYS: readonly (readonly [string, readonly BalanceConfig["policy"][]])[] = [
  ["choices", ["least_request", "peak_ewma", "consistent_hash"]],
  ["decayMs", ["peak_ewma"]],
  ["hashOn", ["consistent_hash"]],
  ["boundPercent", ["consistent_hash"]],
];

const balanceUnused = perUpstream(
  "balance-key-unused",
  ({ upstream: { balance: { policy } }, path, context }) =>
    BALANCE_KEYS.filter(([key, policies]) =>
      !policies.includes(policy) && isWritten(context, [...path, "balance", key])
    ).map(([key, policies]) => ({
      path: [...path, "balance", key],
      severity: "warning",
      state: `is written, but the policy is ${policy}`,
      why: `It counts for ${policies.join(", ")} only.`,
      fix: `Set balance.policy to ${policies[0]}, or remove ${key}.`,
    })),
);

const sameSiteNone = perUpstream(
  "sticky-cookie-dropped",
  ({ upstream: { sticky }, path }) =>
    sticky?.sameSite !== "None" || sticky.secure ? [] : [{
      path: [...path, "sticky", "sameSite"],
      severity: "warning",
      state: "is None, and secure is false",
      why: "Browsers drop such a cookie, so no client sticks.",
      fix: "Set sticky.secure to true, or sameSite to Lax.",
    }],
);

const unused = perUpstream("upstream-unused", ({ name, path, config: { routes, upstreams } }) => {
  const taken = routes.flatMap(upstreamsOf);
  const used = routes.length > 0 ? taken.includes(name) : defaultUpstreamOf(Object.keys(upstreams)) === name;
  return used ? [] : [{
    path,
    severity: "warning",
    state: "gets no traffic",
    why: routes.length > 0
      ? "No route names it, yet its endpoints are checked all the time."
      : "Without routes everything goes to the upstream named default.",
    fix: "Write a route for it, or remove it.",
  }];
});

const onlyBackups = perUpstream(
  "only-backups",
  ({ upstream, path }) =>
    !upstream.endpoints.every(isBackup) ? [] : [{
      path: [...path, "endpoints"],
      severity: "warning",
      state: "has only backups",
      why: "A backup stands in for endpoints that are not backups, and there is none.",
      fix: "Take the mark off those that are to serve.",
    }],
);

const nothingNotices = perUpstream(
  "nothing-notices-failures",
  ({ upstream, path }) =>
    upstream.health.kind !== "off" || upstream.ejection.enabled || isSingle(upstream) ? [] : [{
      path: [...path, "health", "kind"],
      severity: "warning",
      state: "is off, and ejection too",
      why: "A dead endpoint keeps getting its share of the requests.",
      fix: "Turn one of them on.",
    }],
);

const httpCheckWithoutPath = perUpstream(
  "health-keys-without-path",
  ({ upstream: { health }, path, context }) => {
    if (checkKind(health) !== "tcp") return [];
    const keys = (["path", "host", "expect"] as const).filter((key) =>
      isWritten(context, [...path, "health", key])
    );
    return keys.map((key) => ({
      path: [...path, "health", key],
      severity: "warning",
      state: "is written, but the check is a TCP connection",
      why: "An endpoint whose port is open passes, whatever it would answer.",
      fix: health.path === undefined ? "Write health.path." : "Set health.kind to http.",
    }));
  },
);

const tlsUnused = perUpstream(
  "tls-unused",
  ({ upstream, path }) =>
    Object.values(upstream.tls).every((value) => value === undefined) ||
      upstream.endpoints.some((endpoint) => /^(dns\+)?https:|^k8s:/.test(addressOf(endpoint)))
      ? []
      : [{
        path: [...path, "tls"],
        severity: "warning",
        state: "is written, but no endpoint is `https://`",
        why: "Requests go out in plain text.",
        fix: "Write the endpoints as `https://`, or remove tls.",
      }],
);

const discoveryUnused = perUpstream(
  "discovery-unused",
  ({ upstream, path, context }) =>
    !isWritten(context, [...path, "discovery"]) ||
      upstream.endpoints.some((endpoint) => /^dns\+/i.test(addressOf(endpoint)))
      ? []
      : [{
        path: [...path, "discovery"],
        severity: "warning",
        state: "is written, but no endpoint is `dns+http://` or `dns+https://`",
        why: "The system resolves all other names, at each connect, and `k8s://` is watched.",
        fix: "Write `dns+` in front of the addresses that it is for, or remove discovery.",
      }],
);

const ownAddress = perUpstream(
  "upstream-is-weir",
  ({ upstream, path, config: { listen, admin } }) => {
    const ports = [
      { name: "listen", host: listen.host, port: listen.port },
      { name: "redirect", host: listen.host, port: listen.tls?.redirectPort },
      { name: "admin", ...admin },
    ];
    return upstream.endpoints.flatMap((endpoint, i) => {
      const parsed = parseEndpointEntry(endpoint);
      if (!parsed.ok || parsed.address.kind === "k8s") return [];
      const { host, port } = parsed.address;
      const own = ports.find((one) => one.port === port && leadsTo(host, one.host));
      return own === undefined ? [] : [{
        path: [...path, "endpoints", i],
        severity: "error",
        state: `is Weir's own ${own.name} port ${port}`,
        why: "Requests would go round in a circle, or to the operators' server.",
        fix: "Write the origin's port, or give Weir another one.",
      }];
    });
  },
);

/** This machine, by the names that it has everywhere. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|::1?)$/;
/** Those that stand for others of them as well. */
const VAGUE = ["localhost", "0.0.0.0", "::"];

/** Whether a connection to `host` reaches who listens on `own`, as far as names tell. */
function leadsTo(host: string, own: string): boolean {
  const both = [host, own].map(plainHost);
  return both[0] === both[1] ||
    both.every((name) => LOOPBACK.test(name)) && both.some((name) => VAGUE.includes(name));
}

/** In lower case, without a last dot; an IPv4 address that is written as IPv6 (`::ffff:127.0.0.1`) as IPv4. */
function plainHost(host: string): string {
  const address = parseIp(host);
  return address === null ? host.toLowerCase().replace(/\.$/, "") : renderIp(address);
}

export const upstreamRules: readonly LintRule[] = [
  ejectionOfOne,
  stickyAndHash,
  balanceUnused,
  sameSiteNone,
  stickyShared,
  unused,
  onlyBackups,
  nothingNotices,
  httpCheckWithoutPath,
  tlsUnused,
  discoveryUnused,
  ownAddress,
];

type Endpoint = UpstreamConfig["endpoints"][number];

function addressOf(endpoint: Endpoint): string {
  return typeof endpoint === "string" ? endpoint : endpoint.url;
}

function isBackup(endpoint: Endpoint): boolean {
  return typeof endpoint === "string" ? /;\s*backup\b/.test(endpoint) : endpoint.backup === true;
}

/** One fixed address; a name that discovery resolves may stand for many. */
function isSingle({ endpoints }: UpstreamConfig): boolean {
  return endpoints.length === 1 && /^https?:/.test(addressOf(endpoints[0]!));
}
