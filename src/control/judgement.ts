// What judging needs and says: the upstreams that are judged, the figures they are judged by, the events.
//
// Only types; `upstream_judge.ts` and `health_monitor.ts` are written in their terms, and `pod/judge_inputs.ts`
// fills them in.

import type { Verdicts } from "../board/verdicts.ts";
import type { EjectionConfig, HealthConfig, SlowStartConfig } from "../config/schema.ts";
import type { EndpointSnapshot, UpstreamTlsSnapshot } from "../messages.ts";
import type { Clock } from "./clock.ts";
import type { Ejection } from "./ejection.ts";
import type { HealthChange } from "./endpoint_check.ts";
import type { Probe } from "./probe.ts";

/** An endpoint to judge: as the snapshot has it, and whether it is to be drained. */
export interface JudgedEndpoint extends EndpointSnapshot {
  readonly drain: boolean;
}

/** An upstream to judge. Certificates in `tls` are read already. */
export interface JudgedUpstream {
  readonly name: string;
  /** Board row of the upstream. */
  readonly row: number;
  readonly endpoints: readonly JudgedEndpoint[];
  readonly health: HealthConfig;
  readonly ejection: EjectionConfig;
  readonly slowStart: SlowStartConfig;
  readonly tls: UpstreamTlsSnapshot;
}

/** Traffic figures by board row. */
export interface RowCounts {
  consecutiveFailures(row: number): number;
  attempts(row: number): number;
  gatewayFailures(row: number): number;
  forgetFailures(row: number): void;
}

export interface JudgeEvents {
  onHealthChange(change: HealthChange & { readonly upstream: string; readonly endpoint: string }): void;
  onEjected(ejection: Ejection & { readonly upstream: string }): void;
  onReturned(
    returned: { readonly upstream: string; readonly endpoint: string; readonly reason: string },
  ): void;
}

export interface JudgeInputs {
  readonly clock: Clock;
  readonly probe: Probe;
  readonly verdicts: Verdicts;
  readonly counts: RowCounts;
  readonly events: JudgeEvents;
}
