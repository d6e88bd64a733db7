// Slow start: an endpoint that joins a group at work gets its full share bit by bit.
//
// Pure; asked by whoever writes verdicts. A ramp spares cold caches and compilers while others carry the
// load. Where nobody does, it would only pile everything on whoever came first: so there is no ramp when a
// group goes from none to one, and none for those who come right after, at start or after an outage.

import type { SlowStartConfig } from "../config/schema.ts";

/** Full weight on the board. */
export const FULL_PERMILLE = 1_000;

/** Since when those of a group serve that do: asked at each entry, of groups that thousands enter together. */
export class ServiceTimes {
  /** How many entered at each time, the earliest first: time goes on from entry to entry. */
  private readonly entered = new Map<number, number>();

  enter(nowMs: number): void {
    this.entered.set(nowMs, (this.entered.get(nowMs) ?? 0) + 1);
  }

  /** One that entered at `sinceMs` serves no longer. */
  leave(sinceMs: number): void {
    const others = this.entered.get(sinceMs)! - 1;
    if (others > 0) this.entered.set(sinceMs, others);
    else this.entered.delete(sinceMs);
  }

  /** When the one that has served the longest entered; null when nobody serves. */
  get firstMs(): number | null {
    return this.entered.keys().next().value ?? null;
  }
}

/**
 * Whether an endpoint that enters service at `nowMs` ramps: only beside one that has served for a window.
 * @param firstSinceMs when the one that has served the longest entered; null when nobody serves
 */
export function startsSlowly(
  firstSinceMs: number | null,
  nowMs: number,
  { windowMs }: SlowStartConfig,
): boolean {
  return windowMs > 0 && firstSinceMs !== null && nowMs - firstSinceMs >= windowMs;
}

/** Per mille of its weight that an endpoint has after `elapsedMs` of its ramp, 1 to 1000: linear. */
export function weightPermille(config: SlowStartConfig, elapsedMs: number): number {
  const { windowMs, startPercent } = config;
  if (windowMs <= 0) return FULL_PERMILLE;
  const progress = Math.min(1, Math.max(0, elapsedMs / windowMs));
  const start = startPercent * FULL_PERMILLE / 100;
  return Math.max(1, Math.round(start + (FULL_PERMILLE - start) * progress));
}
