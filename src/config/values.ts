// Findings about single values that have a form of their own: addresses, networks, ranges, patterns of hosts and paths.
//
// Called by `validate.ts` for each source, beside `shape.ts`. Everything comes in unchecked: what has the wrong
// shape is passed over here, since `shape.ts` has refused it.

import type { z } from "zod";
import { isHostName, isNumeric, parsePort } from "./endpoint_parts.ts";
import { addressId, type EndpointEntry, parseEndpointEntry } from "./endpoint_url.ts";
import { type Finding, type PlaceOf, type Problem, type Refuse, refusedBy, showValue } from "./findings.ts";
import { hostPatternProblem } from "../routing/host_pattern.ts";
import { parseIp, parseIpv4, parseIpv6, parseNetwork } from "./ip_address.ts";
import { parseNameServer } from "./name_server.ts";
import { pathPatternProblem } from "../routing/path_pattern.ts";
import { isMap, listAt, mapAt, type Path, valueAt } from "./path.ts";
import { statusBounds } from "./derived.ts";
import { authority, fixedAuthority } from "./units.ts";

/** All that is wrong with the addresses, networks, ranges and patterns of `input`. */
export function valueFindings(input: unknown, placeOf: PlaceOf): Finding[] {
  const upstreams = Object.keys(mapAt(input, ["upstreams"])).map((name): Path => ["upstreams", name]);
  return refusedBy((refuse) => {
    for (const path of upstreams) checkEndpoints(input, [...path, "endpoints"], refuse);
    for (const path of upstreams) checkStatuses(input, [...path, "health", "expect"], refuse);
    checkNetworks(input, refuse);
    for (const key of ["listen", "admin"]) checkHost(input, [key, "host"], refuse);
    for (const path of upstreams) checkHost(input, [...path, "tls", "serverName"], refuse);
    for (const path of upstreams) checkAuthority(input, [...path, "hostHeader"], fixedAuthority(), refuse);
    for (const path of upstreams) checkAuthority(input, [...path, "health", "host"], authority(), refuse);
    for (const path of upstreams) checkNameServer(input, [...path, "discovery", "nameServer"], refuse);
    listAt(input, ["routes"]).forEach((_, index) => checkPatterns(input, index, refuse));
  }, placeOf);
}

function checkEndpoints(input: unknown, path: Path, refuse: Refuse): void {
  const firstOf = new Map<string, number>();
  listAt(input, path).forEach((entry, index) => {
    if (!isEntry(entry)) return;
    const here = [...path, index];
    const at = typeof entry === "string" ? here : [...here, "url"];
    const parsed = parseEndpointEntry(entry);
    if (!parsed.ok) return parsed.problems.forEach((problem) => refuse(at, problem));
    const id = addressId(parsed.address);
    const first = firstOf.get(id);
    if (first === undefined) return void firstOf.set(id, index);
    refuse(at, {
      state: `is ${id}, the same endpoint as endpoints[${first}]`,
      accepted: "must be written once (a larger share is its weight)",
    });
  });
}

/** Empty text has the wrong shape and is refused as such. */
function isEntry(entry: unknown): entry is EndpointEntry {
  if (typeof entry === "string") return entry !== "";
  return isMap(entry) && typeof entry["url"] === "string" && entry["url"] !== "";
}

function checkStatuses(input: unknown, path: Path, refuse: Refuse): void {
  listAt(input, path).forEach((range, index) => {
    const problem = typeof range === "string" ? statusProblem(range) : undefined;
    if (problem !== undefined) refuse([...path, index], problem);
  });
}

/** A range that no status is in. A check waits for the status behind interim answers (1xx). */
function statusProblem(range: string): Problem | undefined {
  const [from, to] = statusBounds(range);
  const state = `is ${showValue(range)}`;
  if (from > to) return { state, accepted: "must begin with the lower status, like 200-399" };
  if (to < 200) return { state, accepted: "must reach 200: what comes before the answer passes no check" };
  return undefined;
}

function checkNetworks(input: unknown, refuse: Refuse): void {
  listAt(input, ["trustedProxies"]).forEach((cidr, index) => {
    const problem = typeof cidr === "string" && cidr !== "" ? networkProblem(cidr) : undefined;
    if (problem !== undefined) refuse(["trustedProxies", index], problem);
  });
}

/** A network, or a single address without a length. */
function networkProblem(cidr: string): Problem | undefined {
  const state = `is ${showValue(cidr)}`;
  const address = cidr.split("/")[0]!;
  const alone = parseNetwork(address);
  if (alone?.version === 6 && parseIp(address)?.version === 4) {
    return {
      state,
      accepted: "must be written as IPv4, like 10.0.0.0/8: so is every address it is compared with",
    };
  }
  if (parseNetwork(cidr) !== null) return undefined;
  const parts = cidr.split(/[\s,;]+/).filter((part) => part !== "");
  if (parts.every((part) => parseNetwork(part) !== null)) {
    return {
      state,
      accepted:
        "must be one: each is an item of a list, or stands behind a comma or a blank in TRUSTED_PROXIES",
    };
  }
  if (alone === null) {
    return { state, accepted: "must be a network like 10.0.0.0/8 or fd00::/8, or one address" };
  }
  return { state, accepted: `must have a length from 0 to ${alone.length} after "/"` };
}

function checkHost(input: unknown, path: Path, refuse: Refuse): void {
  const host = valueAt(input, path);
  if (typeof host !== "string" || host === "" || isNameOrIpv4(host) || parseIpv6(host) !== null) return;
  const accepted = "must be a name or an IP address, without brackets and port";
  refuse(path, { state: `is ${showValue(host)}`, accepted });
}

function isNameOrIpv4(host: string): boolean {
  return isHostName(host) && !isNumeric(host) || parseIpv4(host) !== null;
}

/** Of a Host that the control plane or traffic sends; what is no such text has the wrong shape. */
function checkAuthority(input: unknown, path: Path, form: z.ZodString, refuse: Refuse): void {
  const value = valueAt(input, path);
  if (!form.safeParse(value).success) return;
  const [, host = "", port] = /^=?(.*?)(?::(\d+))?$/.exec(String(value)) ?? [];
  const here = (what: string, accepted: string) =>
    refuse(path, { state: `is ${showValue(value)}: ${what}`, accepted });
  const isHost = host.startsWith("[") ? parseIpv6(host.slice(1, -1)) !== null : isNameOrIpv4(host);
  if (!isHost) here("its host is none", "must have a name, an IPv4 address, or an IPv6 address in brackets");
  if (port !== undefined) parsePort(port, here);
}

function checkNameServer(input: unknown, path: Path, refuse: Refuse): void {
  const text = valueAt(input, path);
  if (typeof text !== "string" || parseNameServer(text) !== null) return;
  const accepted = "must be an IP address, with a port or without: 10.0.0.2, 10.0.0.2:53 or [fd00::2]:53";
  refuse(path, { state: `is ${showValue(text)}`, accepted });
}

function checkPatterns(input: unknown, route: number, refuse: Refuse): void {
  const check = (path: Path, problemOf: (text: string) => string | null) => {
    const pattern = valueAt(input, path);
    if (typeof pattern !== "string" || pattern === "") return;
    const problem = problemOf(pattern);
    if (problem !== null) refuse(path, { state: `is ${showValue(pattern)}: ${problem}` });
  };
  const host: Path = ["routes", route, "match", "host"];
  check(host, hostPatternProblem);
  listAt(input, host).forEach((_, index) => check([...host, index], hostPatternProblem));
  // One without its slash has the wrong shape.
  check(["routes", route, "match", "path"], (text) => text.startsWith("/") ? pathPatternProblem(text) : null);
}
