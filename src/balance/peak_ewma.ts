// Shortest expected wait: the endpoint's recent latency times the requests that are there already.
//
// The latency is a moving average that follows a slow sample at once and a fast one gradually (see
// `board/moving_latency.ts`). What nobody has measured for a while is forgotten: an old average drifts
// towards half of the best one in the group. Half, because then a slow endpoint is sure to look better than
// the best one some day and gets a probe, however quiet the group is: it never starves. And no less than
// half, because then an endpoint without fresh samples (new, or back after an ejection) is tried early, yet
// takes about twice the requests of the best one at most until its first answer tells.

import type { BalanceConfig } from "../config/schema.ts";
import type { BalancerInputs, Candidate, Policy } from "./balancer.ts";
import { cheapestOf } from "./cheapest.ts";

/** How long the best average of the group may be taken for granted; finding it is a scan. */
const BEST_KEPT_MS = 100;
/** Expected of everybody in a group that nobody has measured yet: any constant does. */
const UNKNOWN_MS = 1;

/** The policy `peak_ewma`. */
export function peakEwma(
  { choices, decayMs }: Pick<BalanceConfig, "choices" | "decayMs">,
  { random, now }: Pick<BalancerInputs, "random" | "now">,
): Policy {
  let known: readonly Candidate[] = [];
  let bestUntilMs = -Infinity;
  let nowMs = 0;
  let restMs = UNKNOWN_MS;

  const expectedMs = (candidate: Candidate): number => {
    const { costMs, atMs } = candidate.latency();
    const memory = costMs === 0 ? 0 : Math.exp(-Math.max(0, nowMs - atMs) / decayMs);
    return restMs + (costMs - restMs) * memory;
  };
  // Weights as shares of the mean, so that 1:2 and 100:200 are the same policy.
  const cost = (candidate: Candidate, weightMean: number): number =>
    expectedMs(candidate) * (1 + candidate.inFlight() * weightMean / candidate.weight);
  const policy = cheapestOf(choices, cost, random);

  const look = (candidates: readonly Candidate[]): void => {
    nowMs = now();
    if (candidates === known && nowMs < bestUntilMs) return;
    known = candidates;
    bestUntilMs = nowMs + BEST_KEPT_MS;
    restMs = (bestLatencyMs(candidates) ?? 2 * UNKNOWN_MS) / 2;
  };

  return {
    pick(candidates, context) {
      look(candidates);
      return policy.pick(candidates, context);
    },
    score(candidate, candidates) {
      look(candidates);
      const weights = candidates.reduce((sum, { weight }) => sum + weight, 0);
      return cost(candidate, weights / candidates.length);
    },
    expectedMs(candidate, candidates) {
      look(candidates);
      return expectedMs(candidate);
    },
  };
}

function bestLatencyMs(candidates: readonly Candidate[]): number | null {
  let best = Infinity;
  for (const candidate of candidates) {
    const { costMs } = candidate.latency();
    if (costMs > 0 && costMs < best) best = costMs;
  }
  return best === Infinity ? null : best;
}
