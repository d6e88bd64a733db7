// What a tool that loads a contestant tells of one turn.

export interface LoadReport {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Empty for a clean run. */
  readonly faults: readonly string[];
}
