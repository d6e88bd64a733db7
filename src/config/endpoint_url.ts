// Addresses of endpoints, as operators write them in UPSTREAMS, --upstream and `endpoints`.
//
// Called by `values.ts` to refuse bad ones and by the control plane to act on good ones. The parser is its
// own: `URL` would silently repair what should be refused (`http:/host`, `0x7f.1`, `\`) and knows no `;`.

import {
  forms,
  isNumeric,
  type Parameters,
  parseHost,
  parseParameters,
  parsePort,
  type Refuse,
} from "./endpoint_parts.ts";
import { type Problem, withoutUserinfo } from "./findings.ts";
import { nearest } from "./nearest.ts";

interface Common extends Parameters {
  readonly scheme: "http" | "https";
}

/** One endpoint. A name is resolved by the system at each connect and stays one endpoint. */
export interface StaticAddress extends Common {
  readonly kind: "static";
  /** Lower case; an IPv6 address in canonical form without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A name resolved again and again: each address it has is an endpoint. */
export interface DnsAddress extends Common {
  readonly kind: "dns";
  readonly host: string;
  /** null: `host` is a service name and its SRV records give names and ports. */
  readonly port: number | null;
}

/** A Kubernetes Service: each ready pod behind it is an endpoint. */
export interface KubernetesAddress extends Common {
  readonly kind: "k8s";
  readonly service: string;
  /** null: the namespace that Weir itself runs in. */
  readonly namespace: string | null;
  /** A port number of the pods, or the name of a port of the Service. */
  readonly port: number | string;
}

export type EndpointAddress = StaticAddress | DnsAddress | KubernetesAddress;

/** What an operator writes for an endpoint: an address, or an address with its parameters as keys. */
export type EndpointEntry = string | {
  readonly url: string;
  readonly weight?: number | undefined;
  readonly backup?: boolean | undefined;
  readonly drain?: boolean | undefined;
};

export type ParsedAddress =
  | { readonly ok: true; readonly address: EndpointAddress }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const SCHEMES = ["http", "https", "dns+http", "dns+https", "k8s"];

/** UPSTREAMS as its addresses: separated by commas, white space or both. */
export function splitAddresses(text: string): string[] {
  return text.split(/[\s,]+/).filter((address) => address !== "");
}

/**
 * Parses `scheme://host[:port][/][;weight=N][;backup][;drain]`.
 *
 * - A path is refused: targets pass unchanged, and a route's `rewrite` is the one place that changes them.
 * - User name and password are refused: an address is printed and logged; a route can set a header instead.
 * - A query or a fragment is refused: it would belong to no request.
 * - A missing port is 80 for http and 443 for https. `dns+` needs one unless the name is a service
 *   (`_http._tcp.name`: SRV records give the ports); `k8s://` always needs one, by number or by name.
 * - `k8s://service:port` without a namespace means the one that Weir itself runs in.
 * - A plain name is one endpoint however many addresses it has: the system resolves it at each connect.
 *   With `dns+` each address is an endpoint of its own, resolved again every `discovery.intervalMs`.
 * - An IPv6 address stands in brackets.
 *
 * Never throws; all problems of the address are reported together.
 */
export function parseEndpointAddress(text: string): ParsedAddress {
  const problems: Problem[] = [];
  const shown = JSON.stringify(withoutUserinfo(text).slice(0, 120));
  const refuse: Refuse = (what, accepted, near) =>
    problems.push({
      state: `is ${shown}: ${what}`,
      accepted,
      ...(near === undefined ? {} : { nearest: near }),
    });
  const address = parse(text, refuse);
  return problems.length > 0 || address === undefined ? { ok: false, problems } : { ok: true, address };
}

/** The same for an entry of `endpoints`, whose parameters may be keys. */
export function parseEndpointEntry(entry: EndpointEntry): ParsedAddress {
  if (typeof entry === "string") return parseEndpointAddress(entry);
  if (entry.url.includes(";")) {
    const state = `is ${
      JSON.stringify(withoutUserinfo(entry.url).slice(0, 120))
    }: it has parameters after ";"`;
    return { ok: false, problems: [{ state, accepted: "must have them as keys beside url" }] };
  }
  const parsed = parseEndpointAddress(entry.url);
  if (!parsed.ok) return parsed;
  const { weight = 1, backup = false, drain = false } = entry;
  return { ok: true, address: { ...parsed.address, weight, backup, drain } };
}

/** What makes two addresses the same endpoint: `http://10.0.0.1:80`, whatever their parameters. */
export function addressId(address: EndpointAddress): string {
  switch (address.kind) {
    case "static":
      return `${address.scheme}://${bracketed(address.host)}:${address.port}`;
    case "dns":
      return `dns+${address.scheme}://${address.host}${address.port === null ? "" : `:${address.port}`}`;
    case "k8s":
      return `k8s://${address.service}${
        address.namespace === null ? "" : `.${address.namespace}`
      }:${address.port}`;
  }
}

/** A host as it stands in an authority: IPv6 in brackets. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function parse(text: string, refuse: Refuse): EndpointAddress | undefined {
  const start = text.indexOf("://");
  if (start < 1) {
    const guess = `http://${text}`;
    return void refuse("it has no scheme", forms, parseEndpointAddress(guess).ok ? guess : undefined);
  }
  const scheme = text.slice(0, start).toLowerCase();
  if (text.includes("@")) {
    return void refuse(
      "it has a user name or password",
      "must have none; set the header on a route instead (requestHeaders)",
    );
  }
  const rest = text.slice(start + 3);
  if (/^[a-z+]+:\/\/(?!.*:\/\/)/is.test(rest)) {
    return void refuse("its scheme stands twice", forms, parseEndpointAddress(rest).ok ? rest : undefined);
  }
  // In two steps: one pattern for both would look through the rest again for each separator.
  if (/[\s,;]/.test(rest.slice(0, Math.max(0, rest.lastIndexOf("://"))))) {
    return void refuse(
      "it holds several addresses",
      "must be one: each is an item of a list, or stands behind a comma or a blank in UPSTREAMS",
    );
  }
  const [place = "", ...words] = rest.split(";");
  const parameters = parseParameters(words, refuse);
  if (!SCHEMES.includes(scheme)) {
    return void refuse(`its scheme is ${JSON.stringify(scheme)}`, forms, nearest(scheme, SCHEMES));
  }
  refusePath(place, refuse);
  const authority = place.replace(/[/\\?#].*$/s, "");
  const split = splitPort(authority);
  if (split === undefined) return void refuse("its host and port cannot be told apart", forms);
  if (scheme === "k8s") return kubernetes(split.host, split.port, parameters, refuse);
  const dns = scheme.startsWith("dns+");
  const common = { scheme: scheme.endsWith("https") ? "https" : "http", ...parameters } as const;
  return dns ? dnsName(split, common, refuse) : fixed(split, common, refuse);
}

function refusePath(place: string, refuse: Refuse): void {
  const query = place.search(/[?#]/);
  const path = (query === -1 ? place : place.slice(0, query)).replace(/^[^/\\]*/, "");
  if (path !== "" && path !== "/") {
    refuse(
      "it has a path",
      "must end after the port; targets change only by the rewrite of a route (routes[].rewrite.replacePrefix)",
    );
  }
  if (query !== -1) {
    refuse(`it has a ${place[query] === "?" ? "query" : "fragment"}`, "must end after the port");
  }
}

function splitPort(authority: string): { host: string; port: string | undefined } | undefined {
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/s.exec(authority);
  if (bracketed !== null) return { host: bracketed[1]!, port: bracketed[2] };
  const [host = "", port, ...more] = authority.split(":");
  return more.length > 0 ? undefined : { host, port };
}

function fixed(
  { host, port }: { host: string; port: string | undefined },
  common: Common,
  refuse: Refuse,
): StaticAddress | undefined {
  const known = parseHost(host, refuse);
  const number = port === undefined ? (common.scheme === "https" ? 443 : 80) : parsePort(port, refuse);
  if (known === undefined || number === undefined) return undefined;
  return { kind: "static", ...common, host: known, port: number };
}

function dnsName(
  { host, port }: { host: string; port: string | undefined },
  common: Common,
  refuse: Refuse,
): DnsAddress | undefined {
  const service = /^_[a-z0-9-]+\._(tcp|udp)\.[^.]/i.test(host);
  if (service && port !== undefined) {
    return void refuse("a service name has a port", "must have none: its SRV records give the ports");
  }
  if (!service && port === undefined) {
    return void refuse(
      "it has no port",
      "must be like dns+http://name:port, or dns+http://_http._tcp.name for SRV",
    );
  }
  const name = parseHost(host, refuse);
  const number = port === undefined ? null : parsePort(port, refuse);
  if (name !== undefined && (name.includes(":") || isNumeric(name))) {
    refuse("it has an IP address, which needs no resolving", `must be a name, or without "dns+"`);
  }
  if (name === undefined || number === undefined) return undefined;
  return { kind: "dns", ...common, host: name, port: number };
}

function kubernetes(host: string, port: string | undefined, parameters: Parameters, refuse: Refuse) {
  const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  const names = new RegExp(`^(${label})(?:\\.(${label}))?$`).exec(host);
  if (names === null) {
    refuse("its host is no Service", "must be service or service.namespace, both as Kubernetes names them");
  }
  const named = port !== undefined && port.length <= 15 && /^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(port);
  if (port === undefined) {
    refuse("it has no port", "must be like k8s://service.namespace:port, the port by number or by name");
  }
  const known = port === undefined
    ? undefined
    : named
    ? port
    : parsePort(port, refuse, " or the name of one");
  if (names === null || known === undefined) return undefined;
  const [, service = "", namespace = null] = names;
  return { kind: "k8s", scheme: "http", ...parameters, service, namespace, port: known } as const;
}
