// Configuration text into plain values, with the line and column of each.
//
// YAML 1.2 and JSON through one parser. Aliases are followed here and not by the parser's `toJS`, so that
// there is one budget for all values, however they multiply, and each keeps the place where it was written.
// The parser asks the environment for LOG_TOKENS and LOG_STREAM, and with them would print the file, secrets
// and all: what runs Weir ignores both (--ignore-env=LOG_TOKENS,LOG_STREAM).

import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Finding, Problem } from "./findings.ts";
import { type Path, pathText } from "./path.ts";
import type { PlaceOf } from "./shape.ts";

export interface ConfigTree {
  /** Maps, lists, text, numbers, booleans and null; an empty text is an empty map. */
  readonly value: unknown;
  readonly placeOf: PlaceOf;
  readonly findings: readonly Finding[];
}

/** Values in all, counting each use of an alias: far more than any real configuration has. */
const valuesMax = 100_000;
const depthMax = 32;
/** One mistake often leads the parser to more; the first few show where. */
const syntaxFindingsMax = 5;

/** Reads `text`; `file` only names the place. Never throws. */
export function parseConfigText(text: string, file: string): ConfigTree {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Quadratic in the number of keys there; checked here instead.
    uniqueKeys: false,
    logLevel: "error",
  });
  const reader = new TreeReader(at, file);
  const findings = syntaxFindings(document, file, at);
  if (findings.length > 0) return { value: {}, placeOf: reader.placeOf, findings };
  const value = document.contents === null ? {} : reader.read(document.contents as Node, [], 0);
  return { value: value ?? {}, placeOf: reader.placeOf, findings: reader.findings };
}

function syntaxFindings(document: Document.Parsed, file: string, at: (offset: number) => string): Finding[] {
  const byPlace = new Map<string, Finding>();
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    const place = at(pos[0]);
    const state = `is not valid YAML: ${syntaxWords[code] ?? "it cannot be read from here on"}`;
    if (!byPlace.has(place)) byPlace.set(place, { subject: file, state, place });
  }
  return [...byPlace.values()].slice(0, syntaxFindingsMax);
}

/** The parser's error codes in words that quote nothing of the file, which may hold secrets. */
const syntaxWords: Readonly<Record<string, string>> = {
  BAD_ALIAS: "an alias has no name",
  BAD_DIRECTIVE: "a % directive is not known",
  BAD_DQ_ESCAPE: 'a \\ escape in a "quoted" text is not known',
  BAD_INDENT: "the indentation does not fit the lines above, or a bracket is not closed",
  BAD_SCALAR_START: "a text starts with a reserved character and must be quoted",
  BLOCK_AS_IMPLICIT_KEY: "a key stands deeper than the line above allows, or a second colon needs quotes",
  BLOCK_IN_FLOW: "a block stands inside brackets",
  MISSING_CHAR: "a closing quote, bracket, comma or colon is missing",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line, followed by a colon",
  MULTIPLE_DOCS: "it holds several documents (---) and may hold one",
  RESOURCE_EXHAUSTION: "it is nested too deeply",
  TAB_AS_INDENT: "lines are indented by tabs; YAML takes spaces",
  TAG_RESOLVE_FAILED: "a !tag is not known, or does not fit its value",
  UNEXPECTED_TOKEN: "something stands where no text can be",
};

class TreeReader {
  readonly findings: Finding[] = [];
  readonly #values = new Map<string, number>();
  readonly #keys = new Map<string, number>();
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #count = 0;

  constructor(private readonly at: (offset: number) => string, private readonly file: string) {}

  /** The place of a value or key, or of the closest thing above it that was written. */
  readonly placeOf: PlaceOf = (path, of = "value") => {
    const text = pathText(path);
    const [key, value] = [this.#keys.get(text), this.#values.get(text)];
    const offset = of === "key" ? key ?? value : value ?? key;
    if (offset !== undefined) return this.at(offset);
    if (path.length > 1) return this.placeOf(path.slice(0, -1), "key");
    return this.#values.size === 0 ? this.file : this.at(0);
  };

  read(node: Node, path: Path, depth: number): unknown {
    this.#count++;
    if (this.#count === valuesMax) {
      this.#refuse(node, path, { state: `makes more than ${valuesMax} values`, accepted: "must be smaller" });
    }
    if (this.#count >= valuesMax) return undefined;
    if (depth > depthMax) {
      return this.#refuse(node, path, { state: `is nested more than ${depthMax} levels deep` });
    }
    if (isAlias(node)) return this.#follow(node, path, depth);
    if ("anchor" in node && typeof node.anchor === "string") this.#anchors.set(node.anchor, node);
    if (node.range) this.#values.set(pathText(path), node.range[0]);
    if (isScalar(node)) return node.value;
    this.#open.add(node);
    const value = isMap(node) ? this.#map(node.items, path, depth) : this.#list(node, path, depth);
    this.#open.delete(node);
    return value;
  }

  #follow(node: Node & { source: string }, path: Path, depth: number): unknown {
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      return this.#refuse(node, path, { state: "is an alias of an anchor that is not above it" });
    }
    if (this.#open.has(target)) {
      return this.#refuse(node, path, { state: "is an alias of what it stands in" });
    }
    return this.read(target, path, depth + 1);
  }

  #list(node: Node, path: Path, depth: number): unknown[] {
    if (!isSeq(node)) return [];
    return node.items.map((item, index) => this.read(item as Node, [...path, index], depth + 1));
  }

  #map(pairs: readonly { key: unknown; value: unknown }[], path: Path, depth: number) {
    const map: Record<string, unknown> = {};
    for (const pair of pairs) {
      const key = this.#key(pair.key as Node, path);
      if (key === undefined) continue;
      const below = [...path, key];
      const offset = (pair.key as Node).range?.[0] ?? 0;
      if (Object.hasOwn(map, key)) {
        this.findings.push({
          subject: pathText(below),
          state: "is written twice",
          accepted: `must be written once (first at ${this.placeOf(below, "key")})`,
          place: this.at(offset),
        });
        continue;
      }
      this.#keys.set(pathText(below), offset);
      map[key] = pair.value === null ? null : this.read(pair.value as Node, below, depth + 1);
    }
    return map;
  }

  #key(node: Node | null, path: Path): string | undefined {
    const target = node !== null && isAlias(node) ? this.#anchors.get(node.source) : node;
    if (isScalar(target) && target.value !== null && target.value !== "__proto__") {
      // As it is written: 007 and 1.10 are names here, not numbers.
      return target.source ?? String(target.value);
    }
    if (node === null) return undefined;
    this.#refuse(node, path, {
      state: "has a key that is no name",
      accepted: "must have keys of plain text",
    });
    return undefined;
  }

  #refuse(node: Node, path: Path, problem: Problem): undefined {
    const subject = path.length === 0 ? this.file : pathText(path);
    this.findings.push({ ...problem, subject, place: this.at(node.range?.[0] ?? 0) });
  }
}
