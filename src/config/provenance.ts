// Where each value of a configuration is from: the source that set it, and the place where it is written.
//
// Plain data and functions of it: a configuration is validated in a thread of its own (`load_apart.ts`), and what is asked
// of it later is asked here.

import type { PlaceOf } from "./findings.ts";
import { isMap, type Path, pathText } from "./path.ts";
import { type Origin, renderOrigin } from "./sources.ts";

/** What a file holds, by path (`pathText`), with its place (`config.yaml:12:17`). */
export interface Places {
  readonly file: string;
  readonly values: Map<string, string>;
  readonly keys: Map<string, string>;
}

export interface Provenance {
  /** What the other sources set; each stands for all below its path. */
  readonly set: readonly { readonly path: Path; readonly origin: Origin }[];
  readonly places: Places;
}

export function noPlaces(file: string): Places {
  return { file, values: new Map(), keys: new Map() };
}

/** The place of a value or key, or of the closest thing above it that was written. */
export function placeIn(places: Places, path: Path, of: "key" | "value" = "value"): string {
  const text = pathText(path);
  const [key, value] = [places.keys.get(text), places.values.get(text)];
  const place = of === "key" ? key ?? value : value ?? key;
  if (place !== undefined) return place;
  if (path.length > 1) return placeIn(places, path.slice(0, -1), "key");
  return places.values.size === 0 ? places.file : `${places.file}:1:1`;
}

/** The source of the value at `path`; the default where none wrote it. */
function originOf({ set, places }: Provenance, path: Path): Origin {
  const other = set.find((one) => one.path.every((step, i) => path[i] === step));
  if (other !== undefined) return other.origin;
  const text = pathText(path);
  if (!places.values.has(text) && !places.keys.has(text)) return { kind: "default" };
  return { kind: "file", place: placeIn(places, path) };
}

/** The same for every value, and for maps and lists that are empty, by path. */
export function originsOf(provenance: Provenance, config: unknown): Map<string, Origin> {
  const origins = new Map<string, Origin>();
  const visit = (value: unknown, path: Path): void => {
    const children = isMap(value) ? Object.entries(value) : Array.isArray(value) ? [...value.entries()] : [];
    if (children.length === 0) origins.set(pathText(path), originOf(provenance, path));
    for (const [step, child] of children) visit(child, [...path, step]);
  };
  visit(config, []);
  return origins;
}

/** Tells for findings where what they are about was set. */
export function placeFinder(provenance: Provenance): PlaceOf {
  return (path, of) => {
    const origin = originOf(provenance, path);
    return origin.kind === "default" ? placeIn(provenance.places, path, of) : renderOrigin(origin);
  };
}
