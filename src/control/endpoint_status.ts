// What an operator is shown of one endpoint: what Weir believes, since when, and why.
//
// Called by `upstream_judge.ts` for the status page, the dashboard and the log. Plain data, ready for JSON.

import { stateWords } from "../board/verdicts.ts";
import type { EndpointSnapshot } from "../messages.ts";
import type { Clock } from "./clock.ts";
import type { CheckResult, EndpointCheck } from "./endpoint_check.ts";
import type { Health } from "./health_state.ts";
import type { EjectionStatus } from "./outlier_detector.ts";

export interface EndpointStatus {
  readonly id: string;
  /** Board row, where its figures are. */
  readonly row: number;
  readonly backup: boolean;
  /** `serving`, or all that keeps it from it: `unhealthy`, `ejected`, `draining`, `unchecked`. */
  readonly state: readonly string[];
  /** Share of its weight that it has now. */
  readonly weightPermille: number;
  readonly health: {
    readonly state: Health;
    /** Milliseconds since 1970. */
    readonly since: number;
    /** Why the state is what it is. */
    readonly reason: string;
    /** The last checks, the latest last. */
    readonly checks: readonly CheckResult[];
    /** Checks since the endpoint joined. */
    readonly counts: { readonly passed: number; readonly failed: number };
  };
  readonly ejection: {
    /** Milliseconds since 1970; null when it is not ejected. */
    readonly until: number | null;
    /** Ejections in a row. */
    readonly times: number;
    /** Why it was ejected last; empty when it never was. */
    readonly reason: string;
    /** Ejections since the endpoint joined. */
    readonly counts: EjectionStatus["counts"];
  };
}

/** Where the parts of a status come from. */
export interface StatusParts {
  readonly endpoint: EndpointSnapshot;
  /** EndpointState bits. */
  readonly state: number;
  readonly weightPermille: number;
  readonly check: EndpointCheck;
  readonly ejection: EjectionStatus;
  readonly clock: Clock;
}

export function endpointStatus(parts: StatusParts): EndpointStatus {
  const { endpoint, check, ejection, clock } = parts;
  const until = ejection.until === null ? null : clock.date() + ejection.until - clock.now();
  return {
    id: endpoint.id,
    row: endpoint.row,
    backup: endpoint.backup,
    state: stateWords(parts.state),
    weightPermille: parts.weightPermille,
    health: {
      state: check.state.health,
      since: check.since,
      reason: check.reason,
      checks: [...check.results],
      counts: { ...check.counts },
    },
    ejection: { until, times: ejection.times, reason: ejection.reason, counts: { ...ejection.counts } },
  };
}
