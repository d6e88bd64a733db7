// Slow start: an endpoint that joins a group at work gets its full share bit by bit.
//
// Pure; asked by whoever writes verdicts. A ramp spares cold caches and compilers while others carry the
// load. Where nobody does, it would only pile everything on whoever came first: so there is no ramp when a
// group goes from none to one, and none for those who come right after, at start or after an outage.

import type { SlowStartConfig } from "../config/schema.ts";

/** Full weight on the board. */
export const FULL_PERMILLE = 1_000;

/**
 * Whether an endpoint that enters service at `nowMs` ramps: only beside one that has served for a window.
 * `othersSinceMs` are the times at which the others that serve now entered service.
 */
export function startsSlowly(
  othersSinceMs: readonly number[],
  nowMs: number,
  { windowMs }: SlowStartConfig,
): boolean {
  return windowMs > 0 && othersSinceMs.some((sinceMs) => nowMs - sinceMs >= windowMs);
}

/** Per mille of its weight that an endpoint has after `elapsedMs` of its ramp, 1 to 1000: linear. */
export function weightPermille(config: SlowStartConfig, elapsedMs: number): number {
  const { windowMs, startPercent } = config;
  if (windowMs <= 0) return FULL_PERMILLE;
  const progress = Math.min(1, Math.max(0, elapsedMs / windowMs));
  const start = startPercent * FULL_PERMILLE / 100;
  return Math.max(1, Math.round(start + (FULL_PERMILLE - start) * progress));
}
