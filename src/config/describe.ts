// The effective configuration as an operator reads it: YAML that loads again, and after each value where it
// came from. Called by `weir check`, and for /config. Credentials are not printed (`isSecret`), so those do not load again;
// what follows from other values is a comment.

import { checkKind, WIRE_KEYS, WORKERS_MAX } from "./derived.ts";
import { HIDDEN, isSecret } from "./findings.ts";
import type { Loaded } from "./loading.ts";
import { isMap, type Path, pathText } from "./path.ts";
import { renderOrigin } from "./sources.ts";

interface Line {
  readonly text: string;
  /** Path of the value on this line; none where the line only opens a map or a list. */
  readonly path?: Path;
}

/** Comments start here, or two columns behind a longer value. */
const COMMENT_COLUMN = 44;

/** One line for each value, its origin in a comment. Ends with a line break. */
export function describeConfig({ config, origins }: Pick<Loaded, "config" | "origins">): string {
  const lines = linesOfMap(config, []).map(({ text, path }) => {
    if (path === undefined) return text;
    const origin = origins.get(pathText(path)) ?? { kind: "default" as const };
    const idle = config.listen.listener === "serve" && isForWire(path) ? ", of no effect on serve" : "";
    return `${text.padEnd(COMMENT_COLUMN)}  # ${renderOrigin(origin)}${idle}`;
  });
  return `# The effective configuration. After each value: where it came from.\n${lines.join("\n")}\n`;
}

function isForWire([root, key]: Path): boolean {
  return root === "listen" && WIRE_KEYS.some((name) => name === key);
}

function linesOfMap(map: Record<string, unknown>, path: Path): Line[] {
  const lines = Object.entries(map).filter(([, value]) => value !== undefined)
    .flatMap(([key, value]) => linesOf(`${scalar(key)}:`, value, [...path, key]));
  return [...followsIn(map, path), ...lines];
}

/** What holds although it is neither written nor has a default: it follows from other values, or from the machine. */
function followsIn(map: Record<string, unknown>, path: Path): Line[] {
  const [root, , part, ...below] = path;
  if (root === undefined && map["workers"] === undefined) {
    return [{
      text: `# workers: one per core, as many as a CPU limit allows, ${WORKERS_MAX} at most`,
      path: ["workers"],
    }];
  }
  const isHealth = root === "upstreams" && part === "health" && below.length === 0;
  if (!isHealth || map["kind"] !== undefined) return [];
  return [{ text: `# kind: ${checkKind(map)}`, path: [...path, "kind"] }];
}

/** The lines of a value behind its key or the dash of its list. */
function linesOf(lead: string, value: unknown, path: Path): Line[] {
  const below = isMap(value)
    ? linesOfMap(value, path)
    : Array.isArray(value)
    ? value.flatMap((item, index) => linesOf("-", item, [...path, index]))
    : [];
  if (below.length === 0) return [{ text: `${lead} ${leaf(value, path)}`, path }];
  const [first, ...rest] = below.map((line) => ({ ...line, text: `  ${line.text}` }));
  if (lead !== "-" || first === undefined) return [{ text: lead }, first!, ...rest];
  return [{ ...first, text: `-${first.text.slice(1)}` }, ...rest];
}

function leaf(value: unknown, path: Path): string {
  if (Array.isArray(value)) return "[]";
  if (isMap(value)) return "{}";
  return isSecret(path) ? scalar(HIDDEN) : scalar(value);
}

/** As plain YAML where that cannot be misread, else quoted as in JSON, which YAML reads the same way. */
function scalar(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const plain = /^[A-Za-z](?:[\w./:;=+-]*[\w/])?$/.test(value) &&
    !/^(true|false|null|yes|no|y|n)$/i.test(value);
  return plain ? value : JSON.stringify(value);
}
