// Routes and request heads for the tests of routing, in as few words as they need.

import { type RouteConfig, routeSchema } from "../../src/config/route_schema.ts";
import type { RequestHead } from "../../src/exchange.ts";
import type { RouteSnapshot } from "../../src/messages.ts";
import { requestHead } from "../support/request_head.ts";

type MatchInput = RouteConfig["match"];

/** One route per match, named by its key; each goes to an upstream of the same name. */
export function routesOf(matches: Record<string, MatchInput>): RouteSnapshot[] {
  return Object.entries(matches).map(([name, match], row) => ({
    ...routeSchema.parse({ name, match, upstream: "u" }),
    name,
    row,
  }));
}

/** `GET example.org/a?b=c` as a request head; header lines as a flat list. */
export function request(line: string, headers: string[] = []): RequestHead {
  const [method, url] = line.split(" ") as [string, string];
  const cut = url.search(/[/*]/);
  return requestHead({ method, target: url.slice(cut), authority: url.slice(0, cut), headers });
}
