// The whole configuration as one schema: every key an operator can write, its unit, range and default.
//
// `validate.ts` fills it from flags, environment and file; `docs/configuration.md`, the JSON Schema for editors
// and `weir check` are made from it. Nothing else in Weir has a default of its own.

import { z } from "zod";
import { WORKERS_MAX } from "./derived.ts";
import { bytes, count, headerName, milliseconds, name, port, targetPath, token } from "./units.ts";
import { routeSchema } from "./route_schema.ts";
import { upstreamSchema } from "./upstream_schema.ts";

export * from "./route_schema.ts";
export * from "./upstream_schema.ts";

const listenTlsSchema = z.strictObject({
  certFile: z.string().min(1).describe("Certificate chain (PEM)."),
  keyFile: z.string().min(1).describe("Private key (PEM)."),
  redirectPort: port().optional().describe("A plain-text listener that redirects to https."),
  redirectToPort: port().default(443).describe(
    "Port in the redirect's Location: where clients reach `port`, 443 behind a Service.",
  ),
  hstsMaxAgeS: z.int().min(0).default(0).describe("Strict-Transport-Security max-age on answers; 0 is off."),
}).describe("TLS towards clients.");

export const listenSchema = z.strictObject({
  host: z.string().min(1).default("0.0.0.0").describe("Address to listen on; `::` listens dual-stack."),
  port: port(0).default(3000).describe("Port for traffic."),
  listener: z.enum(["serve", "wire"]).default("serve")
    .describe("serve: Deno.serve (HTTP/1.1, HTTP/2, TLS); wire: Weir's own HTTP/1.1 server."),
  tls: listenTlsSchema.optional(),
  readyPath: targetPath().optional()
    .describe("Path on the traffic port that answers like /readyz, for cloud load balancers."),
  proxyProtocol: z.boolean().default(false).describe(
    "wire: expect the PROXY header from trusted proxies; not with TLS.",
  ),
  headReadMs: milliseconds().default(10_000).describe("wire: a request head must be complete by then: 408."),
  keepAliveIdleMs: milliseconds().default(75_000).describe(
    "wire: an idle client connection is closed; more than a proxy in front keeps its own.",
  ),
  bodyBytesPerSecondMin: z.int().min(0).default(240).describe(
    "wire: slowest request body after a grace; 0 is off.",
  ),
  headBytesMax: bytes(1_024, 1_048_576).default(32_768).describe("wire: largest request head: 431."),
  headerLinesMax: count(1, 10_000).default(128).describe("wire: most header lines: 431."),
  connectionsMax: count(1).default(10_000).describe("wire: client connections per worker."),
  connectionsPerAddressMax: z.int().min(0).default(0).describe(
    "wire: per worker and client address, that of a PROXY header where there is one; other connections of `trustedProxies` do not count. 0 is off.",
  ),
  connectionLifetimeMs: milliseconds(0).default(300_000)
    .describe("Answers ask the client to reconnect after this, so that new pods get their share; 0 is off."),
  connectionRequestsMax: z.int().min(0).default(10_000).describe(
    "The same after this many requests; 0 is off.",
  ),
}).describe("Where clients connect.");

export const adminSchema = z.strictObject({
  host: z.string().min(1).default("0.0.0.0").describe("Address of probes, metrics and dashboard."),
  port: port(0).default(9901).describe("Port of probes, metrics and dashboard; read-only."),
}).describe("The operators' server.");

const limitsSchema = z.strictObject({
  inFlightMax: count(1).default(10_000).describe("Requests at once in the pod: beyond it 503."),
  targetBytesMax: bytes(64, 65_536).default(16_384).describe("Longest request target: 414."),
  requestBodyBytesMax: bytes().default(0).describe("Largest request body: 413; 0 is no limit."),
  webSocketMessageBytesMax: bytes(125).default(16_777_216).describe(
    "Largest WebSocket message: closed 1009.",
  ),
  webSocketBufferedBytesMax: bytes(1_024).default(16_777_216).describe(
    "Unsent towards a slow reader: closed 1013.",
  ),
  webSocketIdleMs: milliseconds().default(600_000).describe("A WebSocket without frames is closed."),
}).describe("What one pod accepts.");

const headersSchema = z.strictObject({
  requestId: headerName().default("x-request-id").describe(
    "Header that carries the request id; each request has one, made by Weir unless it came with it.",
  ),
  requestIdFrom: z.enum(["trusted", "anyone"]).default("trusted").describe(
    "Whose request id is kept, if it is one plain word of at most 128 characters: that of trustedProxies, " +
      "or anyone's. Who chooses ids can make two requests look like one in the log.",
  ),
  trustedFields: z.enum(["either", "x-forwarded", "forwarded"]).default("either").describe(
    "What trustedProxies say is read from X-Forwarded-For, -Host and -Proto, or from Forwarded; either: from " +
      "Forwarded when none of the others is there. Name what your proxies set: what they do not, a client may " +
      "send through them. What is not read is not passed on.",
  ),
  forwarded: z.boolean().default(false).describe("Also send Forwarded (RFC 7239)."),
  via: token().default("weir")
    .describe("Pseudonym in Via; an instance adds a suffix of its own, so that loops are seen."),
}).describe("What Weir adds to messages.");

export const accessLogSchema = z.strictObject({
  format: z.enum(["json", "combined", "errors", "off"]).default("json").describe(
    "One line per request on stdout; errors: for failures only (docs/errors.md).",
  ),
  sampleOneIn: count().default(1).describe("Log one request in N; failures are always logged."),
  redactQuery: z.boolean().default(false).describe("Leave the query out of logged targets."),
});

const drainSchema = z.strictObject({
  delayMs: milliseconds(0).default(5_000).describe(
    "After SIGTERM: readiness fails, traffic is still served.",
  ),
  deadlineMs: milliseconds(0).default(25_000).describe("After the delay: in-flight requests get this long."),
}).describe("How Weir leaves.");

export const configSchema = z.strictObject({
  listen: listenSchema.prefault({}),
  admin: adminSchema.prefault({}),
  workers: count(1, WORKERS_MAX).optional()
    .describe(`Event loops. Default: one per core, as many as a CPU limit allows, ${WORKERS_MAX} at most.`),
  trustedProxies: z.array(z.string().min(1)).default([])
    .describe(
      "Networks (CIDR) and addresses whose X-Forwarded-* and Forwarded are believed. Default: nobody.",
    ),
  accessLog: z.preprocess((v) => typeof v === "string" ? { format: v } : v, accessLogSchema.prefault({}))
    .describe("Access log; a bare string is its format."),
  headers: headersSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  drain: drainSchema.prefault({}),
  whenWorkerHangs: z.enum(["exit", "stay"]).default("exit").describe(
    "An event loop that does not turn for 10 s keeps its share of new connections until the process ends: " +
      "drain what the others serve and exit 1, to be restarted; or stay, where nobody restarts Weir.",
  ),
  explainRequestsMax: z.int().min(0).max(100_000).default(1_000).describe(
    "Requests per worker that /explain?id= remembers.",
  ),
  stickyKeyFile: z.string().min(1).optional().describe(
    "File with the key that signs sticky cookies, of at least 16 characters; the same in all pods. " +
      "The variable WEIR_STICKY_KEY wins over it.",
  ),
  unknownUpgrade: z.enum(["ignore", "refuse"]).default("ignore")
    .describe("An Upgrade that cannot pass: serve without it, or 501."),
  upstreams: z.record(name(), upstreamSchema).default({}).describe("Groups of endpoints, by name."),
  routes: z.array(routeSchema).default([]).describe("Most specific first, whatever their order here."),
});

export type Config = z.infer<typeof configSchema>;
export type ListenConfig = z.infer<typeof listenSchema>;
export type LimitsConfig = z.infer<typeof limitsSchema>;
export type HeadersConfig = z.infer<typeof headersSchema>;
export type AccessLogConfig = z.infer<typeof accessLogSchema>;
