// Paths into the configuration: how one is written, read and set. Pure; used by everything in this room.

/** Keys and list indexes from the root: `["routes", 0, "match", "host"]`. */
export type Path = readonly (string | number)[];

/** `routes[0].match.host`; a key that a dot would make ambiguous is quoted: `upstreams["api.v1"].retry`. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) text += `[${inQuotes(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/** As in JSON, with what cannot be seen spelled out: a no-break space looks like an indentation, and is none. */
export function inQuotes(text: string): string {
  return JSON.stringify(text).replace(
    /(?! )[\p{Z}\p{Cf}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}

/** Maps of keys, as the YAML parser and `JSON.parse` make them. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at `path`, or undefined; never looks at inherited properties. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** A copy of `root` with `value` at `path`; what stands in the way and is no map is replaced by one. */
export function withValueAt(root: unknown, path: Path, value: unknown): Record<string, unknown> {
  const [step, ...rest] = path;
  const map = isMap(root) ? root : {};
  if (step === undefined) return map;
  return { ...map, [step]: rest.length === 0 ? value : withValueAt(map[step], rest, value) };
}

/** The map at `path`, empty where there is none. */
export function mapAt(input: unknown, path: Path): Record<string, unknown> {
  const value = valueAt(input, path);
  return isMap(value) ? value : {};
}

/** The list at `path`, empty where there is none. */
export function listAt(input: unknown, path: Path): unknown[] {
  const value = valueAt(input, path);
  return Array.isArray(value) ? value : [];
}
