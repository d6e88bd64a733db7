// The command behind `deno task schema`: writes what is generated from the schema, docs/weir.schema.json and
// the tables between the markers of docs/configuration.md. A test holds that both are up to date.

import { jsonSchema } from "./json_schema.ts";
import { referenceTables, settingsTable } from "./reference.ts";

const SCHEMA_FILE = "docs/weir.schema.json";
const DOCUMENT_FILE = "docs/configuration.md";

/** The JSON Schema as it stands in its file. */
export function schemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}

/**
 * The document with its generated tables renewed.
 *
 * @throws {Error} if a marker is missing.
 */
export function withTables(document: string): string {
  return between(between(document, "settings", settingsTable()), "keys", referenceTables());
}

function between(document: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name}: start, made by deno task schema -->\n`, `<!-- ${name}: end -->`];
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from === -1 || to === -1) {
    throw new Error(`${DOCUMENT_FILE} has no marks for ${name}: must have ${start}${end}`);
  }
  return `${document.slice(0, from + start.length)}\n${text}\n${document.slice(to)}`;
}

if (import.meta.main) {
  await Deno.writeTextFile(SCHEMA_FILE, schemaText());
  await Deno.writeTextFile(DOCUMENT_FILE, withTables(await Deno.readTextFile(DOCUMENT_FILE)));
}
