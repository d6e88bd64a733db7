import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LATENCY_BOUNDS_MS, LATENCY_BUCKETS, latencyBucket } from "../../src/board/fields.ts";
import {
  EMPTY_HISTOGRAM,
  type Histogram,
  histogramCount,
  merged,
  quantileMs,
  since,
} from "../../src/board/histogram.ts";

function histogramOf(values: readonly number[]): Histogram {
  const counts = new Array<number>(LATENCY_BUCKETS).fill(0);
  for (const value of values) counts[latencyBucket(value)]!++;
  return { counts, sumMs: values.reduce((a, b) => a + b, 0) };
}

Deno.test("quantileMs() of nothing is null", () => {
  assertEquals(quantileMs(EMPTY_HISTOGRAM, 0.5), null);
});

for (
  const [what, values, q, expected] of [
    ["half of one bucket", [4, 4], 0.5, 4],
    ["all of one bucket", [4, 4], 1, 5],
    ["the lower half", [0.4, 0.4, 90, 90], 0.5, 0.5],
    ["the upper half", [0.4, 0.4, 90, 90], 0.75, 87.5],
    ["above the last bound", [100_000], 0.99, 60_000],
    ["the least", [4, 400], 0, 3],
  ] as const
) {
  Deno.test(`quantileMs() interpolates within the bucket: ${what}`, () => {
    assertAlmostEquals(quantileMs(histogramOf(values), q)!, expected);
  });
}

Deno.test("quantileMs() falls into the bucket of the true quantile", () => {
  const value = fc.double({ min: 0.01, max: 59_999, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), fc.constantFrom(0.5, 0.9, 0.99), (values, q) => {
      const sorted = [...values].sort((a, b) => a - b);
      const bucket = latencyBucket(sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!);
      const told = quantileMs(histogramOf(values), q)!;
      return told <= LATENCY_BOUNDS_MS[bucket]! &&
        told >= (bucket === 0 ? 0 : LATENCY_BOUNDS_MS[bucket - 1]!);
    }),
  );
});

Deno.test("since() and merged() take apart and put together what was observed", () => {
  const early = histogramOf([1, 20]);
  const later = merged(early, histogramOf([3, 700]));
  assertEquals(since(early, later), histogramOf([3, 700]));
  assertEquals(histogramCount(later), 4);
});
