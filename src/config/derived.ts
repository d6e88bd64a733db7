// What follows from a configuration's values: for those who use one and do not validate it.
//
// Pure, and apart from the schema, which only the thread that validates a configuration loads.

import type { Config, HealthConfig, RouteConfig } from "./schema.ts";

/** Each pick adds up what every worker has under way: with more of them it costs more than they bring. */
export const WORKERS_MAX = 64;

/** How many event loops a configuration asks for on a machine with so many cores. */
export function workersOf({ workers }: Pick<Config, "workers">, cores: number): number {
  return workers ?? Math.min(cores, WORKERS_MAX);
}

/** Names of the upstreams that a route sends to: several where it splits, none where it answers by itself. */
export function upstreamsOf({ upstream, split = [] }: RouteConfig): string[] {
  return upstream === undefined ? split.map((side) => side.upstream) : [upstream];
}

/** How endpoints are checked: as it is written, else by HTTP where there is a path to ask for. */
export function checkKind({ kind, path }: Pick<HealthConfig, "kind" | "path">): "tcp" | "http" | "off" {
  return kind ?? (path === undefined ? "tcp" : "http");
}

/** The first and the last status of a range: `200`, `2xx`, `200-399`, `2xx-399`. */
export function statusBounds(range: string): readonly [from: number, to: number] {
  const [low = "", high = low] = range.split("-");
  return [Number(low.replaceAll("x", "0")), Number(high.replaceAll("x", "9"))];
}

/** Keys of `listen` that only the listener `wire` goes by: their description in the schema begins with `wire:`. */
export const WIRE_KEYS = [
  "proxyProtocol",
  "headReadMs",
  "keepAliveIdleMs",
  "bodyBytesPerSecondMin",
  "headBytesMax",
  "headerLinesMax",
  "connectionsMax",
  "connectionsPerAddressMax",
] as const satisfies readonly (keyof Config["listen"])[];
