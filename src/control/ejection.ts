// What passive checks are told and what they say: the counts of traffic, the group, who is ejected and why.
//
// Only types; `outlier_detector.ts` is written in their terms.

/** What workers counted, over the whole pod. Client aborts and 4xx are not in it. */
export interface TrafficCounts {
  /** Gateway failures since the last success. */
  consecutiveFailures(id: string): number;
  /** Totals. */
  attempts(id: string): number;
  gatewayFailures(id: string): number;
  /** The failures in a row have been dealt with. */
  forgetFailures(id: string): void;
}

/** An endpoint as the detector looks at it. */
export interface GroupMember {
  readonly id: string;
  /** Takes traffic as far as everything else is concerned: healthy, not draining. */
  readonly inService: boolean;
  /** Takes traffic where nobody is in service: healthy, draining. */
  readonly standsBy: boolean;
}

/** Which of the two rules ejected. */
export type EjectionKind = "consecutive_failures" | "failure_percent";

export interface Ejection {
  readonly endpoint: string;
  readonly kind: EjectionKind;
  /** In words, with the figures. */
  readonly reason: string;
  readonly forMs: number;
  /** Ejections in a row, this one included. */
  readonly times: number;
}

export interface OutlierEvents {
  readonly onEjected: (ejection: Ejection) => void;
  readonly onReturned: (returned: { readonly endpoint: string; readonly reason: string }) => void;
}

/** What the detector knows of one endpoint. */
export interface EjectionStatus {
  /** Monotonic milliseconds; null when it is not ejected. */
  readonly until: number | null;
  /** Ejections in a row; each `baseMs` of good service takes one off. */
  readonly times: number;
  /** Why it was ejected last; empty before. */
  readonly reason: string;
  /** Ejections so far, by rule. */
  readonly counts: Readonly<Record<EjectionKind, number>>;
}
