// Candidates and chance with known values, for tables of picks.

import type { BalancerInputs, Candidate, PickContext } from "../../src/balance/balancer.ts";
import { requestHead } from "../support/request_head.ts";

export interface Given {
  id?: string;
  weight?: number;
  inFlight?: number;
  costMs?: number;
  atMs?: number;
}

/** A candidate whose load and latency the test changes at will. */
export class FakeCandidate implements Candidate {
  readonly id: string;
  readonly weight: number;
  load: number;
  costMs: number;
  atMs: number;

  constructor(given: Given, index: number) {
    this.id = given.id ?? `http://10.0.0.${index + 1}:80`;
    this.weight = given.weight ?? 1;
    this.load = given.inFlight ?? 0;
    this.costMs = given.costMs ?? 0;
    this.atMs = given.atMs ?? 0;
  }

  inFlight(): number {
    return this.load;
  }

  latency(): { costMs: number; atMs: number } {
    return { costMs: this.costMs, atMs: this.atMs };
  }
}

export function candidates(...given: Given[]): FakeCandidate[] {
  return given.map((each, index) => new FakeCandidate(each, index));
}

export function equals(count: number): FakeCandidate[] {
  return candidates(...Array.from({ length: count }, () => ({})));
}

/** Draws that come in the order written; one more is a fault of the policy. */
export function scripted(...draws: number[]): () => number {
  let next = 0;
  return () => {
    if (next === draws.length) throw new Error(`draw ${next + 1} was not scripted`);
    return draws[next++]!;
  };
}

/** Mulberry32: the same numbers every time. */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function inputs(): BalancerInputs {
  let turn = 0;
  return { random: scripted(), now: () => 0, turn: () => turn++ };
}

export function request(
  given: { target?: string; headers?: string[]; client?: string } = {},
): PickContext {
  return {
    clientAddress: given.client ?? "192.0.2.1",
    head: requestHead({ target: given.target ?? "/", headers: given.headers ?? [] }),
  };
}

/** How often each candidate was picked, in the order of the list. */
export function shares<C>(list: readonly C[], picks: number, pick: () => C): number[] {
  const counts = new Map<C, number>();
  for (let i = 0; i < picks; i++) {
    const picked = pick();
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return list.map((each) => counts.get(each) ?? 0);
}
