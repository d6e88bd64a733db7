// What an operator may say of an upstream: its endpoints and the policies that choose among them.
//
// Every limit has its unit last, a range, a default and the reason for the default in its description;
// `docs/configuration.md` holds the same keys and a test compares the two. Endpoint addresses are strings
// here and become an `EndpointAddress` in `endpoint_url.ts`.

import { z } from "zod";
import {
  authority,
  bytes,
  cookieName,
  count,
  fixedAuthority,
  headerName,
  milliseconds,
  percent,
  statusRange,
  targetPath,
  token,
} from "./units.ts";

const hashKey = z.union([
  z.literal("client_address"),
  z.literal("path"),
  z.strictObject({
    header: headerName().describe(
      "The value of this header; several lines of it count as one, joined by `, `.",
    ),
  }),
  z.strictObject({ cookie: cookieName().describe("The value of this cookie.") }),
  z.strictObject({ query: z.string().min(1).describe("The value of this query parameter.") }),
]);

export const balanceSchema = z.strictObject({
  policy: z.enum(["round_robin", "least_request", "peak_ewma", "consistent_hash"]).default("round_robin")
    .describe("How an endpoint is chosen. round_robin: exact turns over all workers, by weight."),
  choices: z.union([count(2, 64), z.literal("all")]).default(2)
    .describe("least_request and peak_ewma: distinct random endpoints compared; `all` scans every endpoint."),
  decayMs: milliseconds(100, 600_000).default(10_000)
    .describe("peak_ewma: time constant in which an old latency loses its weight."),
  hashOn: hashKey.default("client_address")
    .describe("consistent_hash: what decides. A request without the named value is placed by least_request."),
  boundPercent: z.int().min(100).max(1000).default(125)
    .describe("consistent_hash: most load of one endpoint, in percent of the mean (bounded load)."),
}).describe("How an endpoint is chosen for a request.");

export const slowStartSchema = z.strictObject({
  windowMs: milliseconds(0).default(10_000)
    .describe("Time in which a joined or recovered endpoint ramps up to its weight; 0 is off."),
  startPercent: percent(1).default(10).describe("Share of its weight that the ramp starts with."),
}).describe("Ramp for endpoints that joined or came back; not when a group goes from none to one.");

export const stickySchema = z.strictObject({
  cookie: token().default("weir_affinity")
    .describe("Cookie that carries the signed endpoint."),
  maxAgeS: z.int().min(0).max(31_536_000).default(0).describe("Cookie lifetime; 0 is a session cookie."),
  secure: z.boolean().default(false).describe("Send the cookie over TLS only."),
  sameSite: z.enum(["Strict", "Lax", "None"]).default("Lax").describe("SameSite attribute."),
}).describe(
  "Keep a client at one endpoint by a signed cookie. The key is `stickyKeyFile` or WEIR_STICKY_KEY.",
);

export const healthSchema = z.strictObject({
  kind: z.enum(["tcp", "http", "off"]).optional()
    .describe("tcp: connect; http: GET `path`. Default: http when a path is given, else tcp."),
  path: targetPath().optional().describe("Target of the HTTP check."),
  host: authority().optional().describe(
    "Host header of the check. Default: the endpoint's authority.",
  ),
  expect: z.array(statusRange()).min(1).default(["200-399"]).describe(
    'Statuses that pass: `"200"`, `"2xx"` or `"200-399"`, in quotes.',
  ),
  intervalMs: milliseconds(100).default(2_000).describe("Time between two checks of one endpoint."),
  changingIntervalMs: milliseconds(50).default(500)
    .describe("Interval while an endpoint is between states: quick to confirm what changed."),
  timeoutMs: milliseconds(10).default(1_000).describe("A check that takes longer fails."),
  jitterPercent: percent(0, 50).default(10).describe("Random part of the interval, against waves of checks."),
  fall: count(1, 100).default(3).describe("Consecutive failures that make an endpoint unhealthy."),
  rise: count(1, 100).default(2).describe("Consecutive passes that make it healthy again."),
  firstCheck: z.enum(["wait", "assume_healthy"]).default("wait")
    .describe(
      "wait: an endpoint that joins takes no traffic before its first pass, unless none has passed yet.",
    ),
}).describe("Active checks, made once per pod by the control plane.");

export const ejectionSchema = z.strictObject({
  enabled: z.boolean().default(true).describe("Take endpoints out that fail real requests."),
  consecutiveFailures: count(1, 1000).default(5).describe("Gateway failures in a row that eject."),
  failurePercent: percent(1, 100).default(85)
    .describe(
      "Failure share of one endpoint in an interval that ejects, if the group stays below half of it.",
    ),
  requestsMin: count(1, 100_000).default(20).describe(
    "Requests in an interval below which the share says nothing.",
  ),
  intervalMs: milliseconds(100).default(1_000).describe("How often shares are judged."),
  baseMs: milliseconds(100).default(30_000).describe(
    "First ejection; the n-th in a row lasts n times as long. This long without another takes one off the row.",
  ),
  capMs: milliseconds(100).default(300_000).describe("Longest ejection."),
  ejectedPercentMax: percent(0, 100).default(50).describe("Largest share of the group that may be out."),
}).describe("Passive checks: endpoints are judged by the traffic they fail.");

export const retrySchema = z.strictObject({
  attemptsMax: count(1, 10).default(3).describe("Attempts in all, the first included."),
  onStatus: z.array(z.union([z.literal(502), z.literal(503), z.literal(504)])).default([])
    .describe(
      "Statuses that are tried elsewhere (idempotent requests only). Default none: they may be meant.",
    ),
  idempotencyKey: z.boolean().default(false)
    .describe("Treat a request with an Idempotency-Key header as idempotent."),
  budgetPercent: percent(0, 100).default(20).describe("Retries allowed per 100 requests."),
  budgetMinPerSecond: z.int().min(0).max(10_000).default(3).describe(
    "Retries allowed per second in any case.",
  ),
  budgetReserve: z.int().min(0).max(10_000).default(10).describe("Retries saved up for a burst."),
  backoffBaseMs: milliseconds(0, 60_000).default(25).describe("Full jitter: a random wait below base x 2^n."),
  backoffCapMs: milliseconds(0, 60_000).default(250).describe("Longest wait before a retry."),
  bodyKeptBytesMax: bytes(0, 1_048_576).default(65_536)
    .describe("A request body up to this size is kept so that it can be sent again."),
}).describe(
  "Second chances. What sent nothing is free; what may have been processed needs an idempotent method.",
);

export const timeoutsSchema = z.strictObject({
  connectMs: milliseconds().default(2_000).describe("TCP connection to an endpoint."),
  tlsHandshakeMs: milliseconds().default(5_000).describe("TLS handshake with an endpoint."),
  responseHeadMs: milliseconds().default(30_000).describe(
    "From the request sent to the response head: else 504.",
  ),
  responseBodyIdleMs: milliseconds().default(60_000).describe("Silence within a response body."),
  requestBodyIdleMs: milliseconds().default(60_000).describe("Silence within a request body: 408."),
  attemptMs: milliseconds(0).default(0).describe("One attempt up to its response head; 0 is off."),
  requestMs: milliseconds(0).default(0).describe("The whole request with all attempts; 0 is off."),
}).describe("Every wait has a name.");

const poolSchema = z.strictObject({
  idlePerEndpointMax: z.int().min(0).max(10_000).default(128)
    .describe("Idle connections kept per endpoint and worker; 0 makes a connection per request."),
  idleMs: milliseconds().default(4_000)
    .describe(
      "An idle connection is retired after this, below the 5 s of common application servers, until learned.",
    ),
  lifetimeMs: milliseconds(1_000).default(3_600_000).describe("A connection is not reused after this."),
}).describe("Kept connections to endpoints.");

const upstreamLimitsSchema = z.strictObject({
  inFlightPerEndpointMax: z.int().min(0).default(0).describe(
    "Requests at once per endpoint, pod-wide; 0 is no limit.",
  ),
  queueMax: z.int().min(0).max(100_000).default(1_024).describe(
    "Requests that wait for an endpoint, pod-wide.",
  ),
  queueTimeoutMs: milliseconds().default(5_000).describe(
    "Longest wait in the queue: 503, and a sticky client moves.",
  ),
  responseHeadBytesMax: bytes(1_024, 1_048_576).default(65_536).describe("Largest response head: else 502."),
}).describe("What an upstream is spared.");

const upstreamTlsSchema = z.strictObject({
  caFile: z.string().min(1).optional().describe("PEM certificates to trust besides the built-in roots."),
  serverName: z.string().min(1).optional().describe(
    "SNI and verified name. Default: the host as it is written in the address.",
  ),
  certFile: z.string().min(1).optional().describe("Client certificate (PEM)."),
  keyFile: z.string().min(1).optional().describe("Key of the client certificate (PEM)."),
}).describe("TLS towards `https://` endpoints; verification is always on.");

export const discoverySchema = z.strictObject({
  intervalMs: milliseconds(100).default(5_000).describe("DNS: time between two resolutions."),
  timeoutMs: milliseconds(10).default(2_000).describe("DNS: one resolution."),
  jitterPercent: percent(0, 50).default(10).describe("DNS: random part of the interval."),
  nameServer: z.string().optional().describe("DNS: `address[:port]` to ask instead of the system's."),
}).describe("How `dns+http://` addresses are resolved again.");

const endpointObject = z.strictObject({
  url: z.string().min(1).describe(
    "`http://host:port`, `https://`, `dns+http://name:port` or `k8s://service[.namespace]:port`.",
  ),
  weight: z.int().min(1).max(1_000).optional().describe(
    "Share of the traffic relative to the others; default 1.",
  ),
  backup: z.boolean().optional().describe(
    "Helps while fewer than `panicPercent` of the others can be used, and where all others failed a request.",
  ),
  drain: z.boolean().optional().describe("Takes no new clients; sticky ones leave as their sessions end."),
});

export const upstreamSchema = z.strictObject({
  endpoints: z.array(z.union([z.string().min(1), endpointObject])).min(1).describe("Addresses of the group."),
  balance: z.preprocess((v) => typeof v === "string" ? { policy: v } : v, balanceSchema.prefault({})),
  whenAllUnhealthy: z.enum(["panic", "fail"]).default("panic")
    .describe(
      "panic: below `panicPercent` of usable endpoints use all, unless a backup serves, and retry where health is good; fail: 503 with Retry-After.",
    ),
  panicPercent: percent(0, 100).default(50).describe("Share of usable endpoints below which panic starts."),
  hostHeader: z.enum(["client", "endpoint"]).or(fixedAuthority()).default("client")
    .describe("Host sent upstream: the client's, the endpoint's authority, or a fixed `=name`."),
  slowStart: slowStartSchema.prefault({}),
  sticky: stickySchema.optional(),
  health: healthSchema.prefault({}),
  ejection: ejectionSchema.prefault({}),
  retry: retrySchema.prefault({}),
  timeouts: timeoutsSchema.prefault({}),
  pool: poolSchema.prefault({}),
  limits: upstreamLimitsSchema.prefault({}),
  tls: upstreamTlsSchema.prefault({}),
  discovery: discoverySchema.prefault({}),
}).describe("A group of endpoints that serve the same thing.");

export type UpstreamConfig = z.infer<typeof upstreamSchema>;
export type BalanceConfig = z.infer<typeof balanceSchema>;
export type SlowStartConfig = z.infer<typeof slowStartSchema>;
export type StickyConfig = z.infer<typeof stickySchema>;
export type HealthConfig = z.infer<typeof healthSchema>;
export type EjectionConfig = z.infer<typeof ejectionSchema>;
export type RetryConfig = z.infer<typeof retrySchema>;
export type TimeoutsConfig = z.infer<typeof timeoutsSchema>;
export type PoolConfig = z.infer<typeof poolSchema>;
export type UpstreamLimitsConfig = z.infer<typeof upstreamLimitsSchema>;
export type UpstreamTlsConfig = z.infer<typeof upstreamTlsSchema>;
export type DiscoveryConfig = z.infer<typeof discoverySchema>;
