import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { configUsage, keyReferences } from "../../src/config/reference.ts";
import { settings } from "../../src/config/sources.ts";
import { schemaText, withTables } from "../../src/config/write_reference.ts";

const read = (name: string) => Deno.readTextFile(new URL(`../../docs/${name}`, import.meta.url));

Deno.test("docs/weir.schema.json is what `deno task schema` writes", async () => {
  assertEquals(await read("weir.schema.json"), schemaText());
});

Deno.test("the tables of docs/configuration.md are what `deno task schema` writes", async () => {
  const document = await read("configuration.md");
  assertEquals(document, withTables(document));
});

Deno.test("every key of the schema is in docs/configuration.md, and every key there is in the schema", async () => {
  const tables = (await read("configuration.md")).split("<!-- keys: start")[1] ?? "";
  const written = [...tables.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
  const known = keyReferences().map(({ key }) => key);
  assert(known.includes("upstreams.<name>.health.intervalMs"));
  assertEquals(written.toSorted(), known.toSorted());
});

Deno.test("every key of the schema has a description, and every bounded wait and size a unit", () => {
  for (const { key, description, unit } of keyReferences()) {
    assert(description !== "", `${key} has no description`);
    if (/(Ms|Bytes(Min|Max)|Percent(Min|Max)?)$/.test(key)) assert(unit !== "", `${key} has no unit`);
  }
});

Deno.test("--help and docs/configuration.md name every flag and variable", async () => {
  const document = await read("configuration.md");
  for (const { flag, variable, meaning } of settings) {
    assertStringIncludes(configUsage(), `--${flag} `);
    assertStringIncludes(configUsage(), variable);
    assertStringIncludes(configUsage(), meaning);
    assertStringIncludes(document, `| \`${variable}\` | \`--${flag} `);
  }
});

Deno.test("the schema for editors allows the short forms that the file allows", () => {
  const { accessLog } = JSON.parse(schemaText()).properties;
  assertEquals(accessLog.anyOf.map(({ type }: { type: string }) => type), ["string", "object"]);
  assertEquals(accessLog.anyOf[0].enum, ["json", "combined", "errors", "off"]);
});
