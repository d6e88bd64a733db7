// The moving average of an endpoint's latency that peak_ewma compares: cautious, and hard to fool.
//
// Pure; `upstream/endpoint.ts` keeps the two numbers on the board. A slower sample counts at once, because
// trouble should show before the average notices; a faster one counts by how long the last sample is ago. A
// failure is never a fast answer: an endpoint that fails in a millisecond must not look like the best one.

/** An average and the time of its last sample; 0, 0 before any. */
export interface MovingLatency {
  readonly costMs: number;
  readonly atMs: number;
}

/** Failures do not push an average above this by themselves. */
const FAILED_COST_MAX_MS = 10_000;
/**
 * What the failure of an endpoint that never answered counts as. Slower than most that answer, so that these come
 * first; and forgotten within a minute, unlike the penalty of Finagle's PeakEwma for the same (2^47 ns), because an
 * endpoint may refuse once while it starts.
 */
const FAILED_UNKNOWN_MS = 1_000;

/** The average after a sample of `sampleMs`, taken at `nowMs`. */
export function nextCostMs(before: MovingLatency, sampleMs: number, nowMs: number, decayMs: number): number {
  if (before.costMs === 0 || sampleMs > before.costMs) return sampleMs;
  const memory = Math.exp(-Math.max(0, nowMs - before.atMs) / decayMs);
  return sampleMs + (before.costMs - sampleMs) * memory;
}

/** What a failure after `elapsedMs` counts as: twice the average so far, so that a row of them adds up. */
export function failureSampleMs({ costMs }: MovingLatency, elapsedMs: number): number {
  const leastMs = costMs === 0 ? FAILED_UNKNOWN_MS : Math.min(costMs * 2, FAILED_COST_MAX_MS);
  return Math.max(elapsedMs, leastMs);
}
