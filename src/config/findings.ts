// What is wrong with a configuration, and how an operator reads it.
//
// Every check in this room reports findings; none throws, prints or exits. A finding is one line: what is
// wrong, the value seen, what is accepted, the nearest known name, and the place. No secret is ever in it.

import { inQuotes, type Path, pathText } from "./path.ts";

/** What is wrong with one value, before its key and place are known. */
export interface Problem {
  /** Follows the subject: `is 0`, `is not a known key`, `cannot be read: no such file`. */
  readonly state: string;
  /** What would be right: `must be an integer >= 100`. */
  readonly accepted?: string;
  /** The known name that is closest to the one written. */
  readonly nearest?: string;
}

export interface Finding extends Problem {
  /** The key, flag or file that is wrong: `upstreams.api.health.intervalMs`. */
  readonly subject: string;
  /** `config.yaml:12:17`, `variable PORT`, `flag --port`. */
  readonly place: string;
}

/** One line: `listen.port is 0x, must be an integer from 0 to 65535 (variable PORT)`. */
export function renderFinding(finding: Finding): string {
  const accepted = finding.accepted === undefined ? "" : `, ${finding.accepted}`;
  const nearest = finding.nearest === undefined ? "" : `; did you mean ${finding.nearest}?`;
  return `${finding.subject} ${finding.state}${accepted}${nearest} (${finding.place})`;
}

/** The findings, one a line, with a heading that counts them all. Ends with a line break. */
export function renderFindings(findings: readonly Finding[]): string {
  const lines = firstOf(findings.map(renderFinding));
  return [
    `The configuration has ${plural(findings.length, "problem")}:`,
    ...lines.map((line) => `  ${line}`),
    "",
  ].join("\n");
}

/** A finding for each line of what is no configuration, thousands of endpoints: nobody reads on after these. */
const SHOWN_MAX = 50;

/** The first of many lines, and how many more there are. */
export function firstOf(lines: readonly string[], max = SHOWN_MAX): string[] {
  if (lines.length <= max) return [...lines];
  return [...lines.slice(0, max), `and ${lines.length - max} more`];
}

/** `1 endpoint`, `2 endpoints`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

const SHOWN_CHARACTERS_MAX = 80;

/** A value as an operator would write it, short, on one line, and without what may be secret. */
export function showValue(value: unknown, path: Path = []): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") return "a map of keys";
  if (isSecret(path)) return HIDDEN;
  if (typeof value !== "string") return String(value);
  const text = withoutUserinfo(value);
  const short = text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text;
  return inQuotes(short);
}

/** Stands where a value is not printed. */
export const HIDDEN = "(hidden)";

/** An address without user name and password. */
export function withoutUserinfo(text: string): string {
  // Greedy up to the last "@": a password may hold "@", "/" and ";" where nobody encoded it.
  return text.replace(/^([A-Za-z0-9+.-]*:\/\/)?.*@/s, "$1***@");
}

/**
 * Whether the value at `path` may be a credential: any header that Weir sends to an origin, and matched or
 * answered values whose name sounds like one. So may text that stands where a map of these should: a line without
 * its colon is such text.
 */
export function isSecret(path: Path): boolean {
  const [root, , part, kind, name] = path.map(String);
  if (root !== "routes" || kind === "remove") return false;
  if (part === "requestHeaders") return true;
  const holdsValues = part === "responseHeaders" ||
    (part === "match" && (kind === "headers" || kind === "query"));
  return holdsValues &&
    (name === undefined || /auth|cookie|token|secret|passw|key|session|credential|signature/i.test(name));
}

/** A finding about the value at `path`. */
export function findingAt(path: Path, problem: Problem, place: string): Finding {
  return { ...problem, subject: pathText(path), place };
}

/** Where the value (or else the key that it belongs under) at a path was written. */
export type PlaceOf = (path: Path, of?: "key" | "value") => string;

/** Takes what is wrong with the value at a path, or with its key. */
export type Refuse = (path: Path, problem: Problem, of?: "key" | "value") => void;

/** All that `check` refuses. */
export function refusedBy(check: (refuse: Refuse) => void, placeOf: PlaceOf): Finding[] {
  const findings: Finding[] = [];
  check((path, problem, of) => findings.push(findingAt(path, problem, placeOf(path, of))));
  return findings;
}
