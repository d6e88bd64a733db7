// The shape that least_request and peak_ewma share: look at some candidates, take the cheapest.
//
// `choices: N` draws N distinct ones by weight (Mitzenmacher's power of two choices: the longest queue falls
// from log n to log log n, and workers with the same view do not all rush to the same endpoint);
// `choices: all` looks at every one and is exact. What "cheap" means is the policy's.

import type { BalanceConfig } from "../config/schema.ts";
import type { Candidate, Policy } from "./balancer.ts";
import { Draw } from "./draw.ts";

/** What it would cost to give `candidate` one more request. `weightMean` is that of the whole list. */
export type Cost = (candidate: Candidate, weightMean: number) => number;

/** A policy that takes the cheapest of `choices` candidates by `cost`. */
export function cheapestOf(choices: BalanceConfig["choices"], cost: Cost, random: () => number): Policy {
  let known: readonly Candidate[] = [];
  let draw = new Draw(known, 0);
  return {
    pick(candidates) {
      if (candidates !== known) {
        known = candidates;
        draw = new Draw(candidates, choices === "all" ? 0 : choices);
      }
      if (choices === "all" || choices >= candidates.length) {
        return cheapest(candidates, cost, draw.weightMean, random);
      }
      return cheapestDrawn(candidates, choices, draw, cost, random);
    },
  };
}

/** Exact: scans all; among equals each has the chance of its weight. */
export function cheapest<C extends Candidate>(
  candidates: readonly C[],
  cost: Cost,
  weightMean: number,
  random: () => number,
): C {
  let best = candidates[0]!;
  let bestCost = Infinity;
  let tiedWeight = 0;
  for (const candidate of candidates) {
    const candidateCost = cost(candidate, weightMean);
    if (candidateCost > bestCost) continue;
    const { weight } = candidate;
    tiedWeight = candidateCost < bestCost ? weight : tiedWeight + weight;
    // The first of a tie has weight / tiedWeight = 1 and needs no draw.
    if (tiedWeight === weight || random() * tiedWeight < weight) best = candidate;
    bestCost = candidateCost;
  }
  return best;
}

/** Among equals the first drawn wins: it was drawn with the chance of its weight. */
function cheapestDrawn<C extends Candidate>(
  candidates: readonly C[],
  choices: number,
  draw: Draw,
  cost: Cost,
  random: () => number,
): C {
  draw.begin();
  let best = candidates[draw.next(random)]!;
  let bestCost = cost(best, draw.weightMean);
  for (let drawn = 1; drawn < choices; drawn++) {
    const candidate = candidates[draw.next(random)]!;
    const candidateCost = cost(candidate, draw.weightMean);
    if (candidateCost >= bestCost) continue;
    best = candidate;
    bestCost = candidateCost;
  }
  return best;
}
