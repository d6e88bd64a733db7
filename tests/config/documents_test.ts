// The documents' examples of configuration are taken as they stand there.

import { assert, assertEquals } from "@std/assert";
import { keyReferences } from "../../src/config/reference.ts";
import { refusals } from "./helpers.ts";

const PAGES = ["README.md", "docs/configuration.md", "docs/routing.md", "docs/tls.md"];
const UPSTREAMS = "upstreams: { app: { endpoints: ['http://10.0.0.1:8080'] } }\n";

function read(page: string): Promise<string> {
  return Deno.readTextFile(new URL(`../../${page}`, import.meta.url));
}

for (const page of PAGES) {
  Deno.test(`loadConfig() takes the examples of ${page}`, async () => {
    const examples = [...(await read(page)).matchAll(/```yaml\n(.*?)```/gs)];
    assert(examples.length > 0);
    for (const [, example = ""] of examples) {
      const file = /^upstreams:/m.test(example) ? example : UPSTREAMS + example;
      assertEquals(await refusals({ file }), [], example);
    }
  });
}

Deno.test("loadConfig() takes every match that docs/routing.md writes out", async () => {
  const spans = (await read("docs/routing.md")).matchAll(/`((?:host|path|method|headers|query): [^`]+)`/g);
  const matches = [...spans].map(([, match]) => match);
  assert(matches.length > 20);
  for (const match of matches) {
    const file = `${UPSTREAMS}routes: [{ match: { ${match} }, upstream: app }]\n`;
    assertEquals(await refusals({ file }), [], match);
  }
});

Deno.test("docs/coming_from.md names keys that there are", async () => {
  const spans = (await read("docs/coming_from.md")).matchAll(
    /`((?:listen|limits|accessLog|upstreams\.<name>|routes\[\]|trustedProxies)(?:\.[^`]*)?)`/g,
  );
  const known = new Set(keyReferences().map(({ key }) => key));
  const named = [...spans].map(([, key = ""]) => key).filter((key) => key !== "upstreams.<name>");
  assert(named.length > 25);
  assertEquals(named.filter((key) => !known.has(key)), []);
});
