// The reference tables of docs/configuration.md and the text of --help, both made from what the code reads:
// the schema with its descriptions, and the table of flags and variables.

import { acceptedForm } from "./accepted_form.ts";
import { alternatives, jsonSchema, type SchemaNode } from "./json_schema.ts";
import { valueAt } from "./path.ts";
import { configSchema } from "./schema.ts";
import { type Setting, settings } from "./sources.ts";

/** A key that an operator can write. */
export interface KeyReference {
  /** `upstreams.<name>.health.intervalMs`, `routes[].match.host`. */
  readonly key: string;
  readonly unit: string;
  readonly accepted: string;
  /** As written in a file; empty where there is none. */
  readonly fallback: string;
  readonly required: boolean;
  readonly description: string;
}

/** Of a map with more keys the tables do not name them where it stands: they follow in rows of their own. */
const NAMED_KEYS_MAX = 4;

/** Every key of the schema, parents before their children. */
export function keyReferences(): KeyReference[] {
  return keysBelow(jsonSchema(), "");
}

/** The tables of keys in Markdown, one for each map of more than a few keys. */
export function referenceTables(): string {
  const groups = new Map<string, KeyReference[]>();
  for (const reference of keyReferences()) {
    const group = groupOf(reference.key);
    groups.set(group, [...(groups.get(group) ?? []), reference]);
  }
  return [...groups].map(([group, keys]) => {
    const heading = group === "" ? "### Top level" : `### ${group}`;
    const rows = keys.map((k) =>
      row(`\`${k.key}\``, k.accepted, k.unit, k.fallback || (k.required ? "required" : "none"), k.description)
    );
    return [
      heading,
      "",
      row("Key", "Accepted", "Unit", "Default", "Meaning and reason"),
      row(..."-----".split("").map(() => "---")),
      ...rows,
      "",
    ].join("\n");
  }).join("\n");
}

/** The table of flags and variables in Markdown. */
export function settingsTable(): string {
  const rows = settings.map((setting) =>
    row(
      `\`${setting.variable}\``,
      `\`--${setting.flag} ${setting.placeholder}\``,
      `\`${keyOf(setting)}\``,
      fallbackOf(setting),
      setting.meaning,
    )
  );
  return [
    row("Variable", "Flag", "Key", "Default", "Meaning"),
    row(..."-----".split("").map(() => "---")),
    ...rows,
    "",
  ].join("\n");
}

/** The flags and variables for `--help`; ends with a line break. */
export function configUsage(): string {
  const lines = settings.map((setting) => {
    const fallback = fallbackOf(setting);
    const ending = fallback === "none" ? "" : ` (default ${fallback})`;
    return `  --${
      `${setting.flag} ${setting.placeholder}`.padEnd(40)
    } ${setting.variable}\n      ${setting.meaning}${ending}`;
  });
  return `${
    [
      "Flags, and the environment variables that do the same (flags > environment > file > defaults):",
      ...lines,
    ].join("\n")
  }\n\nAn ADDRESS of an upstream is http://host:port[;weight=N][;backup][;drain], https://host:port,
dns+http://name:port (each address of the name is an endpoint) or k8s://service[.namespace]:port.
UPSTREAMS separates several by commas or spaces.\n`;
}

function keysBelow(node: SchemaNode, path: string): KeyReference[] {
  return alternatives(node).flatMap((one) => {
    const named = Object.entries(one.properties ?? {}).flatMap(([key, child]) => {
      const full = path === "" ? key : `${path}.${key}`;
      return [reference(full, key, child, one.required?.includes(key) ?? false), ...keysBelow(child, full)];
    });
    const free = one.additionalProperties ? keysBelow(one.additionalProperties, `${path}.<name>`) : [];
    return [...named, ...free, ...(one.items === undefined ? [] : keysBelow(one.items, `${path}[]`))];
  });
}

function reference(full: string, key: string, node: SchemaNode, required: boolean): KeyReference {
  const map = node.default !== null && typeof node.default === "object" &&
    Object.keys(node.default).length === 0;
  const fallback = node.default === undefined || map ? "" : `\`${JSON.stringify(node.default)}\``;
  return {
    key: full,
    unit: unitOf(key, node),
    accepted: acceptedForm([node], NAMED_KEYS_MAX),
    fallback,
    required,
    description: node.description ?? "",
  };
}

/** A unit stands last in the name of its key, or before the bound it belongs to. */
function unitOf(key: string, node: SchemaNode): string {
  if (!alternatives(node).some(({ type }) => type === "integer" || type === "number")) return "";
  if (key.endsWith("Ms")) return "ms";
  if (/PerSecond(Min|Max)?$/.test(key)) return key.startsWith("body") ? "bytes/s" : "1/s";
  if (/Bytes(Min|Max)?$/.test(key)) return "bytes";
  if (/Percent(Min|Max)?$/.test(key)) return "%";
  return key.endsWith("AgeS") ? "s" : "";
}

function groupOf(key: string): string {
  const steps = key.split(".").slice(0, -1);
  const depth = steps[0] === "upstreams" ? 3 : steps[0] === "routes[]" ? 2 : 1;
  return steps.slice(0, depth).join(".");
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function keyOf(setting: Setting): string {
  return setting.path.length === 0 ? "(the file)" : setting.path.join(".");
}

function fallbackOf(setting: Setting): string {
  if (setting.flag === "workers") return "one per core";
  const withDefault = { upstreams: { default: { endpoints: ["http://127.0.0.1:1"] } } };
  const value = setting.path.at(-1) === "endpoints"
    ? undefined
    : valueAt(configSchema.parse(withDefault), setting.path);
  return setting.path.length === 0 || value === undefined || Array.isArray(value) ? "none" : String(value);
}
