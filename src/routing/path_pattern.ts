// Paths as operators write them: `/a` exactly, `/a/*` for /a and all below it, `/users/{id}/x` with one
// segment for each name in braces; the last two also together.
//
// Compared with the path of the raw target, segment by segment and byte by byte: nothing is decoded,
// resolved or folded, and a slash at the end makes another path.

/** A path as an operator wrote it, ready to be compared. */
export interface PathPattern {
  /** As written. */
  readonly text: string;
  /** What stands between the slashes; null is a `{name}` and takes any one segment that is not empty. */
  readonly segments: readonly (string | null)[];
  /** Names of the `{name}` segments, in order. */
  readonly names: readonly string[];
  /** Ends in a star: also matches all that is below. */
  readonly open: boolean;
}

/** The pattern in a text that `pathPatternProblem` has nothing against. */
export function parsePathPattern(text: string): PathPattern {
  const open = text.endsWith("/*");
  const closedText = open ? text.slice(0, -2) : text;
  const parts = closedText === "" ? [] : closedText.slice(1).split("/");
  const names: string[] = [];
  const segments = parts.map((part) => {
    if (!isParameter(part)) return part;
    names.push(part.slice(1, -1));
    return null;
  });
  return { text, segments, names, open };
}

/** What is wrong with a path pattern and what would be right, or null. */
export function pathPatternProblem(text: string): string | null {
  if (/[?#]/.test(text)) return "a path ends before `?` and `#`; match a query with `match.query`";
  if (/[^\x21-\x7e]/.test(text)) return "bytes other than visible ASCII must be written as `%XX`";
  const { segments, names } = parsePathPattern(text);
  const literals = segments.filter((segment) => segment !== null);
  if (literals.some((literal) => literal.includes("*"))) return "`*` may only be the whole last segment";
  if (literals.some((literal) => /[{}]/.test(literal))) {
    return "`{name}` must be a whole segment, with a name";
  }
  if (new Set(names).size < names.length) return "a `{name}` may be there only once";
  return null;
}

/** Whether a path, without its query, is for this pattern. Plain and slow: explain uses it, traffic a trie. */
export function pathMatches(pattern: PathPattern, path: string): boolean {
  if (path.charCodeAt(0) !== 0x2f) return false;
  const segments = path.slice(1).split("/");
  const enough = pattern.open
    ? segments.length >= pattern.segments.length
    : segments.length === pattern.segments.length;
  return enough &&
    pattern.segments.every((wanted, i) => wanted === null ? segments[i] !== "" : wanted === segments[i]);
}

/** Whether every path of `inner` is one of `outer`, which ends in a star. */
export function pathCovers(outer: PathPattern, inner: PathPattern): boolean {
  return inner.segments.length >= outer.segments.length && outer.segments.every((segment, i) => {
    const below = inner.segments[i]!;
    return segment === null ? below !== "" : segment === below;
  });
}

function isParameter(part: string): boolean {
  return part.length > 2 && part.startsWith("{") && part.endsWith("}") && !/[{}]/.test(part.slice(1, -1));
}
