// A route's changes to header lines: remove, then set, then add. Names compare without case.

import type { HeaderEdits } from "../config/route_schema.ts";
import type { HeaderLines } from "../exchange.ts";

/**
 * The lines after the edits: the very same list when there are none, else a new one. `set` puts its line
 * where the first of that name stood, or at the end; `add` leaves what is there.
 */
export function editHeaders(lines: HeaderLines, edits: HeaderEdits | undefined): HeaderLines {
  if (edits === undefined) return lines;
  const removed = new Set(edits.remove?.map((name) => name.toLowerCase()));
  const pending = new Map(
    Object.entries(edits.set ?? {}).map(([name, value]) => [name.toLowerCase(), { name, value }]),
  );
  const isSet = new Set(pending.keys());
  const edited: HeaderLines = [];
  for (let i = 0; i < lines.length; i += 2) {
    const key = lines[i]!.toLowerCase();
    const replacement = pending.get(key);
    if (replacement !== undefined) edited.push(replacement.name, replacement.value);
    else if (!isSet.has(key) && !removed.has(key)) edited.push(lines[i]!, lines[i + 1]!);
    pending.delete(key);
  }
  for (const { name, value } of pending.values()) edited.push(name, value);
  for (const [name, value] of Object.entries(edits.add ?? {})) edited.push(name, value);
  return edited;
}
