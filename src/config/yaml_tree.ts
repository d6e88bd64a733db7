// Configuration text into plain values, with the line and column of each.
//
// YAML 1.2 and JSON through one parser. Aliases are followed here and not by the parser's `toJS`, so that
// there is one budget for all values, however they multiply, and each keeps the place where it was written.
// The parser asks the environment for LOG_TOKENS and LOG_STREAM, and with them would print the file, secrets
// and all: what runs Weir ignores both (--ignore-env=LOG_TOKENS,LOG_STREAM).

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Finding, PlaceOf, Problem } from "./findings.ts";
import { type Path, pathText } from "./path.ts";
import { noPlaces, placeIn, type Places } from "./provenance.ts";
import { tooManyLexemes } from "./yaml_size.ts";
import { syntaxFindings } from "./yaml_syntax.ts";

export interface ConfigTree {
  /** Maps, lists, text, numbers, booleans and null; an empty text is an empty map. */
  readonly value: unknown;
  readonly places: Places;
  readonly placeOf: PlaceOf;
  readonly findings: readonly Finding[];
}

export function makeTree(value: unknown, places: Places, findings: readonly Finding[] = []): ConfigTree {
  return { value, places, placeOf: (path, of) => placeIn(places, path, of), findings };
}

/** Values in all, counting each use of an alias: far more than any real configuration has. */
const VALUES_MAX = 100_000;
const DEPTH_MAX = 32;

/** Reads `text`; `file` only names the place. Never throws. */
export function parseConfigText(text: string, file: string): ConfigTree {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const tooLarge = tooManyLexemes(text);
  if (tooLarge !== undefined) {
    return makeTree({}, noPlaces(file), [{ ...tooLarge, subject: file, place: file }]);
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Quadratic in the number of keys there; checked here instead.
    uniqueKeys: false,
  });
  const reader = new TreeReader(at, file);
  const findings = syntaxFindings(document, file, at);
  if (findings.length > 0) return makeTree({}, noPlaces(file), findings);
  const value = document.contents === null ? {} : reader.read(document.contents as Node, [], 0);
  return makeTree(value ?? {}, reader.places, reader.findings);
}

interface Pair {
  readonly key: unknown;
  readonly value: unknown;
}

/** `<<` without quotes, as YAML 1.1 has it, also tagged `!!merge`, as yq writes it; in quotes it is a name. */
function isMerge({ key, value }: Pair): boolean {
  return isScalar(key) && key.source === "<<" && key.type === "PLAIN" && value !== null;
}

class TreeReader {
  readonly findings: Finding[] = [];
  readonly places: Places;
  private readonly anchors = new Map<string, Node>();
  /** What each alias stands for. An anchor may be written again, and an alias keeps the one above it. */
  private readonly targets = new Map<Node, Node | undefined>();
  private readonly open = new Set<Node>();
  private count = 0;

  constructor(private readonly at: (offset: number) => string, private readonly file: string) {
    this.places = noPlaces(file);
  }

  read(node: Node, path: Path, depth: number): unknown {
    if (!this.fits(node, path, depth)) return undefined;
    if (isAlias(node)) return this.follow(node, path, (target) => this.read(target, path, depth + 1));
    this.anchor(node);
    if (node.range) this.places.values.set(pathText(path), this.at(node.range[0]));
    if (isScalar(node)) return node.value;
    return this.within(node, () => {
      if (!isMap(node)) return this.list(node, path, depth);
      const map: Record<string, unknown> = {};
      this.fill(map, node.items, path, depth, false);
      return map;
    });
  }

  /** Counts one more value, and refuses one too many or too deep. */
  private fits(node: Node | null, path: Path, depth: number): boolean {
    this.count++;
    if (this.count === VALUES_MAX) {
      this.refuse(node, path, {
        state: `makes more than ${VALUES_MAX} values`,
        accepted: "must be smaller",
      });
    }
    if (this.count >= VALUES_MAX) return false;
    if (depth <= DEPTH_MAX) return true;
    this.refuse(node, path, { state: `is nested more than ${DEPTH_MAX} levels deep` });
    return false;
  }

  /** Each node is met first where it stands, and again through aliases: only there may anchors have moved on. */
  private anchor(node: Node): void {
    if (!("anchor" in node) || typeof node.anchor !== "string" || this.targets.has(node)) return;
    this.targets.set(node, node);
    this.anchors.set(node.anchor, node);
  }

  private targetOf(alias: Node & { source: string }): Node | undefined {
    if (!this.targets.has(alias)) this.targets.set(alias, this.anchors.get(alias.source));
    return this.targets.get(alias);
  }

  private follow<T>(alias: Node & { source: string }, path: Path, use: (target: Node) => T): T | undefined {
    const target = this.targetOf(alias);
    if (target === undefined) {
      const accepted = "must be in quotes if the * is part of a text";
      return this.refuse(alias, path, { state: "is an alias of an anchor that is not above it", accepted });
    }
    if (this.open.has(target)) {
      return this.refuse(alias, path, { state: "is an alias of what it stands in" });
    }
    return use(target);
  }

  private within<T>(node: Node, read: () => T): T {
    this.open.add(node);
    const value = read();
    this.open.delete(node);
    return value;
  }

  private list(node: Node, path: Path, depth: number): unknown[] {
    if (!isSeq(node)) return [];
    return node.items.map((item, index) => this.read(item as Node, [...path, index], depth + 1));
  }

  /** Puts the pairs of a map into `map`; of those that are `merged` into it, the ones that it does not have. */
  private fill(
    map: Record<string, unknown>,
    pairs: readonly Pair[],
    path: Path,
    depth: number,
    merged: boolean,
  ): void {
    const merges: Node[] = [];
    for (const pair of pairs) {
      if (isMerge(pair)) {
        merges.push(pair.value as Node);
        continue;
      }
      const isRead = this.put(map, pair, path, depth, merged);
      // What makes no value of its own takes its time all the same.
      if (!isRead && !this.fits(pair.key as Node | null, path, depth)) return;
    }
    for (const source of merges) this.merge(map, source, path, depth + 1);
  }

  /** Puts one pair into `map`. @returns whether its value was read, and counted with that */
  private put(map: Record<string, unknown>, pair: Pair, path: Path, depth: number, merged: boolean): boolean {
    const key = this.key(pair.key as Node | null, path);
    if (key === undefined) return false;
    const below = [...path, key];
    const offset = (pair.key as Node).range?.[0] ?? 0;
    if (Object.hasOwn(map, key)) {
      if (!merged) this.refuseRepeat(below, offset);
      return false;
    }
    this.places.keys.set(pathText(below), this.at(offset));
    map[key] = pair.value === null ? null : this.read(pair.value as Node, below, depth + 1);
    return pair.value !== null;
  }

  /** A merge key (`<<`): what is written beside it wins, and of several maps the first. */
  private merge(map: Record<string, unknown>, source: Node, path: Path, depth: number): void {
    if (!this.fits(source, path, depth)) return;
    if (isAlias(source)) this.follow(source, path, (target) => this.merge(map, target, path, depth + 1));
    else if (isMap(source)) {
      this.anchor(source);
      this.within(source, () => this.fill(map, source.items, path, depth, true));
    } else if (isSeq(source)) {
      for (const item of source.items) this.merge(map, item as Node, path, depth + 1);
    } else {
      const accepted = "must be an alias of a map, or a list of those";
      this.refuse(source, path, { state: "merges (<<) what is no map", accepted });
    }
  }

  private key(node: Node | null, path: Path): string | undefined {
    if (node === null) return undefined;
    this.anchor(node);
    const target = isAlias(node) ? this.targetOf(node) : node;
    if (isScalar(target) && target.value !== null && target.value !== "__proto__") {
      // As it is written: 007 and 1.10 are names here, not numbers.
      return target.source ?? String(target.value);
    }
    this.refuse(node, path, {
      state: "has a key that is no name",
      accepted: "must have keys of plain text",
    });
    return undefined;
  }

  private refuseRepeat(path: Path, offset: number): void {
    this.findings.push({
      subject: pathText(path),
      state: "is written twice",
      accepted: `must be written once (first at ${placeIn(this.places, path, "key")})`,
      place: this.at(offset),
    });
  }

  private refuse(node: Node | null, path: Path, problem: Problem): undefined {
    const subject = path.length === 0 ? this.file : pathText(path);
    this.findings.push({ ...problem, subject, place: this.at(node?.range?.[0] ?? 0) });
  }
}
