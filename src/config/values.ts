// Findings about single values that have a form of their own: addresses, networks, ranges, patterns of hosts and paths.
//
// Called by `load.ts` for each source, beside `shape.ts`. Everything comes in unchecked: what has the wrong
// shape is passed over here, since `shape.ts` has refused it.

import ipaddr from "ipaddr.js";
import { isHostName } from "./endpoint_parts.ts";
import { addressId, type EndpointEntry, parseEndpointEntry } from "./endpoint_url.ts";
import { type Finding, findingAt, type Problem, showValue } from "./findings.ts";
import { hostPatternProblem } from "../routing/host_pattern.ts";
import { parseNameServer } from "./name_server.ts";
import { pathPatternProblem } from "../routing/path_pattern.ts";
import { isMap, type Path, valueAt } from "./path.ts";
import type { PlaceOf } from "./shape.ts";
import { statusBounds } from "./upstream_schema.ts";

/** All that is wrong with the addresses, networks, ranges and patterns of `input`. */
export function valueFindings(input: unknown, placeOf: PlaceOf): Finding[] {
  const upstreams = Object.keys(mapAt(input, ["upstreams"]));
  const routes = listAt(input, ["routes"]);
  return [
    ...upstreams.flatMap((name) => endpointFindings(input, ["upstreams", name, "endpoints"], placeOf)),
    ...upstreams.flatMap((name) => statusFindings(input, ["upstreams", name, "health", "expect"], placeOf)),
    ...networkFindings(input, placeOf),
    ...["listen", "admin"].flatMap((key) => hostFindings(input, [key, "host"], placeOf)),
    ...upstreams.flatMap((name) => hostFindings(input, ["upstreams", name, "tls", "serverName"], placeOf)),
    ...upstreams.flatMap((name) => nameServerFindings(input, ["upstreams", name, "discovery"], placeOf)),
    ...routes.flatMap((_, index) => patternFindings(input, index, placeOf)),
  ];
}

/** The map at `path`, empty where there is none. */
export function mapAt(input: unknown, path: Path): Record<string, unknown> {
  const value = valueAt(input, path);
  return isMap(value) ? value : {};
}

/** The list at `path`, empty where there is none. */
export function listAt(input: unknown, path: Path): unknown[] {
  const value = valueAt(input, path);
  return Array.isArray(value) ? value : [];
}

function endpointFindings(input: unknown, path: Path, placeOf: PlaceOf): Finding[] {
  const findings: Finding[] = [];
  const firstOf = new Map<string, number>();
  listAt(input, path).forEach((entry, index) => {
    if (!isEntry(entry)) return;
    const here = [...path, index];
    const at = typeof entry === "string" ? here : [...here, "url"];
    const parsed = parseEndpointEntry(entry);
    if (!parsed.ok) {
      for (const problem of parsed.problems) findings.push(findingAt(at, problem, placeOf(at)));
      return;
    }
    const id = addressId(parsed.address);
    const first = firstOf.get(id);
    if (first === undefined) return void firstOf.set(id, index);
    const state = `is ${id}, the same endpoint as endpoints[${first}]`;
    findings.push(
      findingAt(at, { state, accepted: "must be written once (a larger share is its weight)" }, placeOf(at)),
    );
  });
  return findings;
}

/** Empty text has the wrong shape and is refused as such. */
function isEntry(entry: unknown): entry is EndpointEntry {
  if (typeof entry === "string") return entry !== "";
  return isMap(entry) && typeof entry["url"] === "string" && entry["url"] !== "";
}

function statusFindings(input: unknown, path: Path, placeOf: PlaceOf): Finding[] {
  return listAt(input, path).flatMap((range, index) => {
    const at = [...path, index];
    const problem = typeof range === "string" ? statusProblem(range) : undefined;
    return problem === undefined ? [] : [findingAt(at, problem, placeOf(at))];
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

function networkFindings(input: unknown, placeOf: PlaceOf): Finding[] {
  return listAt(input, ["trustedProxies"]).flatMap((cidr, index) => {
    const path = ["trustedProxies", index];
    const problem = typeof cidr === "string" && cidr !== "" ? networkProblem(cidr) : undefined;
    return problem === undefined ? [] : [findingAt(path, problem, placeOf(path))];
  });
}

/** A network, or a single address without a length. */
function networkProblem(cidr: string): Problem | undefined {
  const [address = "", prefix] = cidr.split(/\/(.*)/s);
  const four = ipaddr.IPv4.isValidFourPartDecimal(address);
  const six = address.includes(":") && !address.includes("%") && ipaddr.IPv6.isValid(address);
  const state = `is ${showValue(cidr)}`;
  if (!four && !six) {
    return { state, accepted: "must be a network like 10.0.0.0/8 or fd00::/8, or one address" };
  }
  const bits = four ? 32 : 128;
  if (prefix === undefined) return undefined;
  const fits = /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
  return fits ? undefined : { state, accepted: `must have a length from 0 to ${bits} after "/"` };
}

function hostFindings(input: unknown, path: Path, placeOf: PlaceOf): Finding[] {
  const host = valueAt(input, path);
  if (typeof host !== "string" || host === "") return [];
  const isName = isHostName(host) && !/^[0-9.]+$/.test(host);
  if (isName || ipaddr.IPv4.isValidFourPartDecimal(host)) return [];
  if (host.includes(":") && ipaddr.IPv6.isValid(host)) return [];
  const accepted = "must be a name or an IP address, without brackets and port";
  return [findingAt(path, { state: `is ${showValue(host)}`, accepted }, placeOf(path))];
}

function nameServerFindings(input: unknown, discovery: Path, placeOf: PlaceOf): Finding[] {
  const path = [...discovery, "nameServer"];
  const text = valueAt(input, path);
  if (typeof text !== "string" || parseNameServer(text) !== null) return [];
  const accepted = "must be an IP address, with a port or without: 10.0.0.2, 10.0.0.2:53 or [fd00::2]:53";
  return [findingAt(path, { state: `is ${showValue(text)}`, accepted }, placeOf(path))];
}

function patternFindings(input: unknown, route: number, placeOf: PlaceOf): Finding[] {
  const at: Path = ["routes", route, "match"];
  const host = valueAt(input, [...at, "host"]);
  const hosts = Array.isArray(host)
    ? host.map((item, index) => ({ item, path: [...at, "host", index] }))
    : [{ item: host, path: [...at, "host"] }];
  const path = { item: valueAt(input, [...at, "path"]), path: [...at, "path"] };
  return [
    ...hosts.flatMap(({ item, path }) => patternFinding(item, path, hostPatternProblem, placeOf)),
    ...patternFinding(path.item, path.path, pathPatternProblem, placeOf),
  ];
}

function patternFinding(
  pattern: unknown,
  path: Path,
  problemOf: (text: string) => string | null,
  placeOf: PlaceOf,
): Finding[] {
  const hasShape = typeof pattern === "string" && pattern !== "" &&
    (path[3] === "host" || pattern.startsWith("/"));
  const problem = hasShape ? problemOf(pattern) : null;
  if (problem === null) return [];
  return [findingAt(path, { state: `is ${showValue(pattern)}: ${problem}` }, placeOf(path))];
}
