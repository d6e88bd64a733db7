// Latency histograms as read from the board, and the quantiles that can be told from them.
//
// Pure: a histogram is LATENCY_BUCKETS counts and a sum. What a quantile says is as exact as the bucket it
// falls into; within a bucket values are taken to be spread evenly.

import { LATENCY_BOUNDS_MS, LATENCY_BUCKETS } from "./fields.ts";

/** How often each latency was observed. */
export interface Histogram {
  /** One count per bucket, not cumulative; the last one is above the last bound. */
  readonly counts: readonly number[];
  /** Sum of all observed values, milliseconds. */
  readonly sumMs: number;
}

/** Nothing was observed. */
export const EMPTY_HISTOGRAM: Histogram = { counts: new Array(LATENCY_BUCKETS).fill(0), sumMs: 0 };

/** Observations in all. */
export function histogramCount(histogram: Histogram): number {
  let count = 0;
  for (const n of histogram.counts) count += n;
  return count;
}

/** What was observed since `earlier`, an older reading of the same histogram. Never below zero. */
export function since(earlier: Histogram, later: Histogram): Histogram {
  return {
    counts: later.counts.map((n, i) => Math.max(0, n - earlier.counts[i]!)),
    sumMs: Math.max(0, later.sumMs - earlier.sumMs),
  };
}

/** Both histograms as one. */
export function merged(a: Histogram, b: Histogram): Histogram {
  return { counts: a.counts.map((n, i) => n + b.counts[i]!), sumMs: a.sumMs + b.sumMs };
}

/**
 * The value in milliseconds below which the share `q` (0 to 1) of the observations lies, or null when there
 * are none. What lies above the last bound is told as the last bound.
 */
export function quantileMs(histogram: Histogram, q: number): number | null {
  const count = histogramCount(histogram);
  if (count === 0) return null;
  const rank = q * count;
  let below = 0;
  for (let i = 0; i < LATENCY_BOUNDS_MS.length; i++) {
    const inBucket = histogram.counts[i]!;
    if (inBucket > 0 && below + inBucket >= rank) {
      const lower = i === 0 ? 0 : LATENCY_BOUNDS_MS[i - 1]!;
      const share = Math.max(0, rank - below) / inBucket;
      return lower + (LATENCY_BOUNDS_MS[i]! - lower) * share;
    }
    below += inBucket;
  }
  return LATENCY_BOUNDS_MS.at(-1)!;
}
