// What the admin server needs to know, as functions that return plain data.
//
// `pod/admin_view.ts` fills it in; nothing in this room reaches further. Every call is cheap and synchronous but `ask`,
// which the supervisor ends by a timeout of its own. Times are milliseconds since 1970, durations milliseconds. Numbers
// that change all the time are not here: they are on the board.

import type { Board } from "../board/layout.ts";
import type { Answer, Question } from "../messages.ts";

export interface AdminView {
  readonly board: Board;
  probes(): ProbeState;
  pod(): PodInfo;
  workers(): readonly WorkerInfo[];
  config(): ConfigInfo;
  /** In the order in which an operator should see them. */
  upstreams(): readonly UpstreamInfo[];
  /** The listener's certificate; null without TLS. */
  certificate(): CertificateInfo | null;
  routes(): readonly RouteInfo[];
  /** The last events, oldest first; bounded by `pod/event_book.ts`. */
  recentEvents(): readonly PodEvent[];
  /** Calls `listener` for each event from now on. @returns the way to stop it. */
  subscribe(listener: (event: PodEvent) => void): () => void;
  /** One answer per worker that answered in time. */
  ask(question: Question): Promise<readonly Answer[]>;
}

/** What /livez, /readyz and /startupz say. */
export interface ProbeState {
  readonly live: boolean;
  readonly ready: boolean;
  readonly started: boolean;
  /** Why one of them is false, or what is degraded although all are true; in words. */
  readonly reasons: readonly string[];
}

export interface PodInfo {
  /** Weir's version. */
  readonly version: string;
  readonly deno: string;
  /** Unique per process; the suffix of the Via pseudonym. */
  readonly instance: string;
  readonly startedAt: number;
  /** Null while it does not drain. */
  readonly draining: { readonly since: number; readonly deadlineAt: number } | null;
  readonly residentBytes: number;
  /** Heap of the main thread. */
  readonly heapBytes: number;
  /** Its listener knows the connections of clients: all but Deno.serve without TLS do. */
  readonly knowsConnections: boolean;
  /** Lines that stdout did not take, since the pod started. */
  readonly logLinesDropped: number;
}

export interface WorkerInfo {
  /** 0-based; stable over respawns. */
  readonly index: number;
  /** Board column of the living incarnation; null while there is none. */
  readonly column: number | null;
  readonly state: "starting" | "serving" | "restarting" | "hung" | "draining" | "drained";
  /** Since the pod started. */
  readonly restarts: number;
  /** Times that it hung and was given up, since the pod started. */
  readonly hangs: number;
  /** How long its event loop has not turned now, or had not when it was given up; 0 while it turns. */
  readonly stalledMs: number;
  /** Since when it is in this state. */
  readonly since: number;
  /** Why it is not serving, or why it was last restarted. */
  readonly reason: string | null;
}

export interface ConfigInfo {
  /** Version of the snapshot that is published now. */
  readonly version: number;
  /** Null without a file. */
  readonly file: string | null;
  /** The effective configuration with where each value came from: the text that `weir check` prints. */
  readonly effective: string;
  /** Null before the first reload. */
  readonly lastReload: ReloadInfo | null;
}

export interface ReloadInfo {
  readonly ok: boolean;
  readonly at: number;
  /** Why it was refused, or what was noticed although it was applied; each a whole sentence. */
  readonly findings: readonly string[];
}

/** The certificate that clients are shown. */
export interface CertificateInfo {
  /** Host names and addresses that it is for. */
  readonly names: readonly string[];
  readonly issuer: string;
  /** SHA-256. */
  readonly fingerprint: string;
  readonly notAfter: number;
  /** Since when it is the one to serve. */
  readonly loadedAt: number;
  /** Changes since the start, by what became of them. */
  readonly changes: Readonly<Record<CertificateChange, number>>;
  /** Why what stands in the files now is not served; null when it is. */
  readonly problem: string | null;
  /** Workers whose handshakes all get it, of those that live. */
  readonly workers: { readonly serving: number; readonly all: number };
}

/** What became of another certificate in the files. */
export const CERTIFICATE_CHANGES = ["applied", "refused"] as const;
export type CertificateChange = typeof CERTIFICATE_CHANGES[number];

export interface UpstreamInfo {
  readonly name: string;
  /** Board row. */
  readonly row: number;
  /** In words: `round_robin`, `least_request (choices: 2)`, ... */
  readonly policy: string;
  /** In words: `http GET /healthz every 2 s`, `tcp every 2 s`, `off`. */
  readonly health: string;
  /** What happens with no healthy endpoint left. */
  readonly whenAllUnhealthy: "panic" | "fail";
  readonly panicPercent: number;
  readonly endpoints: readonly EndpointInfo[];
  /** Endpoints that the pod has no room for. */
  readonly leftOut: number;
  /** Its addresses that are looked up, in the order in which they are configured. */
  readonly discovery: readonly DiscoveryInfo[];
}

/** An address of an upstream whose endpoints DNS or the Kubernetes API tells. */
export interface DiscoveryInfo {
  /** The address without its parameters: `dns+http://name:80`; unique within its upstream. */
  readonly source: string;
  /** How many it found last. While there is a problem they stay in use. */
  readonly endpoints: number;
  /** Last complete answer; null before the first. */
  readonly answeredAt: number | null;
  /** What is wrong now, in words; null when nothing is. */
  readonly problem: string | null;
  /** Null when nothing is wrong. */
  readonly failingSince: number | null;
}

/** Why an endpoint was ejected. */
export const EJECTION_REASONS = ["consecutive_failures", "failure_percent"] as const;
export type EjectionReason = typeof EJECTION_REASONS[number];

export interface EndpointInfo {
  /** `scheme://host:port`; unique within its upstream. */
  readonly id: string;
  /** Board row. */
  readonly row: number;
  /** As configured. */
  readonly weight: number;
  readonly backup: boolean;
  /** Why its health is what it is, in words; null when there is nothing to say. */
  readonly healthReason: string | null;
  /** Null before the first one, and with checks off. */
  readonly lastCheck: CheckInfo | null;
  readonly checksPassed: number;
  readonly checksFailed: number;
  /** Null while it is not ejected. */
  readonly ejection: { readonly until: number; readonly why: string } | null;
  /** Ejections since it joined. */
  readonly ejections: Readonly<Record<EjectionReason, number>>;
}

export interface CheckInfo {
  readonly at: number;
  readonly passed: boolean;
  readonly durationMs: number;
  /** In words: `200`, `connection refused`, `no answer within 1000 ms`. */
  readonly reason: string;
}

export interface RouteInfo {
  readonly name: string;
  /** Board row. */
  readonly row: number;
  /** Where it goes, in words: an upstream's name, `redirect to ...`, `answers 204`. */
  readonly target: string;
}

/** Something that happened to the pod, for people to read. */
export interface PodEvent {
  /** Counts up. */
  readonly id: number;
  readonly at: number;
  readonly kind:
    | "health"
    | "ejection"
    | "discovery"
    | "reload"
    | "worker"
    | "drain"
    | "start"
    | "certificate";
  /** `good`: something came back; `bad`: something broke. */
  readonly tone: "good" | "bad" | "neutral";
  /** One sentence with the reason. */
  readonly text: string;
}
