// What an operator may say of a route: which requests it is for and what becomes of them.
//
// The matching itself is in `routing/`; this file only gives the shapes. With no routes written, every
// request goes to the upstream named `default`, or to the only one there is.

import { z } from "zod";
import {
  count,
  headerName,
  headerText,
  location,
  milliseconds,
  name,
  overridesOf,
  pathPattern,
  protocol,
  targetPath,
  token,
} from "./units.ts";
import { retrySchema, timeoutsSchema } from "./upstream_schema.ts";

const valueMatch = z.union([
  z.string().describe("Equal to this."),
  z.strictObject({ present: z.boolean().describe("true: with any value; false: only where it is absent.") })
    .describe("There, or not there."),
  z.strictObject({ prefix: z.string().min(1).describe("Begins with this.") }),
]);

const matchSchema = z.strictObject({
  host: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional()
    .describe("Exact name or `*.example.org` (one or more labels); several are alternatives."),
  path: pathPattern().optional()
    .describe("`/a` exactly; `/a/*` is /a and all below it; `/users/{id}/x` takes one segment for `{id}`."),
  method: z.array(token()).min(1).optional().describe(
    "Any of these, case-sensitive as in RFC 9110.",
  ),
  headers: z.record(headerName(), valueMatch).optional().describe(
    "By field name: equal to, present or beginning with.",
  ),
  query: z.record(z.string().min(1), valueMatch).optional().describe(
    "By parameter name: the same for the query.",
  ),
}).describe("All that is written must hold; what is not written matches everything.");

const headerEdits = z.strictObject({
  set: z.record(headerName(), headerText()).optional().describe("Replaces every line of that name."),
  add: z.record(headerName(), headerText()).optional().describe("One more line, whatever is there."),
  remove: z.array(headerName()).optional().describe("Takes every line of that name away."),
});

export const rateLimitSchema = z.strictObject({
  requestsPerSecond: z.number().positive().max(1_000_000).describe("Sustained rate per key, pod-wide."),
  burst: count(1, 1_000_000).optional().describe("Requests at once; default the rate of one second."),
  key: z.union([
    z.literal("client_address"),
    z.strictObject({ header: headerName().describe("Requests with the same value share a rate.") }),
  ]).default("client_address").describe(
    "Who has a rate of their own: each client address, or each value of a header. A request without that header, or " +
      "with several lines of it, counts by client address.",
  ),
}).describe("429 with Retry-After beyond it.");

export const routeSchema = z.strictObject({
  name: name().optional().describe("Label in metrics and explain. Default: made from the match."),
  match: matchSchema.prefault({}),
  upstream: name().optional().describe("Where matching requests go."),
  split: z.array(z.strictObject({
    upstream: name().describe("Where this share goes."),
    weight: z.int().min(0).max(10_000).describe("Share relative to the others; 0 gets nothing."),
  })).min(2).optional()
    .describe("Weighted split between upstreams (canary)."),
  splitSticky: z.boolean().default(false).describe(
    "A client stays on its side of the split (by client address).",
  ),
  redirect: z.strictObject({
    to: location().describe(
      "Location; `{path}` is the request's target, `{host}` its host. With `{query}` in it, too, `{path}` comes without the query.",
    ),
    status: z.union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)]).default(
      308,
    ).describe("308 keeps the method, and browsers remember it."),
  }).optional().describe("Answered by Weir: go elsewhere."),
  respond: z.strictObject({
    status: z.int().min(200).max(599).describe("Status of the answer."),
    body: z.string().default("").describe("Its content."),
    contentType: headerText().default("text/plain; charset=utf-8").describe("Its Content-Type."),
  }).optional().describe("Answered by Weir: always this."),
  rewrite: z.strictObject({
    stripPrefix: targetPath().optional().describe("`/api` makes `/api/users` into `/users`."),
    replacePrefix: z.strictObject({
      from: targetPath().describe("The prefix that is there."),
      to: targetPath().describe("What stands in its place."),
    }).optional().describe("One prefix for another; also how an origin gets a path prefix: from `/`."),
  }).optional().describe("The only way in which a target changes on its way."),
  requestHeaders: headerEdits.optional().describe("Edits on the way to the origin."),
  responseHeaders: headerEdits.optional().describe("Edits on the way to the client."),
  timeouts: overridesOf(timeoutsSchema).optional().describe("Override the upstream's."),
  retry: overridesOf(retrySchema.pick({ attemptsMax: true, onStatus: true, idempotencyKey: true })).optional()
    .describe("Override the upstream's."),
  rateLimit: rateLimitSchema.optional(),
  requestBodyBytesMax: z.int().min(0).optional().describe("Overrides limits.requestBodyBytesMax."),
  upgrade: z.array(protocol()).optional().describe(
    "Upgrade tokens that pass besides websocket (wire listener).",
  ),
  idleTunnelMs: milliseconds().optional().describe("Silence after which a WebSocket or tunnel is closed."),
}).describe("One kind of request and what becomes of it. Exactly one of upstream, split, redirect, respond.");

export type MatchConfig = z.infer<typeof matchSchema>;
export type RouteConfig = z.infer<typeof routeSchema>;
export type RateLimitConfig = z.infer<typeof rateLimitSchema>;
export type HeaderEdits = z.infer<typeof headerEdits>;
