// Findings about header names that an operator may not take, because Weir or the framing of messages owns them, or
// another line has taken them.
//
// Called by `validate.ts` for each source, beside `values.ts`. Everything comes in unchecked: what has the wrong shape is
// passed over here, since `shape.ts` has refused it.

import { isForOneHop, Known, knownHeader } from "../http1/known.ts";
import { type Finding, type PlaceOf, type Problem, type Refuse, refusedBy, showValue } from "./findings.ts";
import { listAt, mapAt, type Path, valueAt } from "./path.ts";

/** All that is wrong with the header names of `input`. */
export function headFieldFindings(input: unknown, placeOf: PlaceOf): Finding[] {
  return refusedBy((refuse) => {
    checkRequestId(input, refuse);
    listAt(input, ["routes"]).forEach((_, index) => {
      checkRepeats(input, ["routes", index, "match", "headers"], refuse);
      checkEdits(input, ["routes", index, "requestHeaders"], refuse);
      checkEdits(input, ["routes", index, "responseHeaders"], refuse);
    });
  }, placeOf);
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

function checkRequestId(input: unknown, refuse: Refuse): void {
  const path = ["headers", "requestId"];
  const name = valueAt(input, path);
  if (typeof name !== "string") return;
  // Origins that map `-` to `_` (CGI) take one for the other.
  const plain = name.replaceAll("_", "-").toLowerCase();
  if (knownHeader(plain) === Known.other && !MEANT.has(plain)) return;
  refuse(path, {
    state: `is ${showValue(name)}, which has a meaning of its own`,
    accepted: "must be a name of its own, like x-request-id",
  });
}

function checkEdits(input: unknown, path: Path, refuse: Refuse): void {
  const check = (name: string, at: Path, of: "key" | "value") => {
    const problem = editProblem(name, path.at(-1) === "requestHeaders");
    if (problem !== undefined) refuse(at, problem, of);
  };
  for (const edit of ["set", "add"]) {
    for (const name of Object.keys(mapAt(input, [...path, edit]))) check(name, [...path, edit, name], "key");
  }
  listAt(input, [...path, "remove"]).forEach((name, index) => {
    if (typeof name === "string") check(name, [...path, "remove", index], "value");
  });
  checkRepeats(input, [...path, "set"], refuse);
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

/** Names compare without case: only one of these lines could be sent, and no request has two values of one. */
function checkRepeats(input: unknown, path: Path, refuse: Refuse): void {
  const firstOf = new Map<string, string>();
  for (const name of Object.keys(mapAt(input, path))) {
    const first = firstOf.get(name.toLowerCase());
    if (first === undefined) firstOf.set(name.toLowerCase(), name);
    else {
      const state = `is the same name as ${first}`;
      refuse([...path, name], { state, accepted: "must be written once, in any case" }, "key");
    }
  }
}
