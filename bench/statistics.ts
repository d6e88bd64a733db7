// What several noisy rounds amount to: a median and its spread, and ratios taken round by round.
//
// A machine that slows down for a while slows every contestant of that round, so a ratio of two figures of the
// same round is steadier than a ratio of two medians. Ratios are therefore taken first, and the median after.

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle value; the mean of the two middle ones when their number is even. NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** Null for no values. */
export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * Round by round `of[i] / to[i]`, then the spread of these. A round in which either side has no figure is left
 * out; null when none is left.
 */
export function ratioSpread(
  of: readonly (number | undefined)[],
  to: readonly (number | undefined)[],
): Spread | null {
  const ratios: number[] = [];
  for (const [round, value] of of.entries()) {
    const reference = to[round];
    if (value !== undefined && reference !== undefined && reference > 0) ratios.push(value / reference);
  }
  return spread(ratios);
}
