// The totals that the board keeps, by name: one list per kind of row.
//
// A field is an index into a row of Float64 cells. Workers add to their own column; readers sum the columns.
// A new figure is one name here and one line where it is counted; `admin/metrics` gives it its public name.

/** Upper bounds of the latency buckets, milliseconds; one more bucket takes what is above. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.5,
  1,
  2,
  3,
  5,
  7.5,
  10,
  15,
  25,
  50,
  75,
  100,
  150,
  250,
  500,
  750,
  1_000,
  2_500,
  5_000,
  10_000,
  30_000,
  60_000,
];
export const LATENCY_BUCKETS = LATENCY_BOUNDS_MS.length + 1;

/** Methods with a total of their own; the last one stands for all others. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "OTHER"] as const;
/** `none`: no answer was sent, the client had left. */
export const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"] as const;
/** Index of a status among them; 0 is none. RFC 9110 15: what is above 599 is no status, and taken for a 5xx. */
export function statusClassOf(status: number): number {
  return status === 0 ? STATUS_CLASSES.length - 1 : Math.min(Math.floor(status / 100), 5) - 1;
}
/** Why a retry was made. */
export const RETRY_REASONS = ["connect", "reset", "timeout", "status", "reused", "malformed"] as const;

function numbered<const T extends readonly string[]>(names: T): { readonly [K in T[number]]: number } {
  return Object.fromEntries(names.map((name, index) => [name, index])) as { [K in T[number]]: number };
}

/** Cells of a histogram: LATENCY_BUCKETS counts, then the sum in milliseconds. */
const HISTOGRAM_CELLS = LATENCY_BUCKETS + 1;

/** Totals of answers, in the order of STATUS_CLASSES. */
const STATUS_NAMES = [
  "status1xx",
  "status2xx",
  "status3xx",
  "status4xx",
  "status5xx",
  "statusNone",
] as const;

const ENDPOINT_NAMES = [
  "attempts",
  ...STATUS_NAMES,
  "bytesToUpstream",
  "bytesFromUpstream",
  "connectionsOpened",
  "connectionsReused",
  "connectionsClosed",
  "resetsOnReuse",
  "connectFailures",
  "resets",
  "timeouts",
  "malformed",
  "gatewayFailures",
] as const;
/** Totals of one endpoint. Two histograms follow: `HEAD_LATENCY` (to the response head), `TOTAL_LATENCY`. */
export const EndpointField = numbered(ENDPOINT_NAMES);
/** First cell of a histogram. */
export const HEAD_LATENCY = ENDPOINT_NAMES.length;
export const TOTAL_LATENCY = HEAD_LATENCY + HISTOGRAM_CELLS;
export const ENDPOINT_FIELDS = TOTAL_LATENCY + HISTOGRAM_CELLS;

const UPSTREAM_NAMES = [
  "requests",
  "retries",
  "retryConnect",
  "retryReset",
  "retryTimeout",
  "retryStatus",
  "retryReused",
  "retryMalformed",
  "retryBudgetExhausted",
  "noEndpoint",
  "panicPicks",
  "queued",
  "queueTimeouts",
  "queueFull",
] as const;
export const UpstreamField = numbered(UPSTREAM_NAMES);
/** Requests by method and status class: `BY_METHOD + method * STATUS_CLASSES.length + class`. */
export const BY_METHOD = UPSTREAM_NAMES.length;
export const UPSTREAM_FIELDS = UPSTREAM_NAMES.length + METHODS.length * STATUS_CLASSES.length;

const ROUTE_NAMES = [
  ...STATUS_NAMES,
  "bytesIn",
  "bytesOut",
  "rateLimited",
] as const;
export const RouteField = numbered(ROUTE_NAMES);
export const ROUTE_LATENCY = ROUTE_NAMES.length;
export const ROUTE_FIELDS = ROUTE_LATENCY + HISTOGRAM_CELLS;

const WORKER_NAMES = [
  "requests",
  "connections",
  "badRequests",
  "clientGone",
  "rejectedInFlight",
  "loopDelayMaxMs",
  "webSockets",
  "heapBytes",
  "truncated",
  "relistens",
] as const;
/** Figures of a worker; `loopDelayMaxMs`, `heapBytes` are gauges that die with it. */
export const WorkerField = numbered(WORKER_NAMES);
export const WORKER_FIELDS = WORKER_NAMES.length;

/** The latency bucket of a duration in milliseconds. */
export function latencyBucket(ms: number): number {
  let low = 0;
  let high = LATENCY_BOUNDS_MS.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ms <= LATENCY_BOUNDS_MS[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}
