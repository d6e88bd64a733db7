// The entries of one host, found by path: one step per segment, so that hundreds of routes cost as much as
// a few. A literal segment is looked up, a `{name}` is tried beside it; of all that match, the entry of the
// lowest rank wins. Never deeper than the longest pattern, however long the target.

import { actualValue, type Condition, conditionTakes } from "./conditions.ts";
import type { RequestHead } from "../exchange.ts";
import type { Entry } from "./precedence.ts";
import type { PathPattern } from "./path_pattern.ts";

interface Node {
  literals: Map<string, Node> | null;
  parameter: Node | null;
  /** Patterns that end here. */
  readonly closed: Entry[];
  /** Patterns that end here and go on with a star. */
  readonly open: Entry[];
}

export class PathTrie {
  private readonly root = node();
  private readonly pathless: Entry[] = [];
  // State of one search. A search never waits, so one set of fields serves all.
  private head!: RequestHead;
  private path = "";
  private end = 0;
  private best: Entry | null = null;
  /** What the last condition looked at, and what is there: thousands of routes of one path may look at the same. */
  private lookedAt: Condition | null = null;
  private seen: string | undefined;
  /** True when the last `find` came upon an entry that only its method kept from matching. */
  methodMissed = false;

  /** `entries` in order of rank; `patternOf` gives the path to file each one under. */
  constructor(entries: readonly Entry[], patternOf: (entry: Entry) => PathPattern | null) {
    for (const entry of entries) this.add(entry, patternOf(entry));
  }

  /** The first matching entry. The path is `path` up to `end`; all else is taken from `head`. */
  find(head: RequestHead, path: string, end: number): Entry | null {
    this.head = head;
    this.path = path;
    this.end = end;
    this.best = null;
    this.methodMissed = false;
    if (path.charCodeAt(0) === 0x2f) this.walk(this.root, 1);
    this.consider(this.pathless);
    this.lookedAt = null;
    this.seen = undefined;
    return this.best;
  }

  private walk(at: Node, from: number): void {
    this.consider(at.open);
    if (from > this.end) return this.consider(at.closed);
    if (at.literals === null && at.parameter === null) return;
    const slash = this.path.indexOf("/", from);
    const to = slash < 0 || slash > this.end ? this.end : slash;
    const literal = at.literals?.get(this.path.slice(from, to));
    if (literal !== undefined) this.walk(literal, to + 1);
    if (at.parameter !== null && to > from) this.walk(at.parameter, to + 1);
  }

  private consider(entries: readonly Entry[]): void {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (this.best !== null && this.best.rank < entry.rank) return;
      if (!this.allHold(entry)) continue;
      if (entry.methods === null || entry.methods.includes(this.head.method)) this.best = entry;
      else this.methodMissed = true;
    }
  }

  private allHold({ conditions }: Entry): boolean {
    for (let i = 0; i < conditions.length; i++) if (!this.holds(conditions[i]!)) return false;
    return true;
  }

  private holds(condition: Condition): boolean {
    const { lookedAt } = this;
    if (lookedAt === null || lookedAt.name !== condition.name || lookedAt.on !== condition.on) {
      this.lookedAt = condition;
      this.seen = actualValue(condition, this.head);
    }
    return conditionTakes(condition, this.seen);
  }

  private add(entry: Entry, pattern: PathPattern | null): void {
    if (pattern === null) {
      this.pathless.push(entry);
      return;
    }
    let at = this.root;
    for (const segment of pattern.segments) {
      at = segment === null ? at.parameter ??= node() : childOf(at, segment);
    }
    (pattern.open ? at.open : at.closed).push(entry);
  }
}

function childOf(at: Node, segment: string): Node {
  const literals = at.literals ??= new Map();
  let child = literals.get(segment);
  if (child === undefined) literals.set(segment, child = node());
  return child;
}

function node(): Node {
  return { literals: null, parameter: null, closed: [], open: [] };
}
