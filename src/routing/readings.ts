// How an origin may read a path that Weir compares raw, and what that is good for.
//
// Weir never changes a target, so `/public/../admin` and `/%61dmin` are not `/admin` to a route; to the
// origin behind it they may well be. Rather than guess, the router also looks up the two readings below: if
// one of them belongs to another route than the raw path, nobody can say whose rules apply and the request
// is refused. Paths that every reading gives to the same route pass untouched (`/files/a%2Fb` under
// `/files/*`). Patterns are read in the same way as paths, so that a route may itself hold an escape.

type Reading = (path: string) => string;

/** RFC 3986 6.2.2: escapes of unreserved characters decoded, escapes in upper case, dot segments resolved. */
const strictReading: Reading = (path) =>
  resolveDots(
    path.replace(/%[0-9a-f]{2}/gi, (escape) => {
      const character = byteOf(escape);
      return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
    }),
  );

/** What lenient servers make of it: cut at `#`, all decoded, `\` is `/`, `;parameters` dropped, slashes merged, dots. */
const lenientReading: Reading = (path) => {
  const decoded = path.replace(/#.*/, "").replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = byteOf(escape);
    // Would turn into the marks of a pattern; no literal of a pattern can hold them either.
    return /[{}*]/.test(character) ? escape.toUpperCase() : character;
  });
  const slashed = decoded.replaceAll("\\", "/").replace(/;[^/]*/g, "");
  return resolveDots(slashed.replace(/\/{2,}/g, "/"));
};

/** The readings of a path that an origin may have, each as a function of the path. */
export const READINGS: readonly Reading[] = [strictReading, lenientReading];

/** Where the path of a target ends: at its query, or its end. */
export function pathEnd(target: string): number {
  const mark = target.indexOf("?");
  return mark < 0 ? target.length : mark;
}

/** Whether every reading of a path is the path itself, as it is for nearly all. One pass, nothing made. */
export function readsOneWay(path: string, end: number): boolean {
  let previous = 0;
  for (let i = 0; i < end; i++) {
    const code = path.charCodeAt(i);
    if (code === 0x25 || code === 0x5c || code === 0x3b || code === 0x23) return false; // % \ ; #
    if (previous === 0x2f && (code === 0x2f || code === 0x2e)) return false; // "//", "/."
    previous = code;
  }
  return true;
}

function byteOf(escape: string): string {
  return String.fromCharCode(parseInt(escape.slice(1), 16));
}

/** RFC 3986 5.2.4, for a path that begins with a slash. */
function resolveDots(path: string): string {
  if (!path.includes("/.")) return path;
  const kept: string[] = [];
  const segments = path.slice(1).split("/");
  segments.forEach((segment, i) => {
    const dots = segment === "." || segment === "..";
    if (segment === "..") kept.pop();
    if (!dots) kept.push(segment);
    else if (i === segments.length - 1) kept.push("");
  });
  return "/" + kept.join("/");
}
