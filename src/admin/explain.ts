// Reads a question about a request from a query, and puts into words what the workers answered.
//
// Pure: it decides nothing about requests. `handler.ts` asks and calls it; the command line prints the same.

import { plural } from "../config/findings.ts";
import { parseIp, renderIp } from "../config/ip_address.ts";
import { decodeLatin1 } from "../http1/latin1.ts";
import type {
  Answer,
  AttemptStory,
  CandidateExplanation,
  Question,
  RequestStory,
  RouteExplanation,
} from "../messages.ts";
import type { EndpointInfo, UpstreamInfo } from "./view.ts";

export const EXPLAIN_USAGE = `Ask where a request would go:
  /explain?path=/users/7&method=GET&host=shop.example&client=203.0.113.9&header=Cookie:%20a=b
Only path is needed; header may be given several times. Nothing is sent.
Ask what became of one of the last requests:
  /explain?id=REQUEST_ID
On the command line: weir explain --path /users/7 --method GET, or weir explain --id REQUEST_ID
`;

/** What no listener takes is not asked about either. */
const FORMS = [
  ["method", /^[!#$%&'*+.^`|~\w-]+$/, "a method's name"],
  ["host", /^[\w.~!$&'()*+,;=:%[\]-]+$/, "host or host:port"],
  ["path", /^[\x21-\x7e]+$/, "visible ASCII without spaces"],
] as const;

const HEADER = /^([!#$%&'*+.^`|~\w-]+):((?:\t|[^\p{Cc}])*)$/u;

/** What a question about a request that is to come may say. */
export const EXPLAIN_KEYS: readonly string[] = ["path", "method", "host", "client", "header"];

/**
 * The question that a query asks, or why it asks none, in words. `peer` stands in for a client not named.
 */
export function questionOf(query: URLSearchParams, peer: string): Question | { readonly problem: string } {
  const id = query.get("id");
  const known = id === null ? EXPLAIN_KEYS : ["id"];
  for (const key of query.keys()) {
    if (!known.includes(key)) {
      return { problem: `${key} is not asked for here, accepted: ${known.join(", ")}` };
    }
    const times = key === "header" ? 1 : query.getAll(key).length;
    if (times > 1) return { problem: `${key} is given ${times} times, must be given once` };
  }
  if (id !== null) return id === "" ? { problem: "id is empty" } : { kind: "explainId", requestId: id };
  const target = query.get("path");
  if (target === null) return { problem: "path is missing" };
  if (!target.startsWith("/")) return { problem: `path is ${JSON.stringify(target)}, must start with /` };
  for (const [key, pattern, form] of FORMS) {
    const value = query.get(key);
    if (value !== null && !pattern.test(value)) {
      return { problem: `${key} is ${JSON.stringify(value)}, must be ${form}` };
    }
  }
  const client = query.get("client") ?? peer;
  const address = parseIp(client);
  if (address === null) {
    return { problem: `client is ${JSON.stringify(client)}, must be an IP address` };
  }
  const headers = query.getAll("header").map((line) => HEADER.exec(line));
  if (headers.includes(null)) return { problem: "header must be like `Name: value`" };
  if (headers.some((match) => match![1]!.toLowerCase() === "host")) {
    return { problem: "Host is given as a header, must be given as host" };
  }
  return {
    kind: "explainRequest",
    method: query.get("method") ?? "GET",
    authority: query.get("host") ?? "localhost",
    target,
    // RFC 9110 5.5: the blanks around a value are not of it.
    headers: headers.flatMap((match) => [match![1]!, asOnWire(match![2]!.trim())]),
    // In the one form in which traffic has it: policies hash it.
    client: renderIp(address),
  };
}

/** A character for each byte, as traffic has it. */
function asOnWire(value: string): string {
  const bytes = new TextEncoder().encode(value);
  return decodeLatin1(bytes, 0, bytes.length);
}

/** An answer as text for people. Ends with a line break. */
export function explanationText(answer: RouteExplanation | RequestStory): string {
  const lines = answer.kind === "route" ? routeLines(answer) : storyLines(answer);
  return lines.map(harmless).join("\n") + "\n";
}

/** What an endpoint has said may stand in a line: none of it tells a terminal what to do. */
function harmless(line: string): string {
  return line.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** What the control plane knows of an upstream that no worker does. */
type Known = Pick<UpstreamInfo, "name" | "discovery"> & {
  readonly endpoints: readonly Pick<EndpointInfo, "id" | "healthReason" | "ejection">[];
};

/** The answer with why endpoints are out and, where nothing can be picked, what discovery of the upstream fails at. */
export function withReasons(
  answer: RouteExplanation | RequestStory,
  upstreams: readonly Known[],
): RouteExplanation | RequestStory {
  if (answer.kind !== "route" || answer.upstream === null) return answer;
  const upstream = upstreams.find(({ name }) => name === answer.upstream);
  if (upstream === undefined) return answer;
  const endpoints = new Map(upstream.endpoints.map((endpoint) => [endpoint.id, endpoint]));
  const candidates = answer.candidates.map((candidate) => {
    const reason = reasonOf(candidate, endpoints.get(candidate.endpoint));
    return reason === "" ? candidate : { ...candidate, reason };
  });
  const problems = upstream.discovery.filter(({ problem }) => problem !== null)
    .map(({ source, problem }) => `${source}: ${problem}`);
  const why = answer.pick === null && problems.length > 0
    ? `${answer.why}; discovery fails: ${problems.join("; ")}`
    : answer.why;
  return { ...answer, candidates, why };
}

function reasonOf({ state }: CandidateExplanation, endpoint: Known["endpoints"][number] | undefined): string {
  const healthReason = state.includes("unhealthy") ? endpoint?.healthReason : undefined;
  return [healthReason, endpoint?.ejection?.why].filter((reason) => reason != null).join("; ");
}

/** What says something: of several stories the latest, as clients use an id again. Workers explain routes alike. */
export function latestAnswer(answers: readonly Answer[]): RouteExplanation | RequestStory | null {
  let latest: Answer = null;
  for (const answer of answers) {
    const isLater = answer?.kind === "story" && latest?.kind === "story" && answer.at > latest.at;
    if (latest === null || isLater) latest = answer;
  }
  return latest;
}

function routeLines(answer: RouteExplanation): string[] {
  const lines = [answer.route === null ? "no route" : `route ${answer.route}`];
  for (const { route, why } of answer.passedOver) lines.push(`  not ${route}: ${why}`);
  for (const note of answer.notes ?? []) lines.push(`  ${note}`);
  if (answer.upstream !== null) lines.push(`upstream ${answer.upstream}`);
  lines.push(...indent(columns(answer.candidates.map((c) => candidateCells(c, answer.pick)))));
  lines.push(`${answer.pick === null ? "no pick" : `pick ${answer.pick}`}: ${answer.why}`);
  return lines;
}

function candidateCells(candidate: CandidateExplanation, pick: string | null): string[] {
  return [
    candidate.endpoint === pick ? ">" : "-",
    candidate.endpoint,
    candidate.state,
    `weight ${round(candidate.weight)}`,
    `in flight ${candidate.inFlight}`,
    candidate.latencyMs === null ? "no latency yet" : `expected latency ${milliseconds(candidate.latencyMs)}`,
    candidate.score === undefined ? "" : `score ${round(candidate.score)}`,
    [candidate.whyNot && `not picked: ${candidate.whyNot}`, candidate.reason].filter(Boolean).join(": "),
  ];
}

function storyLines(story: RequestStory): string[] {
  const lines = [
    `${story.method} ${story.target}`,
    `  request id ${story.requestId}, from ${story.client} at ${new Date(story.at).toISOString()}`,
    story.route === null ? "no route matched" : `route ${story.route}`,
  ];
  if (story.upstream !== null) lines.push(`upstream ${story.upstream}`);
  story.attempts.forEach((attempt, i) => lines.push(...attemptLines(attempt, i + 1)));
  const status = story.status === null ? "no answer was sent" : `answered ${story.status}`;
  lines.push(
    `${status} with ${plural(story.bytes, "byte")} in ${milliseconds(story.durationMs)}: ${story.endedBy}`,
  );
  return lines;
}

function attemptLines(attempt: AttemptStory, number: number): string[] {
  const connection = attempt.reused ? "kept connection" : "new connection";
  const head = attempt.headMs === null ? "" : `, response head after ${milliseconds(attempt.headMs)}`;
  const lines = [
    `attempt ${number}: ${attempt.endpoint}`,
    `  started after ${milliseconds(attempt.startedMs)} on a ${connection}${head}`,
    `  outcome: ${attempt.outcome}`,
  ];
  if (attempt.retryVerdict !== undefined) lines.push(`  retry: ${attempt.retryVerdict}`);
  if (attempt.budgetLeft !== undefined) lines.push(`  retry budget left: ${round(attempt.budgetLeft)}`);
  return lines;
}

/** Cells padded so that columns stand below each other. */
function columns(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => cell.padEnd(widths[i]!)).filter((cell) => cell !== "").join("  ").trimEnd()
  );
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function milliseconds(ms: number): string {
  return `${round(ms)} ms`;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
