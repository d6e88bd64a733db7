// Findings about the shape of what an operator wrote: unknown keys, wrong types, values out of range.
//
// zod finds them; the words are Weir's own. Called by `validate.ts` once for the file and once for each flag and
// variable. What a key means beyond its shape is looked at in `values.ts` and `relations.ts`.

import type { z } from "zod";
import { acceptedForm, mustBe } from "./accepted_form.ts";
import { inUnitOf } from "./amounts.ts";
import { type Finding, findingAt, type PlaceOf, type Problem, showValue } from "./findings.ts";
import { alternatives, type SchemaNode, schemasAt } from "./json_schema.ts";
import { Suggestions } from "./nearest.ts";
import { knownWhere } from "./nesting.ts";
import { isMap, type Path, valueAt } from "./path.ts";
import { configSchema, upstreamSchema } from "./schema.ts";

type Issue = z.core.$ZodIssue;

/** A configuration that is refused. */
interface Refused {
  readonly input: unknown;
  readonly placeOf: PlaceOf;
  readonly suggestions: Suggestions;
}

/** All that is wrong with the shape of `input`, a whole configuration. */
export function shapeFindings(input: unknown, placeOf: PlaceOf): Finding[] {
  const issues = configSchema.safeParse(input).error?.issues ?? [];
  const refused = { input, placeOf, suggestions: new Suggestions() };
  return issues.flatMap((issue) => refuse(issue, [], refused));
}

function refuse(issue: Issue, base: Path, refused: Refused): Finding[] {
  const path = [...base, ...issue.path as Path];
  switch (issue.code) {
    case "unrecognized_keys":
      return unknownKeys(path, issue.keys, refused);
    case "invalid_key":
      return [wrongName(path, refused), ...behindWrongName(path, refused)];
    case "invalid_union":
      return wrongUnion(issue, path, refused);
    default:
      return [wrongValue(issue, path, refused)];
  }
}

function wrongValue(issue: Issue, path: Path, { input, placeOf, suggestions }: Refused): Finding {
  const value = valueAt(input, path);
  const schemas = schemasAt(path);
  const form = accepting(issue, schemas) ?? mustBe(schemas);
  const accepted = needsQuotes(value, schemas) ? `${form}; as text it needs quotes` : form;
  const words = schemas.flatMap(alternatives).flatMap((node) => node.enum ?? []).map(String);
  const near = offAt(path, value) ?? listOfOne(value, path, schemas) ??
    (typeof value === "string"
      ? amountAt(path, value, schemas) ?? truthOf(value, schemas) ?? suggestions.nearest(value, words)
      : undefined);
  const state = value === undefined ? "is missing" : `is ${showValue(value, path)}`;
  return findingAt(path, {
    state,
    ...(accepted === undefined ? {} : { accepted }),
    ...(near === undefined ? {} : { nearest: near }),
  }, placeOf(path));
}

/** What is switched off by one word elsewhere, and how it is here: by the last key. */
const OFF = new Map(Object.entries({
  accessLog: "off",
  format: "off",
  health: "{ kind: off }",
  kind: "off",
  ejection: "{ enabled: false }",
  retry: "{ attemptsMax: 1 }",
  slowStart: "{ windowMs: 0 }",
}));

function offAt(path: Path, value: unknown): string | undefined {
  return /^(false|no|off|none)$/i.test(String(value)) ? OFF.get(String(path.at(-1))) : undefined;
}

/** The list that is meant by the one item of it, which stands there without brackets. */
function listOfOne(value: unknown, path: Path, schemas: readonly SchemaNode[]): string | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const items = schemas.flatMap(alternatives).filter(({ minItems = 0 }) => minItems < 2)
    .flatMap(({ items }) => items === undefined ? [] : alternatives(items));
  if (items.some((item) => item.enum?.includes(value) || item.const === value)) return `[${value}]`;
  const text = String(value);
  // Several in one text, and an address with a password, are another mistake.
  const isItem = /^[^\s,@]{1,60}$/.test(text) &&
    items.some(({ type, const: only, enum: words, pattern = typeof value === "string" ? "" : "^(?!)" }) =>
      type === "string" && only === undefined && words === undefined && new RegExp(pattern).test(text)
    );
  return isItem ? `[${showValue(text, path)}]` : undefined;
}

/** The number that an amount stands for; undefined where it would be refused as well. */
function amountAt(path: Path, text: string, schemas: readonly SchemaNode[]): string | undefined {
  const amount = inUnitOf(String(path.at(-1)), text);
  if (amount === undefined) return undefined;
  return schemas.flatMap(alternatives).some((node) => holds(node, amount)) ? String(amount) : undefined;
}

function holds(node: SchemaNode, amount: number): boolean {
  const { type, const: only = amount, minimum = 0, exclusiveMinimum = -1, maximum = Infinity } = node;
  return (type === "integer" || type === "number") && amount === only && amount >= minimum &&
    amount > exclusiveMinimum && amount <= maximum;
}

/** The truth value that is meant: in quotes, or by a word that is one in YAML 1.1. */
function truthOf(text: string, schemas: readonly SchemaNode[]): string | undefined {
  if (!schemas.flatMap(alternatives).some(({ type }) => type === "boolean")) return undefined;
  return /^(true|yes|on)$/i.test(text) ? "true" : /^(false|no|off)$/i.test(text) ? "false" : undefined;
}

/** Whether a number or truth value would be accepted as text: YAML takes `1` and `true` for the one and the other. */
function needsQuotes(value: unknown, schemas: readonly SchemaNode[]): boolean {
  if (typeof value !== "number" && typeof value !== "boolean") return false;
  return schemas.flatMap(alternatives).some(({ type, enum: words, pattern, allOf }) =>
    type === "string" && words === undefined && allOf === undefined &&
    new RegExp(pattern ?? "").test(String(value))
  );
}

/** The one bound that a number missed says more than its whole range. */
function accepting(issue: Issue, schemas: readonly SchemaNode[]): string | undefined {
  // zod's own bounds of an integer, which no schema names, come before those of the key.
  if (issue.code === "too_big" && issue.maximum === Number.MAX_SAFE_INTEGER) {
    const bounded = schemas.some(({ maximum }) => maximum !== undefined);
    return bounded ? undefined : `must be an integer <= ${issue.maximum}`;
  }
  if (issue.code === "too_small" && issue.minimum === Number.MIN_SAFE_INTEGER) {
    const least = schemas.find(({ minimum }) => minimum !== undefined)?.minimum;
    return least === undefined ? undefined : `must be an integer >= ${least}`;
  }
  if (issue.code === "too_small" && issue.origin !== "string" && issue.origin !== "array") {
    const kind = issue.origin === "number" && !Number.isInteger(issue.minimum) ? "a number" : "an integer";
    return issue.inclusive === false ? undefined : `must be ${kind} >= ${issue.minimum}`;
  }
  return undefined;
}

function unknownKeys(parent: Path, keys: readonly string[], { placeOf, suggestions }: Refused): Finding[] {
  if (parent.length === 0 && keys.includes("apiVersion") && keys.includes("kind")) {
    const accepted = "must be what stands in its data alone (docs/kubernetes.md says how to take it out)";
    const subject = "the configuration file";
    return [{ subject, state: "is an object of Kubernetes", accepted, place: placeOf(["kind"], "key") }];
  }
  const known = [...new Set(knownKeys(parent))];
  return keys.map((key) => {
    const near = suggestions.nearest(key, known);
    const path = [...parent, key];
    const problem = near === undefined ? notHere(key, parent, known) : { state: NOT_KNOWN, nearest: near };
    return findingAt(path, problem, placeOf(path, "key"));
  });
}

const NOT_KNOWN = "is not a known key";

function notHere(key: string, parent: Path, known: readonly string[]): Problem {
  const elsewhere = knownWhere(key, parent);
  return elsewhere === null
    ? { state: NOT_KNOWN, accepted: `must be one of ${known.join(", ")}` }
    : { state: `${NOT_KNOWN} here`, accepted: `but ${elsewhere}` };
}

function knownKeys(path: Path): string[] {
  return schemasAt(path).flatMap(alternatives).flatMap((node) => Object.keys(node.properties ?? {}));
}

function wrongName(path: Path, { placeOf }: Refused): Finding {
  const names = schemasAt(path.slice(0, -1)).flatMap(alternatives).flatMap((n) => n.propertyNames ?? []);
  const accepted = acceptedForm(names);
  return findingAt(
    path,
    { state: "has a name that is not accepted", accepted: `must be ${accepted}` },
    placeOf(path, "key"),
  );
}

/** zod looks no further behind a wrong name; an operator wants to hear of what is below it as well. */
function behindWrongName(path: Path, refused: Refused): Finding[] {
  if (path.length !== 2 || path[0] !== "upstreams") return [];
  const issues = upstreamSchema.safeParse(valueAt(refused.input, path)).error?.issues ?? [];
  return issues.flatMap((issue) => refuse(issue, path, refused));
}

/** The findings of the alternative that was meant, or one finding that names all of them. */
function wrongUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, refused: Refused): Finding[] {
  const ofItsKind = issue.errors.filter((issues) => !issues.some(isOfAnotherKind));
  const knowing = ofItsKind.filter((issues) => issues.every(({ code }) => code !== "unrecognized_keys"));
  const meant = knowing.length > 0 ? knowing : ofItsKind;
  if (meant.length === 1) return meant[0]!.flatMap((inner) => refuse(inner, path, refused));
  const value = valueAt(refused.input, path);
  const known = knownKeys(path);
  if (isMap(value) && known.length > 0) {
    const unknown = Object.keys(value).filter((key) => !known.includes(key));
    if (unknown.length > 0) return unknownKeys(path, unknown, refused);
    const keys = Object.keys(value);
    if (keys.length > 1) return [keysOfSeveral(keys, path, refused)];
  }
  return [wrongValue(issue, path, refused)];
}

/** Each key is known, but not beside the others. */
function keysOfSeveral(keys: readonly string[], path: Path, { placeOf }: Refused): Finding {
  const accepted = mustBe(schemasAt(path));
  const state = `has ${keys.join(" and ")}`;
  return findingAt(path, { state, ...(accepted === undefined ? {} : { accepted }) }, placeOf(path));
}

function isOfAnotherKind(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");
}
