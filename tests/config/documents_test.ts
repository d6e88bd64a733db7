// The documents' examples of configuration are taken as they stand there.

import { assert, assertEquals } from "@std/assert";
import { lint, renderLintFinding } from "../../src/lint/lint.ts";
import { keyReferences } from "../../src/config/reference.ts";
import { loaded, refusals } from "./helpers.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGES = [
  ...[...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`),
  "README.md",
  "CHANGELOG.md",
].filter((page) => page.endsWith(".md")).sort();

/** A file that says nothing but these upstreams, with what an example leaves out. */
const upstreams = (more = "") => `upstreams: { app: { endpoints: ["http://10.0.0.1:8080"]${more} } }\n`;
const route = (settings: string) => `${upstreams()}routes: [{ ${settings} }]\n`;

/** Where a key that is shown by itself may stand. */
const PLACES: readonly ((sample: string) => string)[] = [
  (sample) => upstreams() + sample,
  (sample) => `${upstreams()}listen: { ${sample} }\n`,
  (sample) => upstreams(`, ${sample}`),
  (sample) => route(`upstream: app, ${sample}`),
  (sample) => route(sample),
  (sample) => route(`upstream: app, match: { ${sample} }`),
  (sample) => route(`upstream: app, rewrite: { ${sample} }`),
];

function read(page: string): string {
  return Deno.readTextFileSync(new URL(page, ROOT));
}

Deno.test("weir check finds nothing in the examples of the documents", async () => {
  let seen = 0;
  for (const page of PAGES) {
    for (const [, example = ""] of read(page).matchAll(/```yaml\n(.*?)```/gs)) {
      if (example.startsWith("apiVersion:")) continue;
      const file = /^upstreams:/m.test(example) ? example : upstreams() + example;
      const { config, ...context } = await loaded({ file });
      assertEquals(lint(config, context).map(renderLintFinding), [], `${page}: ${example}`);
      seen++;
    }
  }
  assert(seen >= 6);
});

Deno.test("loadConfig() takes every key that the documents show with a value", async () => {
  const names = new Set(keyReferences().map(({ key }) => key.split(".").at(-1)));
  let seen = 0;
  for (const page of PAGES) {
    for (const [, sample = "", key] of read(page).matchAll(/`(([a-zA-Z]+): [^`\n]+)`/g)) {
      if (!names.has(key)) continue;
      const findings = await Promise.all(PLACES.map((place) => refusals({ file: place(sample) })));
      assert(findings.some((found) => found.length === 0), `${page}: ${sample}: ${findings.join("\n")}`);
      seen++;
    }
  }
  assert(seen > 40);
});

/** What a link to a heading says. */
const anchors = (page: string) =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replace(/[^a-z0-9 _-]/g, "").replaceAll(" ", "-")
  );

Deno.test("the documents link to files and headings that exist", () => {
  let seen = 0;
  for (const page of PAGES) {
    for (const [, link = ""] of read(page).matchAll(/\]\(([^)]+)\)/g)) {
      if (link.startsWith("https://")) continue;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? page : new URL(file, new URL(page, ROOT)).href.slice(ROOT.href.length);
      Deno.statSync(new URL(target, ROOT));
      if (anchor !== undefined) assert(anchors(target).includes(anchor), `${page}: ${link}`);
      seen++;
    }
  }
  assert(seen > 40);
});

Deno.test("docs/coming_from.md names keys that there are", () => {
  const spans = read("docs/coming_from.md").matchAll(
    /`((?:listen|limits|accessLog|upstreams\.<name>|routes\[\]|trustedProxies)(?:\.[^`]*)?)`/g,
  );
  const known = new Set(keyReferences().map(({ key }) => key));
  const named = [...spans].map(([, key = ""]) => key).filter((key) => key !== "upstreams.<name>");
  assert(named.length > 25);
  assertEquals(named.filter((key) => !known.has(key)), []);
});
