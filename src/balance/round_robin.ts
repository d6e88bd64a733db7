// Smooth weighted turns: every endpoint exactly as often as its weight says, evenly spread.
//
// The turn is one counter for the whole pod, so the turns of all workers together are exact. With equal
// weights the sequence is the list itself; with others it is worked out once per list of candidates.

import { greatestCommonDivisor } from "../routing/split.ts";
import type { BalancerInputs, Candidate, Policy } from "./balancer.ts";

/** Longest sequence of a small group; weights that need more are rounded to fit, and each still gets one turn. */
export const SEQUENCE_LENGTH_MAX = 4_096;
/** Turns of an endpoint in the longest sequence of a large group: fewer, and rounding would make light and heavy alike. */
const TURNS_PER_ENDPOINT_MAX = 16;

/** The policy `round_robin`. */
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
  const classes = classesOf(wholeTurns(weights));
  const length = sum(classes.map(({ share }) => share));
  const sequence = new Uint16Array(length);
  // Each step every class earns its share and the richest pays for the turn: heavy ones come often, never in a
  // row while others are due.
  for (let step = 0; step < length; step++) {
    let richest = classes[0]!;
    for (const one of classes) {
      one.credit += one.share;
      if (one.credit > richest.credit) richest = one;
    }
    richest.credit -= length;
    const { members } = richest;
    sequence[step] = members[richest.turn++ % members.length]!;
  }
  return sequence;
}

/** Endpoints with equally many turns: they take the turns of their class one after another. */
interface TurnClass {
  readonly members: number[];
  /** Turns of all members together. */
  share: number;
  credit: number;
  turn: number;
}

/**
 * Weights are few and endpoints many: during a slow start a thousand endpoints have some twenty weights, and the
 * sequence is worked out on the thread that serves.
 */
function classesOf(turns: readonly number[]): TurnClass[] {
  const classes = new Map<number, TurnClass>();
  turns.forEach((count, index) => {
    let one = classes.get(count);
    if (one === undefined) classes.set(count, one = { members: [], share: 0, credit: 0, turn: 0 });
    one.members.push(index);
    one.share += count;
  });
  return [...classes.values()];
}

/** Weights as the smallest whole numbers of turns in the same proportion. */
function wholeTurns(weights: readonly number[]): number[] {
  // A weight is whole, or whole times per mille (slow start).
  const permille = weights.map((weight) => Math.max(1, Math.round(weight * 1_000)));
  const divisor = permille.reduce(greatestCommonDivisor);
  const turns = permille.map((weight) => weight / divisor);
  const total = sum(turns);
  const lengthMax = Math.max(SEQUENCE_LENGTH_MAX, TURNS_PER_ENDPOINT_MAX * turns.length);
  if (total <= lengthMax) return turns;
  return turns.map((weight) => Math.max(1, Math.round(weight * lengthMax / total)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
