import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);
const PREFIXES = /"((?:connection|destination|http|tls|proxy)_[a-z]+(?:_[a-z]+)*)"/g;

async function errorTypesInSource(): Promise<Set<string>> {
  const found = new Set<string>();
  for (const room of ["proxy", "listener"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(`src/${room}`, root))) {
      if (!isFile) continue;
      const text = await Deno.readTextFile(new URL(`src/${room}/${name}`, root));
      for (const [, type] of text.matchAll(PREFIXES)) found.add(type!);
    }
  }
  return found;
}

Deno.test("docs/errors.md explains every error type that Weir answers with, and no other", async () => {
  const page = await Deno.readTextFile(new URL("docs/errors.md", root));
  const types = await errorTypesInSource();
  assert(types.size > 10, [...types].join());
  const explained = new Set(
    [...page.matchAll(/^\| (?:\d{3} \| )?([a-z]+_[a-z_, ]*) \|/gm)].flatMap(([, names]) =>
      names!.split(", ")
    ),
  );
  assertEquals([...explained].sort(), [...types].sort());
});
