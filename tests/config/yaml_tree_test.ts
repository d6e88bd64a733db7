import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { renderFinding } from "../../src/config/findings.ts";
import { parseConfigText } from "../../src/config/yaml_tree.ts";
import { load, loaded, refusals } from "./helpers.ts";

Deno.test("parseConfigText() knows line and column of values and keys, in YAML and JSON", () => {
  const yaml = parseConfigText("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n", "f.yaml");
  assertEquals(yaml.value, { a: { b: 1, c: ["x", { d: 2 }] } });
  assertEquals(yaml.placeOf(["a", "b"]), "f.yaml:2:6");
  assertEquals(yaml.placeOf(["a", "b"], "key"), "f.yaml:2:3");
  assertEquals(yaml.placeOf(["a", "c", 1, "d"]), "f.yaml:5:11");
  // What is not there has the place of what it would stand in.
  assertEquals(yaml.placeOf(["a", "c", 1, "e"]), "f.yaml:5:7");
  assertEquals(yaml.placeOf(["a", "e", "f"]), "f.yaml:1:1");
  assertEquals(parseConfigText("# first\nz: 1\na: {b: 1}\n", "f").placeOf(["a", "e", "f"]), "f:3:1");
  assertEquals(parseConfigText("# first\nz: 1\n", "f").placeOf(["a"]), "f:1:1");
  assertEquals(parseConfigText("# nothing\n", "f").placeOf(["a", "b"]), "f");
  const json = parseConfigText('{\n\t"a": {\r\n\t\t"b": [1,\n 2]}\n}', "f.json");
  assertEquals(json.value, { a: { b: [1, 2] } });
  assertEquals(json.placeOf(["a", "b", 1]), "f.json:4:2");
});

Deno.test("parseConfigText() takes an empty file and one of comments as an empty map", () => {
  for (const text of ["", "\n\n", "# nothing\n", "---\n", "\uFEFF"]) {
    assertEquals(parseConfigText(text, "f").value, {});
  }
});

Deno.test("parseConfigText() gives an aliased value the place where it was written", () => {
  const tree = parseConfigText("a: &t {x: 1}\nb: *t\n", "f");
  assertEquals(tree.value, { a: { x: 1 }, b: { x: 1 } });
  assertEquals(tree.placeOf(["b", "x"]), "f:1:11");
});

/** A text with anchors, and the value it has. */
const anchored: readonly [string, unknown][] = [
  // An anchor that is written again, and what stands for the first of its name followed in between.
  ["b: &x {k: &y 1}\nc: &y 2\nd: *x\ne: *y\n", { b: { k: 1 }, c: 2, d: { k: 1 }, e: 2 }],
  ["a: &y 1\nb: &x [*y]\nc: &y 2\nd: *x\ne: *y\n", { a: 1, b: [1], c: 2, d: [1], e: 2 }],
  ["a: &x 1\nb: [*x, &x 2, *x]\n", { a: 1, b: [1, 2, 2] }],
  // Keys.
  ["&n api: 1\nb: *n\n", { api: 1, b: "api" }],
  ["a: &n api\n*n : 1\n", { a: "api", api: 1 }],
  ["a: &x {&k b: 1}\nc: &k d\ne: *x\nf: *k\n", { a: { b: 1 }, c: "d", e: { b: 1 }, f: "d" }],
  // Merge keys.
  ["a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n", { a: { k: 1, l: 2 }, b: { k: 1, l: 3 } }],
  ["a: &x {k: 1}\nb: {k: 2, <<: *x, l: 3}\n", { a: { k: 1 }, b: { k: 2, l: 3 } }],
  ["a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}\n", {
    a: { k: 1 },
    b: { k: 2, l: 2 },
    c: { k: 1, l: 2 },
  }],
  ["a: &x {k: 1}\nb: &y {<<: *x, l: 2}\nc:\n  <<: *y\n  m: 3\n", {
    a: { k: 1 },
    b: { k: 1, l: 2 },
    c: { k: 1, l: 2, m: 3 },
  }],
  ["a: {<<: &x {k: 1}}\nb: *x\n", { a: { k: 1 }, b: { k: 1 } }],
  ["a: &x {k: 1}\nb:\n  !!merge <<: *x\n  l: 2\n", { a: { k: 1 }, b: { k: 1, l: 2 } }],
  ['a: {"<<": 1}', { a: { "<<": 1 } }],
  ["a: {<<}", { a: { "<<": null } }],
];

Deno.test("parseConfigText() takes an anchor above an alias, and merges maps", () => {
  for (const [text, value] of anchored) {
    const tree = parseConfigText(text, "f");
    assertEquals(tree.findings.map(renderFinding), [], text);
    assertEquals(tree.value, value, text);
  }
  const tree = parseConfigText("a: &x {k: 1}\nb: {l: 2,\n <<: *x}\n", "f");
  assertEquals([tree.placeOf(["b", "k"]), tree.placeOf(["b", "k"], "key")], ["f:1:11", "f:1:8"]);
  assertEquals(tree.placeOf(["b"]), "f:2:4");
});

/** A text and the one finding it gives. */
const broken: readonly [string, string][] = [
  ["a: 1\na: 2", "a is written twice, must be written once (first at f:1:1) (f:2:1)"],
  ['{"a": {"b": 1, "b": 1}}', "a.b is written twice, must be written once (first at f:1:8) (f:1:16)"],
  [
    "a: *x",
    "a is an alias of an anchor that is not above it, must be in quotes if the * is part of a text (f:1:4)",
  ],
  ["a: &x [*x]", "a[0] is an alias of what it stands in (f:1:8)"],
  [
    "a: {<<: *x}",
    "a is an alias of an anchor that is not above it, must be in quotes if the * is part of a text (f:1:9)",
  ],
  ["a: &x {<<: *x}", "a is an alias of what it stands in (f:1:12)"],
  ["a: {<<: {<<: &x {k: 1, <<: *x}}}", "a is an alias of what it stands in (f:1:28)"],
  ["a: {<<: 1}", "a merges (<<) what is no map, must be an alias of a map, or a list of those (f:1:9)"],
  ["b: {k: 1, <<: {l: 2}, k: 3}", "b.k is written twice, must be written once (first at f:1:5) (f:1:23)"],
  ["? [1]\n: 2", "f has a key that is no name, must have keys of plain text (f:1:3)"],
  ["__proto__: 1", "f has a key that is no name, must have keys of plain text (f:1:1)"],
  ["a: 'x", "f is not valid YAML: a closing quote, bracket, comma or colon is missing (f:1:6)"],
  ["a: 1\n\tb: 2", "f is not valid YAML: lines are indented by tabs; YAML takes spaces (f:2:1)"],
  ["a: 1\n---\nb: 2", "f is not valid YAML: it holds several documents (---) and may hold one (f:2:1)"],
  ["a: !secret b", "f is not valid YAML: a !tag is not known, or does not fit its value (f:1:4)"],
  [
    "a: *.b.c",
    "a is an alias of an anchor that is not above it, must be in quotes if the * is part of a text (f:1:4)",
  ],
  ["a: *", "f is not valid YAML: an alias has no name; a text that starts with * must be quoted (f:1:4)"],
  [
    "a: [{b}c]",
    "f is not valid YAML: something stands where no text can be; within {...} and [...] a text with braces, brackets " +
    "or commas must be quoted (f:1:8)",
  ],
  ["%YAML 1.1\n---\na: 010", "f says %YAML 1.1, must be YAML 1.2 (f:1:1)"],
  ["a: @b", "f is not valid YAML: a text starts with a reserved character and must be quoted (f:1:4)"],
  ["[".repeat(40) + "]".repeat(40), "is nested more than 32 levels deep"],
  ["[".repeat(100_000), "f is not valid YAML"],
];

Deno.test("parseConfigText() refuses what is broken, with its place", () => {
  for (const [text, expected] of broken) {
    const rendered = parseConfigText(text, "f").findings.map(renderFinding);
    assert(rendered.length > 0, text.slice(0, 40));
    if (text.length < 80) assertEquals(rendered, [expected]);
    else assertStringIncludes(rendered[0]!, expected);
  }
});

Deno.test("parseConfigText() takes a file that says which YAML it is written in", () => {
  assertEquals(parseConfigText("%YAML 1.2\n---\na: yes\nb: 010\n", "f").value, { a: "yes", b: 10 });
});

/** So many levels in one another, by what makes them, and the most of them that are taken. */
const levels: readonly [string, number, (count: number) => string][] = [
  ["lists", 33, (count) => "[".repeat(count) + "]".repeat(count)],
  ["maps", 32, (count) => "{a: ".repeat(count) + "}".repeat(count)],
  ["aliases", 15, (count) => chain(count, (before) => `[*${before}]`)],
  ["merges", 15, (count) => chain(count, (before) => `{<<: *${before}}`)],
  ["lists of merges", 10, (count) => chain(count, (before) => `{<<: [*${before}]}`)],
];

function chain(count: number, next: (before: string) => string): string {
  const links = Array.from({ length: count }, (_, i) => `a${i + 1}: &a${i + 1} ${next(`a${i}`)}\n`);
  return `a0: &a0 {}\n${links.join("")}`;
}

Deno.test("parseConfigText() counts levels however they are made, and says so of the first one too many", () => {
  for (const [what, most, text] of levels) {
    assertEquals(parseConfigText(text(most), "f").findings, [], what);
    assertEquals(
      parseConfigText(text(most + 1), "f").findings.map(({ state }) => state),
      ["is nested more than 32 levels deep"],
      what,
    );
  }
  assertEquals(parseConfigText("[".repeat(60) + "]".repeat(60), "f").findings.length, 1);
});

Deno.test("parseConfigText() stops aliases that multiply", () => {
  const lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1]"];
  for (let i = 1; i <= 9; i++) lines.push(`a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join(",")}]`);
  const rendered = parseConfigText(lines.join("\n"), "f").findings.map(renderFinding);
  assertEquals(rendered.length, 1);
  assertStringIncludes(rendered[0]!, "makes more than 100000 values, must be smaller");
});

Deno.test("parseConfigText() stops maps that are merged again and again", () => {
  const lines = ["a0: &a0 {k: 1}"];
  for (let i = 1; i <= 9; i++) lines.push(`a${i}: &a${i} {<<: [${Array(9).fill(`*a${i - 1}`).join(",")}]}`);
  const rendered = parseConfigText(lines.join("\n"), "f").findings.map(renderFinding);
  assertEquals(rendered.length, 1);
  assertStringIncludes(rendered[0]!, "makes more than 100000 values, must be smaller");
});

Deno.test("parseConfigText() does not parse what is made of too many pieces", () => {
  assertEquals(parseConfigText("\n".repeat(250_000), "f").findings, []);
  assertEquals(parseConfigText("# ".repeat(250_000), "f").findings, []);
  for (const text of ["\n".repeat(250_001), "[" + ",".repeat(250_001), "a: 1\n".repeat(100_000)]) {
    assertEquals(parseConfigText(text, "f").findings.map(renderFinding), [
      "f is made of more than 250000 words, marks, blanks and line breaks, must be smaller (f)",
    ]);
  }
});

/** A thousand pairs that make no value, or none that is read. */
const idlePairs: readonly [what: string, pair: (i: number) => string][] = [
  ["keys alone", (i) => `k${i}`],
  ["keys written twice", () => "k: 1"],
  ["keys that are no names", () => "? [1] : 1"],
];

Deno.test("parseConfigText() stops maps whose pairs make no values, used again and again", () => {
  for (const [what, pair] of idlePairs) {
    const pairs = Array.from({ length: 1_000 }, (_, i) => pair(i)).join(", ");
    const { findings } = parseConfigText(`a: &a {${pairs}}\nb: [${Array(200).fill("*a").join(",")}]`, "f");
    assert(findings.length <= 100_001, what);
    const tooMany = findings.map(renderFinding).filter((line) =>
      line.includes("makes more than 100000 values")
    );
    assertEquals(tooMany.length, 1, what);
  }
});

Deno.test("parseConfigText() stops a map that is merged again and again, though it adds nothing any more", () => {
  const pairs = Array.from({ length: 1_000 }, (_, i) => `k${i}: 1`).join(",");
  const merged = (times: number) => {
    const text = `a: &a {${pairs}}\nb: {<<: [${Array(times).fill("*a").join(",")}]}`;
    return parseConfigText(text, "f").findings.map(renderFinding);
  };
  assertEquals(merged(90), []);
  const rendered = merged(100);
  assertEquals(rendered.length, 1);
  assertStringIncludes(rendered[0]!, "makes more than 100000 values, must be smaller");
});

Deno.test("parseConfigText() quotes nothing of a file that it cannot parse", () => {
  for (
    const text of [
      "a: hunter2: b",
      "a: 'hunter2",
      "- hunter2\nb",
      "a: !hunter2 x",
      "%hunter2 x\n---\na: @hunter2",
    ]
  ) {
    const tree = parseConfigText(text, "f");
    assert(tree.findings.length > 0, text);
    assert(!JSON.stringify(tree.findings).includes("hunter2"), text);
  }
});

Deno.test("loadConfig() gives a configuration or findings for any file", async () => {
  const piece = fc.constantFrom(
    "upstreams",
    "routes",
    "listen",
    "default",
    "endpoints",
    "http://a",
    ": ",
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!int ",
    "|",
    ">",
    "'",
    '"',
    "?",
    "<<",
    "~",
    "0x1",
    "1e999",
    ".nan",
    "---",
    "%YAML",
    "#",
    "\t",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.oneof(piece, fc.string())).map((parts) => parts.join("")),
  );
  await fc.assert(
    fc.asyncProperty(text, async (file) => {
      const result = await load({ file });
      assert(result.ok || result.findings.length > 0);
    }),
    { numRuns: 300 },
  );
});

Deno.test("loadConfig() gives a configuration or findings for any JSON value under its keys", async () => {
  const keys = fc.constantFrom(
    "upstreams",
    "routes",
    "listen",
    "accessLog",
    "trustedProxies",
    "default",
    "endpoints",
    "balance",
    "match",
    "host",
    "constructor",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, 0, -1, 1.5, true, "", "http://a", "default", "10.0.0.0/8", "*.a", [], {}),
      fc.dictionary(keys, tie("tree"), { maxKeys: 3 }),
      fc.array(tie("tree"), { maxLength: 3 }),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(keys, tree, { maxKeys: 4 }), async (value) => {
      const result = await load({ file: JSON.stringify(value) });
      assert(result.ok || result.findings.length > 0);
    }),
    { numRuns: 300 },
  );
});

Deno.test("loadConfig() reads the example that the documentation shows, and its JSON twin", async () => {
  const document = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));
  const example = /```yaml\n(.*?)```/s.exec(document)?.[1] ?? "";
  const { config } = await loaded({ file: example });
  assertEquals(Object.keys(config.upstreams), ["api", "pages"]);
  assertEquals(await refusals({ file: JSON.stringify(parseConfigText(example, "f").value) }), []);
});

Deno.test("loadConfig() refuses a file that is no map", async () => {
  for (const file of ["- a", "text", "12", "[]"]) {
    const [first = ""] = await refusals({ file });
    assertStringIncludes(first, "the configuration file holds no keys");
  }
});

Deno.test("parseConfigText() takes keys as they are written, also those that look like numbers", () => {
  const text = `{007: a, 1.10: b, 1e3: c, True: d, "0x10": e, 'f''s': g, "\\u0068": h, constructor: i}`;
  const keys = ["007", "1.10", "1e3", "True", "0x10", "f's", "h", "constructor"];
  assertEquals(Object.keys(parseConfigText(text, "weir.yaml").value as object), keys);
});
