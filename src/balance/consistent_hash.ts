// The same client (or header, cookie, path, query value) at the same endpoint, within a bound on its load.
//
// A value has one place in a table; its endpoint takes the request unless it already has its share of the
// pod's requests times `boundPercent` (Mirrokni et al., consistent hashing with bounded loads); then the next
// places are asked. The bounds add up to more than there is, so somebody is always below. Counting and
// leasing are two steps, so requests that workers place in the same instant may pass a bound together.

import type { BalanceConfig } from "../config/schema.ts";
import type { BalancerInputs, Candidate, Policy } from "./balancer.ts";
import { cheapest } from "./cheapest.ts";
import { hash32 } from "./hash.ts";
import { hashKey } from "./hash_key.ts";
import { leastRequest, requestsPerWeight } from "./least_request.ts";
import { MAGLEV_PLACES, maglevTable } from "./maglev.ts";

type HashConfig = Pick<BalanceConfig, "hashOn" | "boundPercent" | "choices">;

/** The policy `consistent_hash`; requests without a value to hash go by least_request. */
export function consistentHash(config: HashConfig, { random }: Pick<BalancerInputs, "random">): Policy {
  const valueOf = hashKey(config.hashOn);
  const withoutValue = leastRequest(config, { random });
  let known: readonly Candidate[] = [];
  let table: Uint16Array = new Uint16Array(0);
  let weightTotal = 0;

  function pickAt<C extends Candidate>(candidates: readonly C[], home: number): C {
    const first = candidates[table[home]!]!;
    if (first.inFlight() === 0) return first;
    const percentPerWeight = config.boundPercent * (inFlightTotal(candidates) + 1) / weightTotal;
    for (let step = 0; step < MAGLEV_PLACES; step++) {
      const candidate = candidates[table[(home + step) % MAGLEV_PLACES]!]!;
      if (candidate.inFlight() < Math.ceil(percentPerWeight * candidate.weight / 100)) return candidate;
    }
    // Only where requests came and went during the walk.
    return cheapest(candidates, requestsPerWeight, 1, random);
  }

  return {
    pick(candidates, context) {
      const value = valueOf(context);
      if (value === undefined || value === "") return withoutValue.pick(candidates, context);
      if (candidates !== known) {
        known = candidates;
        table = maglevTable(candidates);
        weightTotal = candidates.reduce((total, { weight }) => total + weight, 0);
      }
      return pickAt(candidates, hash32(value) % MAGLEV_PLACES);
    },
  };
}

function inFlightTotal(candidates: readonly Candidate[]): number {
  let total = 0;
  for (const candidate of candidates) total += candidate.inFlight();
  return total;
}
