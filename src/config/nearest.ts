// The known name closest to one that was mistyped, for "did you mean". Pure.

/** Longer words are not names that somebody mistyped; the bound keeps the table small. */
const WORD_CHARACTERS_MAX = 64;

/**
 * The name with the smallest edit distance to `word`, without regard to case; undefined when none is close:
 * more than a third of the longer word's characters differ.
 */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  if (word.length > WORD_CHARACTERS_MAX) return undefined;
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const name of names) {
    const allowed = Math.max(1, Math.floor(Math.max(word.length, name.length) / 3));
    // Each character more is an insertion.
    if (Math.abs(word.length - name.length) > allowed) continue;
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance <= allowed && distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Wrong names that are compared with the known ones, which takes its time; further ones are hardly read. */
const COMPARED_MAX = 50;

/** The nearest name for each wrong one of a text, as far as anybody reads: bounded, however many there are. */
export class Suggestions {
  private compared = 0;

  nearest(word: string, names: Iterable<string>): string | undefined {
    return this.compared++ < COMPARED_MAX ? nearest(word, names) : undefined;
  }
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
