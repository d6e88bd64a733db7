// What is accepted at a place of the configuration, in words: "an integer from 0 to 65535".
//
// Used by refusals and by the reference tables. Read off the JSON Schema, so that the words cannot promise
// what the schema refuses.

import { alternatives, type SchemaNode } from "./json_schema.ts";
import { patternWords } from "./units.ts";

/** `must be ...`, for what may stand where these schemas apply. */
export function mustBe(nodes: readonly SchemaNode[]): string | undefined {
  const form = acceptedForm(nodes);
  return form === "" ? undefined : `must be ${form}`;
}

/** The same without `must be`; empty where nothing may stand. @param keysMax the most keys of a map that are named */
export function acceptedForm(nodes: readonly SchemaNode[], keysMax = Infinity): string {
  const all = nodes.flatMap(alternatives);
  const words = all.flatMap((node) => node.enum ?? (node.const === undefined ? [] : [node.const]));
  const others = all.filter((node) => node.enum === undefined && node.const === undefined)
    .map((node) => formOf(node, keysMax));
  const listed = words.length > 1 ? [`one of ${words.join(", ")}`] : words.map(String);
  return [...new Set([...listed, ...others])].join(", or ");
}

function formOf(node: SchemaNode, keysMax: number): string {
  if (node.allOf !== undefined) {
    return node.allOf.map((part) => formOf({ type: "string", ...part }, keysMax)).at(-1)!;
  }
  switch (node.type) {
    case "integer":
    case "number":
      return numberForm(node);
    case "boolean":
      return "true or false";
    case "array":
      return listForm(node);
    case "object":
      return mapForm(node, keysMax);
    default:
      if (node.pattern !== undefined) return patternWords[node.pattern] ?? `text like ${node.pattern}`;
      return node.minLength ? "text that is not empty" : "text";
  }
}

function numberForm({ type, minimum, maximum, exclusiveMinimum }: SchemaNode): string {
  const kind = type === "integer" ? "an integer" : "a number";
  if (exclusiveMinimum !== undefined) {
    return `${kind} above ${exclusiveMinimum}${maximum === undefined ? "" : `, at most ${maximum}`}`;
  }
  if (minimum !== undefined && maximum !== undefined) return `${kind} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${kind} >= ${minimum}`;
  return maximum === undefined ? kind : `${kind} <= ${maximum}`;
}

function listForm({ items, minItems }: SchemaNode): string {
  const least = minItems === undefined ? "a list" : `a list of ${minItems} or more`;
  const words = items === undefined ? [] : alternatives(items).flatMap((n) => n.enum ?? n.const ?? []);
  return words.length === 0 ? least : `${least}, each one of ${words.join(", ")}`;
}

function mapForm({ properties }: SchemaNode, keysMax: number): string {
  const keys = Object.keys(properties ?? {});
  if (keys.length === 0) return "a map";
  return keys.length > keysMax ? "a map of keys" : `a map with ${keys.join(", ")}`;
}
