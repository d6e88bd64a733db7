// Hosts as operators write them and as requests carry them.
//
// A pattern is an exact name, `*.example.org` (one or more labels in front) or `*` (any), each with or
// without a port. Names compare without case and without one trailing dot. A port that is not written
// matches every port; a written one also matches a request that leaves out its scheme's own port.

import { parseIpv6 } from "../config/ip_address.ts";

/** A host as an operator wrote it, ready to be compared. */
export interface HostPattern {
  readonly kind: "exact" | "wildcard" | "any";
  /** Lower case. Exact: the name. Wildcard: what the host ends with, its dot in front. Any: empty. */
  readonly name: string;
  /** Null matches every port. */
  readonly port: number | null;
}

/** The pattern of a route that names no host. */
export const ANY_HOST: HostPattern = { kind: "any", name: "", port: null };

/** The pattern that an operator wrote; see `hostPatternProblem` for what is refused. */
export function parseHostPattern(text: string): HostPattern {
  const { name, port } = splitAuthority(text);
  if (name === "*") return { kind: "any", name: "", port };
  if (name.startsWith("*.")) return { kind: "wildcard", name: name.slice(1), port };
  return { kind: "exact", name, port };
}

/** What is wrong with a host pattern and what would be right, or null. */
export function hostPatternProblem(text: string): string | null {
  if (text.includes("/")) return "it must be a host, without scheme and path";
  const { name, portText } = cutPort(text);
  if (portText !== null && !(/^\d{1,5}$/.test(portText) && Number(portText) <= 65_535)) {
    return "its port must be a number up to 65535";
  }
  const plain = name.startsWith("*.") ? name.slice(2) : name;
  if (/^\.[^.]/.test(name)) return `\`*${name}\` is for all names below`;
  // `*.` without its dot at the end would be any host.
  if (/^$|^\.|\.\.|\.$/.test(plain) || /^\*\.(:|$)/.test(text)) return "it has an empty label";
  if (name !== "*" && plain.includes("*")) {
    return "`*` may only be the whole first label, as in `*.example.org`";
  }
  if (/[\0-\x20\x7f]/.test(plain)) return "it must be without blanks and control characters";
  if (/[^\x21-\x7e]/.test(plain)) return "a name that is not ASCII must be written in its `xn--` form";
  const isIpv6 = name.startsWith("[") && name.endsWith("]") && parseIpv6(name.slice(1, -1)) !== null;
  return isIpv6 || !/[[\]:]/.test(name) ? null : "an IPv6 address must be written as `[::1]`";
}

/** Whether a request for `name` and `port` (see `splitAuthority`) is for this pattern. */
export function hostMatches(pattern: HostPattern, name: string, port: number): boolean {
  if (pattern.port !== null && pattern.port !== port) return false;
  if (pattern.kind === "any") return true;
  if (pattern.kind === "exact") return pattern.name === name;
  return name.length > pattern.name.length && name.endsWith(pattern.name);
}

/** Whether two patterns are for the same hosts and ports. */
export function isSameHost(a: HostPattern, b: HostPattern): boolean {
  return a.kind === b.kind && a.name === b.name && a.port === b.port;
}

/** Whether all hosts of `other` are for the pattern, too, whatever their ports. */
export function coversName({ kind, name }: HostPattern, other: HostPattern): boolean {
  if (kind === "any") return true;
  return kind === "exact" ? other.kind === "exact" && other.name === name : other.name.endsWith(name);
}

/** A pattern as an operator writes it. */
export function describeHost(pattern: HostPattern): string {
  const name = pattern.kind === "exact" ? pattern.name : "*" + pattern.name;
  return pattern.port === null ? name : `${name}:${pattern.port}`;
}

/** Name in lower case without its trailing dot, and the port when there is one: `Ex.org.:80` is `ex.org`, 80. */
export function splitAuthority(authority: string): { name: string; port: number | null } {
  const { name, portText } = cutPort(authority);
  return { name, port: portText === null || portText === "" ? null : Number(portText) };
}

/** The port a request is for: the one written, else its scheme's own. */
export function effectivePort(port: number | null, scheme: "http" | "https"): number {
  return port ?? (scheme === "https" ? 443 : 80);
}

function cutPort(authority: string): { name: string; portText: string | null } {
  // Two and more colons outside of brackets are an IPv6 address without its brackets: no port to cut.
  const colon = authority.lastIndexOf(":");
  const hasPort = colon > authority.lastIndexOf("]") &&
    (authority.charCodeAt(0) === 0x5b || authority.indexOf(":") === colon);
  let name = hasPort ? authority.slice(0, colon) : authority;
  if (name.length > 1 && name.charCodeAt(name.length - 1) === 0x2e) name = name.slice(0, -1);
  return { name: name.toLowerCase(), portText: hasPort ? authority.slice(colon + 1) : null };
}
