// What the two planes say to each other; everything here survives structured cloning.
//
// The control plane owns the configuration and publishes snapshots; a worker applies the newest one it was given and
// says so. Numbers that change all the time (health, load, totals) are not messages: they are on the board. A snapshot
// names a board row for each thing, and a row keeps its meaning until every worker has applied a newer snapshot.

import type { BoardHandle } from "./board/layout.ts";
import type {
  AccessLogConfig,
  BalanceConfig,
  HeadersConfig,
  LimitsConfig,
  ListenConfig,
  PoolConfig,
  RetryConfig,
  RouteConfig,
  StickyConfig,
  TimeoutsConfig,
  UpstreamConfig,
  UpstreamLimitsConfig,
} from "./config/schema.ts";

/** One address of an upstream. `id` is its identity across snapshots: `scheme://host:port`. */
export interface EndpointSnapshot {
  readonly id: string;
  /** Board row of the endpoint. */
  readonly row: number;
  readonly scheme: "http" | "https";
  /** IP address, or a name that the system resolver answers. */
  readonly host: string;
  readonly port: number;
  /** What `Host` says when it is the endpoint's: host, with the port unless it is the scheme's own. */
  readonly authority: string;
  readonly weight: number;
  readonly backup: boolean;
}

/** TLS towards endpoints, files already read: workers have no right to read any. */
export interface UpstreamTlsSnapshot {
  readonly caCerts: readonly string[];
  readonly serverName?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface UpstreamSnapshot {
  readonly name: string;
  /** Board row of the upstream. */
  readonly row: number;
  readonly endpoints: readonly EndpointSnapshot[];
  readonly balance: BalanceConfig;
  readonly whenAllUnhealthy: UpstreamConfig["whenAllUnhealthy"];
  readonly panicPercent: number;
  readonly hostHeader: string;
  readonly sticky?: StickyConfig;
  readonly retry: RetryConfig;
  readonly timeouts: TimeoutsConfig;
  readonly pool: PoolConfig;
  readonly limits: UpstreamLimitsConfig;
  readonly tls: UpstreamTlsSnapshot;
}

/** All that is said of an upstream but its endpoints, which come and go by themselves. */
export type UpstreamSettings = Omit<UpstreamSnapshot, "endpoints">;

/**
 * How the endpoints of an upstream differ from those of the version before. A list of a thousand is too much to
 * copy to every worker each time one of them moves.
 */
export interface EndpointsChange {
  /** Name of the upstream. */
  readonly upstream: string;
  /** Ids of those that are not as they were: gone, or in `joined` too. */
  readonly left: readonly string[];
  /** They come after all that stay, in this order: every worker has the same order, for the turns they share. */
  readonly joined: readonly EndpointSnapshot[];
}

export interface RouteSnapshot extends RouteConfig {
  /** Always there in a snapshot: the operator's, or made from the match. */
  readonly name: string;
  /** Board row of the route. */
  readonly row: number;
}

/** All that a worker needs to know to serve. Frozen once published. */
export interface Snapshot {
  /** Counts up by one for each published snapshot. */
  readonly version: number;
  readonly upstreams: readonly UpstreamSnapshot[];
  readonly routes: readonly RouteSnapshot[];
  readonly trustedProxies: readonly string[];
  readonly headers: HeadersConfig;
  readonly limits: LimitsConfig;
  readonly accessLog: AccessLogConfig;
  readonly explainRequestsMax: number;
  readonly unknownUpgrade: "ignore" | "refuse";
  /** Signs sticky cookies; empty when no upstream is sticky. */
  readonly stickyKey: string;
}

/** A certificate and its key (PEM). */
export interface CertificateSnapshot {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate: what `certificateApplied` answers with. */
  readonly fingerprint: string;
}

/** First message to a worker. */
export interface WorkerStart {
  readonly kind: "start";
  /** Its column on the board; fresh for each incarnation. */
  readonly column: number;
  readonly board: BoardHandle;
  readonly listen: ListenConfig;
  readonly certificate?: CertificateSnapshot;
  readonly snapshot: Snapshot;
  /** Unique per process: suffix of the Via pseudonym. */
  readonly instance: string;
  /** Answers ask clients to leave from the first one on. */
  readonly leaving: boolean;
  /** When this was sent, by the clocks of the main thread. */
  readonly sent: SentAt;
}

export interface SentAt {
  /** Monotonic milliseconds: the pod's time. */
  readonly now: number;
  /** Milliseconds since 1970. */
  readonly date: number;
}

export type ToWorker =
  | WorkerStart
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot }
  /** Discovery found something else for one upstream than before; all else stays. */
  | { readonly kind: "endpoints"; readonly version: number; readonly change: EndpointsChange }
  | { readonly kind: "certificate"; readonly certificate: CertificateSnapshot }
  /** Answers ask clients to leave from now on. */
  | { readonly kind: "leave" }
  /** Listeners close when no upload is in flight; over by `deadlineMs` from now. */
  | { readonly kind: "drain"; readonly deadlineMs: number }
  | { readonly kind: "ask"; readonly id: number; readonly question: Question };

export type FromWorker =
  /** Its module is loaded; it awaits `start`. It holds the lock `lifeline` until its thread ends. */
  | { readonly kind: "loaded"; readonly lifeline: string }
  | { readonly kind: "listening"; readonly host: string; readonly port: number }
  | { readonly kind: "notListening"; readonly reason: string }
  | { readonly kind: "applied"; readonly version: number }
  /** Every handshake from now on gets this certificate: no listener with an older one accepts any more. */
  | { readonly kind: "certificateApplied"; readonly fingerprint: string }
  | { readonly kind: "drained"; readonly cut: number }
  /** Lines for stdout: whole lines, already encoded, lent (`board/line_pages.ts`). */
  | { readonly kind: "log"; readonly lines: Uint8Array }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "failed"; readonly reason: string };

/** What the admin server asks a worker. */
export type Question =
  | {
    readonly kind: "explainRequest";
    readonly method: string;
    readonly authority: string;
    readonly target: string;
    readonly headers: readonly string[];
    readonly client: string;
  }
  | { readonly kind: "explainId"; readonly requestId: string };

/** Null when the worker knows nothing of it. */
export type Answer = RouteExplanation | RequestStory | null;

/** Where a request would go now, and why not elsewhere. Nothing was sent. */
export interface RouteExplanation {
  readonly kind: "route";
  /** Name of the route that matches; null when none does. */
  readonly route: string | null;
  /** Routes that come before the match in order of specificity, each with what did not hold. */
  readonly passedOver: readonly { readonly route: string; readonly why: string }[];
  /** Null when the route answers by itself (redirect, respond) or none matches. */
  readonly upstream: string | null;
  /** What else the route does with the request, in words: its rate limit, its split, its rewrite. Absent when nothing. */
  readonly notes?: readonly string[];
  readonly candidates: readonly CandidateExplanation[];
  /** Id of the endpoint that the policy picks now; null when there is none to pick. */
  readonly pick: string | null;
  /** One sentence: the policy and what decided, or why there is no pick. */
  readonly why: string;
}

/** One endpoint as a pick sees it. */
export interface CandidateExplanation {
  readonly endpoint: string;
  /** In words: `serving`, or the reasons joined: `unhealthy`, `ejected`, `draining`, ... */
  readonly state: string;
  /** Configured weight times its slow-start share. */
  readonly weight: number;
  /** Requests at it now, over all workers. */
  readonly inFlight: number;
  /** What `peak_ewma` reckons with, milliseconds: decayed, and a failure counts as slow; null before the first sample. */
  readonly latencyMs: number | null;
  /** What the policy compares, where it compares a number. */
  readonly score?: number;
  /** Why it is not to be picked; absent when it may be. */
  readonly whyNot?: string;
  /** What made it unhealthy or ejected, in words: the control plane knows, no worker does. */
  readonly reason?: string;
}

/** What became of one of the last requests. */
export interface RequestStory {
  readonly kind: "story";
  readonly requestId: string;
  /** Arrival, milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  readonly target: string;
  /** The one resolved client address. */
  readonly client: string;
  /** Null when none matched. */
  readonly route: string | null;
  readonly upstream: string | null;
  readonly attempts: readonly AttemptStory[];
  /** Null when no answer was sent: the client had left. */
  readonly status: number | null;
  /** From arrival to the last byte. */
  readonly durationMs: number;
  /** Body bytes sent to the client. */
  readonly bytes: number;
  /** Who ended it and how: `complete`, `client left`, `endpoint broke off: <cause>`, ...; of Weir's own answer its words. */
  readonly endedBy: string;
}

/** One try at one endpoint. */
export interface AttemptStory {
  readonly endpoint: string;
  /** After the request's arrival. */
  readonly startedMs: number;
  /** After the request's arrival; null when no response head came. */
  readonly headMs: number | null;
  /** Its status, or words: `200`, `refused: ...`, `timed out (head)`, `reset (head) on a kept connection`, ... */
  readonly outcome: string;
  readonly reused: boolean;
  /** Whether another attempt was allowed after this one, and why; absent when none was needed. */
  readonly retryVerdict?: string;
  /** Retries that the upstream's budget still held after this attempt; absent when it was not asked. */
  readonly budgetLeft?: number;
}
