// The arithmetic of passive checks: shares of failures, and how much of a group may be out. Pure.

/** How many attempts were made, and how many of them failed. */
export interface Outcomes {
  readonly attempts: number;
  readonly failures: number;
}

/** All of them together. */
export function sum(outcomes: readonly Outcomes[]): Outcomes {
  return outcomes.reduce(
    (total, one) => ({
      attempts: total.attempts + one.attempts,
      failures: total.failures + one.failures,
    }),
    { attempts: 0, failures: 0 },
  );
}

/** A part in percent of the whole; 0 where there is none. */
export function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 0 : (100 * part) / whole;
}

/**
 * How many endpoints of a group may be out at once: the percentage rounded down, but one where there are
 * two or more (a group of two can lose one), and never all. 0 percent is none.
 */
export function ejectedMax(groupSize: number, percentMax: number): number {
  if (percentMax === 0 || groupSize < 2) return 0;
  const share = Math.floor((groupSize * percentMax) / 100);
  return Math.min(Math.max(share, 1), groupSize - 1);
}
