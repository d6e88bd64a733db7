// What the JSON of /status says, field by field. `status.ts` fills it, `verdict.ts` reads it.

import type { EndpointStateName } from "./reading.ts";
import type { Traffic } from "./traffic.ts";
import type {
  CertificateInfo,
  CheckInfo,
  ConfigInfo,
  DiscoveryInfo,
  PodEvent,
  PodInfo,
  ProbeState,
  WorkerInfo,
} from "./view.ts";

export interface Status {
  readonly at: number;
  readonly verdict: Verdict;
  readonly pod: PodInfo;
  readonly probes: ProbeState;
  readonly now: PodTraffic;
  readonly upstreams: readonly UpstreamStatus[];
  readonly routes: readonly RouteStatus[];
  readonly workers: readonly WorkerStatus[];
  readonly config: ConfigInfo;
  /** Null without TLS. */
  readonly certificate: CertificateInfo | null;
  /** Oldest first. */
  readonly events: readonly PodEvent[];
}

interface PodTraffic extends Traffic {
  readonly inFlight: number;
  /** Of the errors those that limits.inFlightMax refused. */
  readonly rejectedPerSecond: number;
}

export interface UpstreamStatus {
  readonly name: string;
  readonly policy: string;
  readonly health: string;
  readonly whenAllUnhealthy: "panic" | "fail";
  readonly inFlight: number;
  readonly waiting: number;
  readonly requestsPerSecond: number;
  readonly retriesPerSecond: number;
  /** Requests that found every endpoint at its limit and the queue full, or waited in it for too long. */
  readonly crowdedOutPerSecond: number;
  readonly retryBudgetLeft: number;
  readonly endpoints: readonly EndpointStatus[];
  /** Endpoints that discovery found and that the pod has no room for. */
  readonly leftOut: number;
  /** Its addresses that are looked up. */
  readonly discovery: readonly DiscoveryInfo[];
}

export interface EndpointStatus extends Traffic {
  readonly id: string;
  readonly state: EndpointStateName;
  /** Why it does not serve; null when it does. */
  readonly why: string | null;
  /** Now, with slow start. */
  readonly weight: number;
  readonly weightConfigured: number;
  readonly backup: boolean;
  readonly inFlight: number;
  /** Null while it is not ejected. */
  readonly ejectedUntil: number | null;
  readonly lastCheck: CheckInfo | null;
  readonly consecutiveFailures: number;
  readonly pool: PoolStatus;
}

/** Connections to one endpoint. */
export interface PoolStatus {
  readonly idle: number;
  readonly opened: number;
  readonly reused: number;
  readonly resetsOnReuse: number;
  /** Learned idle limit; 0 when none is known. */
  readonly idleLimitMs: number;
}

export interface RouteStatus extends Traffic {
  readonly name: string;
  readonly target: string;
}

export interface WorkerStatus extends WorkerInfo {
  readonly inFlight: number;
  /** Of clients, open now; null where the listener does not know. */
  readonly connections: number | null;
  readonly webSockets: number;
  readonly loopDelayMaxMs: number;
  readonly heapBytes: number;
}

export interface Verdict {
  /** `critical`: requests fail or will; `warning`: something is out, requests are served. */
  readonly level: "ok" | "warning" | "critical";
  readonly headline: string;
  readonly notes: readonly string[];
}
