// Where a key is known that stands in the wrong map: a slip of the indentation, or the habit of another proxy. Pure.

import type { Path } from "./path.ts";
import { keyReferences } from "./reference.ts";

/** A key that is known in more places than these is told of none. */
const HOMES_MAX = 3;

/** The maps that know a key, by the key: `routes[].match`, "" is the whole configuration. */
let homesByKey: ReadonlyMap<string, readonly string[]> | undefined;

/** The maps below `parent` that know `key`, else those around it, in words; null where there are none or many. */
export function knownWhere(key: string, parent: Path): string | null {
  homesByKey ??= readHomes();
  const here = patternOf(parent);
  const known = homesByKey.get(key) ?? [];
  const below = known.filter((home) => isWithin(home, here));
  const homes = below.length > 0 ? below : known.filter((home) => isWithin(here, home));
  if (homes.length === 0 || homes.length > HOMES_MAX) return null;
  const words = homes.map((home) => home === "" ? "at the top" : `under ${home}`);
  return words.join(" or ");
}

function readHomes(): Map<string, string[]> {
  const homes = new Map<string, Set<string>>();
  for (const { key } of keyReferences()) {
    const [, home = "", name = key] = /^(.*)\.([^.]+)$/.exec(key) ?? [];
    // What may be said of one header is no key that anybody looks for.
    if (/^routes.*<name>$/.test(home)) continue;
    homes.set(name, (homes.get(name) ?? new Set()).add(home));
  }
  return new Map([...homes].map(([name, all]) => [name, [...all]]));
}

/** A path as the reference has it: `upstreams.<name>.health`, `routes[].match`. */
function patternOf(path: Path): string {
  return path.map((step, i) => {
    if (typeof step === "number") return "[]";
    return `${i === 0 ? "" : "."}${i === 1 && path[0] === "upstreams" ? "<name>" : step}`;
  }).join("");
}

function isWithin(inner: string, outer: string): boolean {
  return outer === "" || inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}
