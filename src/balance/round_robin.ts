// Smooth weighted turns: every endpoint exactly as often as its weight says, evenly spread.
//
// The turn is one counter for the whole pod, so the turns of all workers together are exact. With equal
// weights the sequence is the list itself; with others it is worked out once per list of candidates.

import type { BalancerInputs, Candidate, Policy } from "./balancer.ts";

/** Longest sequence; weights that need more are rounded to fit, and each still gets one turn. */
export const SEQUENCE_LENGTH_MAX = 4_096;

export function roundRobin({ turn }: Pick<BalancerInputs, "turn">): Policy {
  let known: readonly Candidate[] = [];
  /** Null: all weights are equal. */
  let sequence: Uint16Array | null = null;
  return {
    pick(candidates) {
      if (candidates !== known) {
        known = candidates;
        sequence = turnSequence(candidates.map(({ weight }) => weight));
      }
      if (sequence === null) return candidates[turn() % candidates.length]!;
      return candidates[sequence[turn() % sequence.length]!]!;
    },
  };
}

/** Who has which turn, by index; null when all weights are equal. */
export function turnSequence(weights: readonly number[]): Uint16Array | null {
  if (weights.every((weight) => weight === weights[0])) return null;
  const turns = wholeTurns(weights);
  const length = sum(turns);
  const sequence = new Uint16Array(length);
  // Each step everybody earns their share and the richest pays for the turn: heavy endpoints come often,
  // never in a row while others are due.
  const credit = turns.map(() => 0);
  for (let step = 0; step < length; step++) {
    let richest = 0;
    for (let i = 0; i < turns.length; i++) {
      credit[i]! += turns[i]!;
      if (credit[i]! > credit[richest]!) richest = i;
    }
    credit[richest]! -= length;
    sequence[step] = richest;
  }
  return sequence;
}

/** Weights as the smallest whole numbers of turns in the same proportion. */
function wholeTurns(weights: readonly number[]): number[] {
  // A weight is whole, or whole times per mille (slow start).
  const permille = weights.map((weight) => Math.max(1, Math.round(weight * 1_000)));
  const divisor = permille.reduce(greatestCommonDivisor);
  const turns = permille.map((weight) => weight / divisor);
  const total = sum(turns);
  if (total <= SEQUENCE_LENGTH_MAX) return turns;
  return turns.map((weight) => Math.max(1, Math.round(weight * SEQUENCE_LENGTH_MAX / total)));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
