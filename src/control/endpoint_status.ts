// What an operator is shown of one endpoint: what its checks and its traffic made of it, and why.
//
// Called by `upstream_judge.ts` for the status page, the dashboard and metrics. Plain data, ready for JSON; times
// are milliseconds since 1970.

import type { Clock } from "./clock.ts";
import type { EjectionKind, EjectionStatus } from "./ejection.ts";
import type { CheckResult, EndpointCheck } from "./endpoint_check.ts";

export interface EndpointStatus {
  /** Why its health is what it is. */
  readonly healthReason: string;
  /** Null before the first one, and with checks off. */
  readonly lastCheck: Omit<CheckResult, "local"> | null;
  /** Checks since the endpoint joined. */
  readonly checksPassed: number;
  readonly checksFailed: number;
  /** Null while it is not ejected. */
  readonly ejection: { readonly until: number; readonly why: string } | null;
  /** Ejections since the endpoint joined. */
  readonly ejections: Readonly<Record<EjectionKind, number>>;
}

export function endpointStatus(
  { reason, last, counts }: EndpointCheck,
  ejection: EjectionStatus,
  clock: Clock,
): EndpointStatus {
  const { until, reason: why } = ejection;
  return {
    healthReason: reason,
    lastCheck: last && { at: last.at, passed: last.passed, durationMs: last.durationMs, reason: last.reason },
    checksPassed: counts.passed,
    checksFailed: counts.failed,
    ejection: until === null ? null : { until: clock.date() + until - clock.now(), why },
    ejections: { ...ejection.counts },
  };
}
