// What a new configuration changes, in words for the log: one phrase for each key that differs.
//
// Pure. Lists are told by what joined and what left them; values that may be secret are not printed.

import { firstOf, type PlaceOf, showValue, withoutUserinfo } from "./findings.ts";
import type { Loaded } from "./loading.ts";
import { isMap, type Path, pathText, valueAt } from "./path.ts";
import { routeName } from "../routing/default_route.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { Config } from "./schema.ts";
import { renderOrigin } from "./sources.ts";

/** What only a new process can take over: its sockets and threads. */
const FIXED_KEYS = ["listen", "admin", "workers"] as const;

/** A configuration and where its values came from. */
type Described = Pick<Loaded, "config" | "origins" | "placeOf">;

/** Differences from one configuration to the next; empty when they mean the same. */
export function configDiff(before: Config, after: Config): string[] {
  return differences(before, after, []);
}

/** The part of the differences that takes a restart: those under `listen`, `admin` and `workers`. */
export function fixedDiff(before: Config, after: Config): string[] {
  return FIXED_KEYS.flatMap((key) => differences(before[key], after[key], [key]));
}

/** `after` with what is fixed taken from `before`: what a running pod can take over. */
export function withFixedOf<T extends Described>(before: Pick<Loaded, "config">, after: T): T {
  const { listen: _listen, admin: _admin, workers: _workers, ...rest } = after.config;
  const { listen, admin, workers } = before.config;
  const fixed = { listen, admin, ...(workers === undefined ? {} : { workers }) };
  const origins = new Map(after.origins);
  for (const path of differingLeaves(fixed, after.config, [])) origins.set(pathText(path), { kind: "kept" });
  const placeOf: PlaceOf = (path, of) => {
    const origin = origins.get(pathText(path));
    return origin?.kind === "kept" ? renderOrigin(origin) : after.placeOf(path, of);
  };
  return { ...after, config: { ...fixed, ...rest }, origins, placeOf };
}

/** Where `before` has a value that `after` does not have. */
function differingLeaves(before: unknown, after: unknown, path: Path): Path[] {
  if (isMap(before)) {
    return Object.entries(before).flatMap(([key, value]) => differingLeaves(value, after, [...path, key]));
  }
  return same(before, valueAt(after, path)) ? [] : [path];
}

function differences(before: unknown, after: unknown, path: Path): string[] {
  if (same(before, after)) return [];
  const name = pathText(path);
  if (before === undefined) return [`${name} added${valueWords(after, path)}`];
  if (after === undefined) return [`${name} removed`];
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(valueAt(before, [key]), valueAt(after, [key]), [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after)) return listDifferences(before, after, path);
  return [`${name}: ${showValue(before, path)} -> ${showValue(after, path)}`];
}

/** Lists have thousands of items: each is looked at once, and found by its text or its key. */
function listDifferences(before: readonly unknown[], after: readonly unknown[], path: Path): string[] {
  const joined = without(after, before);
  const left = without(before, after);
  const olds = firstByKey(left);
  const news = firstByKey(joined);
  const changed = joined.filter((item) => olds.has(itemKey(item)));
  const isRest = (item: unknown) => !(olds.has(itemKey(item)) && news.has(itemKey(item)));
  const phrases = [
    ...changed.flatMap((item) => {
      const old = olds.get(itemKey(item));
      return differences(old, item, typeof item === "string" ? path : [...path, itemWords(item)]);
    }),
    ...words("added", joined.filter(isRest).map(itemWords), path),
    ...words("removed", left.filter(isRest).map(itemWords), path),
  ];
  return phrases.length > 0 ? phrases : [`${pathText(path)}: in another order`];
}

function without(items: readonly unknown[], others: readonly unknown[]): unknown[] {
  const texts = new Set(others.map((other) => JSON.stringify(other)));
  return items.filter((item) => !texts.has(JSON.stringify(item)));
}

/** The first item of each key. */
function firstByKey(items: readonly unknown[]): Map<string, unknown> {
  return new Map(items.toReversed().map((item) => [itemKey(item), item]));
}

function words(verb: string, items: readonly string[], path: Path): string[] {
  return items.length === 0 ? [] : [`${pathText(path)}: ${verb} ${firstOf(items).join(", ")}`];
}

/**
 * By what an item stays the same item when it changes: an endpoint by its address, without its parameters, a side of a
 * split by its upstream, a route without a name by all of its match.
 */
function itemKey(item: unknown): string {
  const words = itemWords(item);
  if (typeof item === "string") return words.split(";", 1)[0]!;
  return isMap(item) && isMap(item["match"]) && item["name"] === undefined
    ? JSON.stringify(item["match"])
    : words;
}

/** An item of a list by the name that people know it by. */
function itemWords(item: unknown): string {
  if (typeof item === "string") return withoutUserinfo(item);
  if (!isMap(item)) return showValue(item);
  const { name, url, match, upstream } = item;
  if (typeof name === "string") return name;
  if (typeof url === "string") return withoutUserinfo(url);
  if (match !== undefined) return routeName(item as RouteConfig);
  return typeof upstream === "string" ? upstream : JSON.stringify(item);
}

function valueWords(value: unknown, path: Path): string {
  return isMap(value) || Array.isArray(value) ? "" : `: ${showValue(value, path)}`;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
