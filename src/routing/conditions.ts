// What a route asks of a request besides host and path: a method, header values, query values.
//
// Methods compare with case (RFC 9110 9.1), header names without, values with. Several lines of one header
// count as one, joined by ", " (RFC 9110 5.3). What of a query is compared, `query_value.ts` says.

import { HIDDEN, isSecret } from "../config/findings.ts";
import type { MatchConfig } from "../config/route_schema.ts";
import { hostOf, joinedHeaderValue, type RequestHead } from "../exchange.ts";
import { queryValue } from "./query_value.ts";

type Wanted = string | { present: boolean } | { prefix: string };

/** One header or query condition of a route. */
export interface Condition {
  readonly on: "header" | "query";
  /** Header names in lower case. */
  readonly name: string;
  readonly wanted: Wanted;
}

/** The header and query conditions of a match. */
export function conditionsOf(match: MatchConfig): readonly Condition[] {
  const list = (on: Condition["on"], wanted: Record<string, Wanted> = {}) =>
    Object.entries(wanted).map(([name, value]): Condition => ({
      on,
      name: on === "header" ? name.toLowerCase() : name,
      wanted: value,
    }));
  return [...list("header", match.headers), ...list("query", match.query)];
}

/** Whether a request fulfils a condition. */
export function conditionHolds(condition: Condition, head: RequestHead): boolean {
  return fulfils(condition.wanted, actualValue(condition, head));
}

/** Whether a condition is fulfilled by what it looks at. @param actual see `actualValue` */
export function conditionTakes({ wanted }: Condition, actual: string | undefined): boolean {
  return fulfils(wanted, actual);
}

/** The value that a condition looks at, or undefined when it is not there. */
export function actualValue({ on, name }: Condition, head: RequestHead): string | undefined {
  if (on === "query") return queryValue(head.target, name);
  return name === "host" ? hostOf(head) : joinedHeaderValue(head.headers, name);
}

/** Whether whatever fulfils `given` also fulfils `condition`. */
export function conditionImplied(condition: Condition, given: Condition): boolean {
  if (condition.on !== given.on || condition.name !== given.name) return false;
  const { wanted } = condition;
  if (typeof given.wanted === "string") return fulfils(wanted, given.wanted);
  if ("prefix" in given.wanted) return typeof wanted === "object" && fulfils(wanted, given.wanted.prefix);
  return typeof wanted === "object" && "present" in wanted && wanted.present === given.wanted.present;
}

/** Whether no request can fulfil both. */
export function conditionsExclude(a: Condition, b: Condition): boolean {
  if (a.on !== b.on || a.name !== b.name) return false;
  if (typeof a.wanted === "string") return !fulfils(b.wanted, a.wanted);
  if (typeof b.wanted === "string") return !fulfils(a.wanted, b.wanted);
  if ("prefix" in a.wanted && "prefix" in b.wanted) {
    return !a.wanted.prefix.startsWith(b.wanted.prefix) && !b.wanted.prefix.startsWith(a.wanted.prefix);
  }
  return isAbsent(a.wanted) !== isAbsent(b.wanted);
}

/**
 * What tells apart the conditions that something is there, or is not: every request fulfils one of two that are
 * each other's opposite. Null for all other conditions.
 */
export function presenceOf({ on, name, wanted }: Condition): { key: string; opposite: string } | null {
  if (typeof wanted === "string" || !("present" in wanted)) return null;
  const key = (present: boolean) => `${on} ${name} ${present}`;
  return { key: key(wanted.present), opposite: key(!wanted.present) };
}

/** In words; a wanted value that may be a credential is not printed. */
export function describeCondition({ on, name, wanted }: Condition): string {
  const shown = (value: string) =>
    isSecret(["routes", 0, "match", on === "header" ? "headers" : "query", name]) ? HIDDEN : `"${value}"`;
  if (typeof wanted === "string") return `${on} ${name} must be ${shown(wanted)}`;
  if ("prefix" in wanted) return `${on} ${name} must begin with ${shown(wanted.prefix)}`;
  return `${on} ${name} must ${wanted.present ? "" : "not "}be there`;
}

function fulfils(wanted: Wanted, actual: string | undefined): boolean {
  if (typeof wanted === "string") return actual === wanted;
  if ("prefix" in wanted) return actual !== undefined && actual.startsWith(wanted.prefix);
  return (actual !== undefined) === wanted.present;
}

function isAbsent(wanted: Exclude<Wanted, string>): boolean {
  return "present" in wanted && !wanted.present;
}
