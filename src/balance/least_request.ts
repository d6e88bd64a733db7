// Fewest requests in flight per weight, counted over the whole pod.
//
// The load is what is there now, not what would be there with one more: (inFlight + 1) / weight would send
// all traffic of a quiet group to its heaviest endpoint. Idle endpoints tie, and ties go by weight.

import type { BalanceConfig } from "../config/schema.ts";
import type { BalancerInputs, Candidate, Policy } from "./balancer.ts";
import { cheapestOf } from "./cheapest.ts";

/** The policy `least_request`. */
export function leastRequest(
  { choices }: Pick<BalanceConfig, "choices">,
  { random }: Pick<BalancerInputs, "random">,
): Policy {
  return { ...cheapestOf(choices, requestsPerWeight, random), score: requestsPerWeight };
}

/** Requests in flight at a candidate, in units of its weight. */
export function requestsPerWeight(candidate: Candidate): number {
  return candidate.inFlight() / candidate.weight;
}
