// Findings about header names that an operator may not take, because Weir or the framing of messages owns them.
//
// Called by `load.ts` for each source, beside `values.ts`. Everything comes in unchecked: what has the wrong shape is
// passed over here, since `shape.ts` has refused it.

import { isForOneHop, Known, knownHeader } from "../http1/known.ts";
import { type Finding, findingAt, type Problem, showValue } from "./findings.ts";
import { isMap, type Path, valueAt } from "./path.ts";
import type { PlaceOf } from "./shape.ts";
import { listAt, mapAt } from "./values.ts";

/** All that is wrong with the header names of `input`. */
export function headFieldFindings(input: unknown, placeOf: PlaceOf): Finding[] {
  return [
    ...requestIdFindings(input, placeOf),
    ...listAt(input, ["routes"]).flatMap((_, index) => [
      ...editFindings(input, ["routes", index, "requestHeaders"], placeOf),
      ...editFindings(input, ["routes", index, "responseHeaders"], placeOf),
    ]),
  ];
}

/** Beside those that Weir knows: what endpoints and clients read out of a head. An id in its place would break it. */
const MEANT = new Set([
  "accept",
  "accept-encoding",
  "authorization",
  "content-encoding",
  "content-range",
  "content-type",
  "cookie",
  "idempotency-key",
  "origin",
  "range",
  "set-cookie",
  "traceparent",
  "tracestate",
  "user-agent",
]);

function requestIdFindings(input: unknown, placeOf: PlaceOf): Finding[] {
  const path = ["headers", "requestId"];
  const name = valueAt(input, path);
  if (typeof name !== "string") return [];
  // Origins that map `-` to `_` (CGI) take one for the other.
  const plain = name.replaceAll("_", "-").toLowerCase();
  if (knownHeader(plain) === Known.other && !MEANT.has(plain)) return [];
  const state = `is ${showValue(name)}, which has a meaning of its own`;
  return [
    findingAt(path, { state, accepted: "must be a name of its own, like x-request-id" }, placeOf(path)),
  ];
}

function editFindings(input: unknown, path: Path, placeOf: PlaceOf): Finding[] {
  const findings: Finding[] = [];
  const look = (name: string, at: Path, of: "key" | "value") => {
    const problem = editProblem(name, path.at(-1) === "requestHeaders");
    if (problem !== undefined) findings.push(findingAt(at, problem, placeOf(at, of)));
  };
  for (const edit of ["set", "add"]) {
    for (const name of Object.keys(mapAt(input, [...path, edit]))) look(name, [...path, edit, name], "key");
  }
  listAt(input, [...path, "remove"]).forEach((name, index) => {
    if (typeof name === "string") look(name, [...path, "remove", index], "value");
  });
  return [...findings, ...repeatedNames(valueAt(input, [...path, "set"]), [...path, "set"], placeOf)];
}

function editProblem(name: string, ofRequest: boolean): Problem | undefined {
  const problem = (why: string, accepted = "must be left out") => ({
    state: `changes ${name}, which ${why}`,
    accepted,
  });
  const known = knownHeader(name);
  if (
    isForOneHop(known) || known === Known.contentLength || known === Known.trailer ||
    known === Known.http2Settings
  ) {
    return problem("belongs to one connection and is written by Weir");
  }
  if (!ofRequest) return undefined;
  if (known === Known.expect) return problem("only a client can ask of an endpoint");
  if (known === Known.host) {
    return problem(
      "a request has once",
      "must be left to hostHeader of the upstream: endpoint, or a fixed =name",
    );
  }
  return undefined;
}

/** Names compare without case, so only one of these lines could be sent. */
function repeatedNames(map: unknown, path: Path, placeOf: PlaceOf): Finding[] {
  if (!isMap(map)) return [];
  const firstOf = new Map<string, string>();
  return Object.keys(map).flatMap((name) => {
    const first = firstOf.get(name.toLowerCase());
    firstOf.set(name.toLowerCase(), first ?? name);
    if (first === undefined) return [];
    const at = [...path, name];
    const problem = { state: `is the same name as ${first}`, accepted: "must be written once, in any case" };
    return [findingAt(at, problem, placeOf(at, "key"))];
  });
}
