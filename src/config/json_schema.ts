// The configuration's JSON Schema: for editors (docs/weir.schema.json), for the reference tables and for
// the accepted forms that refusals name. Made from the zod schema, so that the four never disagree.

import { z } from "zod";
import type { Path } from "./path.ts";
import { configSchema } from "./schema.ts";

/** The part of JSON Schema (2020-12) that the configuration needs. */
export interface SchemaNode {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  anyOf?: SchemaNode[];
  allOf?: SchemaNode[];
  properties?: Record<string, SchemaNode>;
  propertyNames?: SchemaNode;
  additionalProperties?: SchemaNode | false;
  required?: string[];
  items?: SchemaNode;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  minItems?: number;
  pattern?: string;
}

/** Keys whose map may be written as one word: the word is the value of the key named here. */
export const shorthands: readonly { readonly path: Path; readonly key: string }[] = [
  { path: ["accessLog"], key: "format" },
  { path: ["upstreams", "*", "balance"], key: "policy" },
];

let made: SchemaNode | undefined;

/** The schema of what an operator may write: defaults are annotations, no key of theirs is required. */
export function jsonSchema(): SchemaNode {
  return made ??= make();
}

/** The alternatives that the schema has at `path`; none where it knows no such key. */
export function schemasAt(path: Path): SchemaNode[] {
  let nodes: SchemaNode[] = [jsonSchema()];
  for (const step of path) nodes = nodes.flatMap(alternatives).flatMap((node) => childOf(node, step));
  return nodes;
}

/** A node, or what it may be instead. */
export function alternatives(node: SchemaNode): SchemaNode[] {
  return node.anyOf === undefined ? [node] : node.anyOf.flatMap(alternatives);
}

function childOf(node: SchemaNode, step: string | number): SchemaNode[] {
  if (typeof step === "number") return node.items === undefined ? [] : [node.items];
  const properties = node.properties;
  if (properties !== undefined && Object.hasOwn(properties, step)) return [properties[step]!];
  return node.additionalProperties ? [node.additionalProperties] : [];
}

function make(): SchemaNode {
  const schema = z.toJSONSchema(configSchema, { io: "input" }) as SchemaNode;
  tidy(schema);
  for (const { path, key } of shorthands) allowShorthand(schema, path, key);
  return { ...schema, title: "Configuration of Weir" } as SchemaNode;
}

/** Takes out what means nothing to a reader: JavaScript's largest integer. */
function tidy(node: SchemaNode): void {
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
  for (const child of childrenOf(node)) tidy(child);
}

function childrenOf(node: SchemaNode): SchemaNode[] {
  const { anyOf = [], allOf = [], properties = {}, propertyNames, additionalProperties, items } = node;
  const single = [propertyNames, additionalProperties || undefined, items];
  return [...anyOf, ...allOf, ...Object.values(properties), ...single.filter((child) => child !== undefined)];
}

function allowShorthand(root: SchemaNode, path: Path, key: string): void {
  let node: SchemaNode | undefined = root;
  for (const step of path) {
    node = step === "*" ? node?.additionalProperties || undefined : node?.properties?.[step];
  }
  const word = node?.properties?.[key];
  if (node === undefined || word === undefined) throw new Error(`the schema has no ${path.join(".")}.${key}`);
  const { description, default: fallback, ...map } = node;
  for (const name of Object.keys(node)) delete node[name as keyof SchemaNode];
  const { default: _, description: __, ...bare } = word;
  Object.assign(node, { description, default: fallback, anyOf: [bare, map] });
}
