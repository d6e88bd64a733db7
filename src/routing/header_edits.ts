// A route's changes to header lines: remove, then set, then add. Names compare without case.

import type { HeaderEdits } from "../config/route_schema.ts";
import type { HeaderLines } from "../exchange.ts";

/** Edits in the form that applies fast: made once per route. */
interface PreparedEdits {
  /** Names in lower case whose lines go: the removed and the set. */
  readonly dropped: ReadonlySet<string>;
  /** Lines to set, by name in lower case. */
  readonly set: ReadonlyMap<string, readonly [name: string, value: string]>;
  readonly add: readonly string[];
}

// Keyed by the snapshot's own object, so that it goes when the snapshot does.
const prepared = new WeakMap<HeaderEdits, PreparedEdits>();

/**
 * The lines after the edits: the very same list when there are none, else a new one. `set` puts its line
 * where the first of that name stood, or at the end; `add` leaves what is there.
 */
export function editHeaders(lines: HeaderLines, edits: HeaderEdits | undefined): HeaderLines {
  if (edits === undefined) return lines;
  const { dropped, set, add } = prepare(edits);
  const edited: HeaderLines = [];
  const placed = new Set<string>();
  for (let i = 0; i < lines.length; i += 2) {
    const key = lines[i]!.toLowerCase();
    const line = set.get(key);
    if (line !== undefined && !placed.has(key)) edited.push(...line);
    else if (!dropped.has(key)) edited.push(lines[i]!, lines[i + 1]!);
    if (line !== undefined) placed.add(key);
  }
  for (const [key, line] of set) if (!placed.has(key)) edited.push(...line);
  edited.push(...add);
  return edited;
}

function prepare(edits: HeaderEdits): PreparedEdits {
  let ready = prepared.get(edits);
  if (ready === undefined) {
    const lower = (name: string) => name.toLowerCase();
    const set = new Map(Object.entries(edits.set ?? {}).map((line) => [lower(line[0]), line]));
    const dropped = new Set([...(edits.remove ?? []).map(lower), ...set.keys()]);
    prepared.set(edits, ready = { dropped, set, add: Object.entries(edits.add ?? {}).flat() });
  }
  return ready;
}
