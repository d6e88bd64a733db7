// The one sentence that a person on call reads first, and the reasons below it.
//
// Pure: the rows of a status in, words out. The gravest thing makes the headline; everything else that is
// not as it should be becomes a note. "all 5 endpoints serve" is only said when that is all there is to say.

import { firstOf, plural } from "../config/findings.ts";
import type { EndpointStatus, RouteStatus, Status, UpstreamStatus, Verdict } from "./status_shape.ts";
import type { DiscoveryInfo } from "./view.ts";

interface Finding {
  readonly level: "warning" | "critical";
  readonly headline: string;
  readonly notes: readonly string[];
}

/** Share of failed requests from which on the verdict speaks of it, percent. */
const ERROR_PERCENT_MIN = 1;
const ERROR_PERCENT_CRITICAL = 10;
/** Lines about one kind of thing: beside hundreds of endpoints that are out, the rest must still be seen. */
const NOTES_MAX = 10;

/** The verdict on a status. */
export function verdict(status: Omit<Status, "verdict">): Verdict {
  const findings = [
    ...probeFindings(status),
    ...together(status.upstreams.flatMap(upstreamFindings)),
    ...trafficFindings(status),
    ...endpointFindings(status),
    ...discoveryFindings(status),
    ...together(status.upstreams.flatMap(roomFindings)),
    ...certificateFindings(status),
    ...configFindings(status),
  ];
  const gravest = findings.find(({ level }) => level === "critical") ?? findings[0];
  if (gravest === undefined) return { level: "ok", headline: allServe(status), notes: quietNotes(status) };
  const others = findings.filter((finding) => finding !== gravest);
  return {
    level: gravest.level,
    headline: gravest.headline,
    notes: [
      ...gravest.notes,
      ...others.flatMap(({ headline, notes }) => [headline, ...notes]),
      ...quietNotes(status),
    ],
  };
}

/** Findings of one kind as one for each level: the first's headline, those of the others as notes. */
function together(findings: readonly Finding[]): Finding[] {
  return (["critical", "warning"] as const).flatMap((level) => {
    const [headline, ...others] = findings.filter((finding) => finding.level === level)
      .map((finding) => finding.headline);
    return headline === undefined ? [] : [{ level, headline, notes: firstOf(others, NOTES_MAX) }];
  });
}

function probeFindings({ probes, pod, workers }: Omit<Status, "verdict">): Finding[] {
  const hung = workers.filter(({ state }) => state === "hung").map(({ index }) => index);
  if (hung.length > 0) {
    const headline = `Worker ${hung.join(", ")} hangs: this pod leaves, to be restarted`;
    return [{ level: "critical", headline, notes: probes.reasons }];
  }
  if (pod.draining !== null) {
    return [{ level: "warning", headline: "This pod is draining and will stop", notes: probes.reasons }];
  }
  if (!probes.started) {
    return [{ level: "warning", headline: "This pod is starting", notes: probes.reasons }];
  }
  if (!probes.live || !probes.ready) {
    return [{ level: "critical", headline: "This pod does not take traffic", notes: probes.reasons }];
  }
  const serving = workers.filter(({ state }) => state === "serving").length;
  if (serving < workers.length) {
    return [{
      level: "warning",
      headline: `${serving} of ${plural(workers.length, "worker")} ${verb(serving, "serves", "serve")}`,
      notes: probes.reasons,
    }];
  }
  return probes.reasons.map((reason) => ({ level: "warning", headline: reason, notes: [] }));
}

function upstreamFindings(upstream: UpstreamStatus): Finding[] {
  const counted = upstream.endpoints.filter(counts);
  if (counted.some(({ state }) => !isOut(state))) return [];
  if (upstream.endpoints.some(({ state }) => state === "draining")) {
    const headline = `${upstream.name} is left to endpoints that drain: no other can be used`;
    return [{ level: "warning", headline, notes: [] }];
  }
  const headline = counted.length === 0
    ? `${upstream.name} has no endpoint`
    : `${upstream.name} has no healthy endpoint`;
  const then = counted.length > 0 && upstream.whenAllUnhealthy === "panic"
    ? "all are tried all the same (whenAllUnhealthy: panic)"
    : "its requests are answered 503";
  return [{ level: "critical", headline: `${headline}: ${then}`, notes: [] }];
}

function trafficFindings({ now, upstreams, routes }: Omit<Status, "verdict">): Finding[] {
  if (now.errorPercent < ERROR_PERCENT_MIN) return [];
  const failing = routes.length === 1 ? [] : routes.filter(({ errorsPerSecond }) => errorsPerSecond > 0)
    .toSorted((a, b) => b.errorsPerSecond - a.errorsPerSecond);
  const crowded = upstreams.filter(({ crowdedOutPerSecond }) => crowdedOutPerSecond > 0);
  return [{
    level: now.errorPercent >= ERROR_PERCENT_CRITICAL ? "critical" : "warning",
    headline: `${figure(now.errorPercent)} % of requests are answered 5xx`,
    notes: [
      ...firstOf(failing.map(routeWords), NOTES_MAX),
      ...now.rejectedPerSecond === 0
        ? []
        : [`${figure(now.rejectedPerSecond)} a second are refused: the pod is at limits.inFlightMax`],
      ...firstOf(crowded.map(crowdedWords), NOTES_MAX),
    ],
  }];
}

function routeWords({ name, errorsPerSecond, errorPercent }: RouteStatus): string {
  return `${figure(errorsPerSecond)} a second on route ${name}: ${figure(errorPercent)} % of its requests`;
}

function crowdedWords({ name, crowdedOutPerSecond }: UpstreamStatus): string {
  return `${figure(crowdedOutPerSecond)} a second find no room at ${name}, or none in time: ` +
    "its endpoints are at limits.inFlightPerEndpointMax";
}

function figure(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0);
}

function endpointFindings({ upstreams }: Omit<Status, "verdict">): Finding[] {
  const counted = upstreams.flatMap(({ endpoints }) => endpoints.filter(counts));
  const out = counted.filter(({ state }) => isOut(state)).length;
  if (out === 0) return [];
  const notes = notesOf(
    upstreams,
    ({ endpoints }) => endpoints.filter(({ state }) => isOut(state)).map((e) => `${e.id} is ${outWord(e)}`),
  );
  const headline = `${out} of ${plural(counted.length, "endpoint")} ${verb(out, "is", "are")} out`;
  return [{ level: "warning", headline, notes }];
}

function discoveryFindings({ upstreams }: Omit<Status, "verdict">): Finding[] {
  const failing = upstreams.filter(({ discovery }) => discovery.some(({ problem }) => problem !== null));
  if (failing.length === 0) return [];
  const whose = failing.length === 1 ? failing[0]!.name : `${failing.length} upstreams`;
  const notes = notesOf(
    upstreams,
    ({ discovery }) => discovery.filter(({ problem }) => problem !== null).map(discoveryWords),
  );
  return [{ level: "warning", headline: `Discovery of ${whose} fails`, notes }];
}

/** The first lines of what there is to say of each upstream, with its name where there are several. */
function notesOf(
  upstreams: readonly UpstreamStatus[],
  say: (upstream: UpstreamStatus) => readonly string[],
): string[] {
  const isOne = upstreams.length === 1;
  const lines = upstreams.flatMap((upstream) =>
    say(upstream).map((line) => isOne ? line : `${upstream.name}: ${line}`)
  );
  return firstOf(lines, NOTES_MAX);
}

function discoveryWords({ source, endpoints, answeredAt, problem, failingSince }: DiscoveryInfo): string {
  const kept = endpoints > 0
    ? `; ${plural(endpoints, "endpoint")} of its last answer ${verb(endpoints, "stays", "stay")} in use`
    : answeredAt === null
    ? "; no answer so far"
    : "";
  return `${source} since ${dateWords(failingSince!)}: ${problem}${kept}`;
}

function roomFindings({ name, leftOut }: UpstreamStatus): Finding[] {
  if (leftOut === 0) return [];
  const headline = `${plural(leftOut, "endpoint")} of ${name} ${
    verb(leftOut, "is", "are")
  } left out: this pod is full`;
  return [{ level: "warning", headline, notes: [] }];
}

const DAY_MS = 86_400_000;
/** Two weeks: whoever renews certificates by machine has done so before. */
const EXPIRY_NEAR_MS = 14 * DAY_MS;

function certificateFindings({ certificate, at }: Omit<Status, "verdict">): Finding[] {
  if (certificate === null) return [];
  const { notAfter, problem } = certificate;
  const findings: Finding[] = [];
  const left = notAfter - at;
  if (left <= 0) findings.push({ level: "critical", headline: "The certificate has expired", notes: [] });
  else if (left < EXPIRY_NEAR_MS) {
    const headline = `The certificate expires in ${plural(Math.floor(left / DAY_MS), "day")}`;
    findings.push({ level: "warning", headline, notes: [] });
  }
  if (problem !== null) {
    const headline = "The certificate in the files is not served: the one before it is";
    findings.push({ level: "warning", headline, notes: [problem] });
  }
  return findings;
}

function configFindings({ config }: Omit<Status, "verdict">): Finding[] {
  if (config.lastReload === null || config.lastReload.ok) return [];
  return [{
    level: "warning",
    headline: `The last reload was refused: version ${config.version} still serves`,
    notes: config.lastReload.findings,
  }];
}

/** Worth a line, nothing to worry about. */
function quietNotes({ upstreams }: Omit<Status, "verdict">): string[] {
  return notesOf(
    upstreams,
    ({ endpoints }) =>
      endpoints.filter(({ state }) => state === "draining" || state === "leaving")
        .map(({ id, state }) => `${id} is ${state}`),
  );
}

function allServe({ upstreams }: Omit<Status, "verdict">): string {
  const count = upstreams.reduce((sum, { endpoints }) => sum + endpoints.filter(counts).length, 0);
  if (count === 0) return "No upstream is configured";
  if (count === 1) return "The one endpoint serves";
  return count === 2 ? "Both endpoints serve" : `All ${count} endpoints serve`;
}

function outWord(endpoint: EndpointStatus): string {
  const word = endpoint.state === "unchecked" ? "waiting for its first check" : endpoint.state;
  return endpoint.why === null ? word : `${word}: ${endpoint.why}`;
}

/** Endpoints that are asked to leave are nobody's loss. */
function counts({ state }: EndpointStatus): boolean {
  return state !== "leaving" && state !== "draining";
}

function isOut(state: EndpointStatus["state"]): boolean {
  return state === "ejected" || state === "unhealthy" || state === "unchecked";
}

/** To the second: `2026-01-02T03:04:05Z`. */
function dateWords(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

function verb(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}
