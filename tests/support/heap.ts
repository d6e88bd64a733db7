// What the heap holds, counted in a snapshot: V8 collects garbage before it takes one, so all of it is in use.

import { getHeapSnapshot } from "node:v8";

interface Snapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly unknown[] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** How many objects of a class there are. */
export function objectsInHeap(className: string): Promise<number> {
  return count("object", (name) => name === className);
}

/**
 * How many texts of more than `bytes` there are that begin so and go on; parts of them that are kept keep them whole.
 */
export function textsInHeap(beginning: string, bytes = 0): Promise<number> {
  return count(
    "string",
    (text, size) => size > bytes && text.length > beginning.length && text.startsWith(beginning),
  );
}

async function count(type: string, matches: (name: string, size: number) => boolean): Promise<number> {
  const decoder = new TextDecoder();
  let json = "";
  for await (const piece of getHeapSnapshot()) {
    json += typeof piece === "string" ? piece : decoder.decode(piece as Uint8Array, { stream: true });
  }
  const { snapshot: { meta }, nodes, strings } = JSON.parse(json) as Snapshot;
  const typeAt = meta.node_fields.indexOf("type");
  const nameAt = meta.node_fields.indexOf("name");
  const sizeAt = meta.node_fields.indexOf("self_size");
  const wanted = (meta.node_types[typeAt] as string[]).indexOf(type);
  let found = 0;
  for (let node = 0; node < nodes.length; node += meta.node_fields.length) {
    if (nodes[node + typeAt] !== wanted) continue;
    if (matches(strings[nodes[node + nameAt]!]!, nodes[node + sizeAt]!)) found++;
  }
  return found;
}
