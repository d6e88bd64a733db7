// The wait before a retry.

/** Full jitter: uniform below base x 2^(attempt - 1), at most the cap, in milliseconds. */
export function backoffMs(attempt: number, baseMs: number, capMs: number, random: () => number): number {
  return Math.min(capMs, baseMs * 2 ** (attempt - 1)) * random();
}
