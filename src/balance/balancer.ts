// What a balancing policy is: given the endpoints that may take a request, it names one.
//
// A policy is a small pure thing: time, chance and the shared turn come in, nothing is remembered but what
// can be computed again. It never filters by health, never retries and never logs; `upstream` has narrowed
// the list before, `proxy` acts on the pick after. A policy is one file here, one line in
// `policies.ts` and its name in the schema.

import type { RequestHead } from "../exchange.ts";

/** What a policy may know of an endpoint. Satisfied by `Endpoint` and by the simulation. */
export interface Candidate {
  readonly id: string;
  /** Configured weight times its slow-start share; above 0, not always whole. */
  readonly weight: number;
  /** Requests at it now, over all workers of the pod. */
  inFlight(): number;
  /** Decayed latency over all workers in milliseconds and the time of its last sample; 0, 0 before any. */
  latency(): { readonly costMs: number; readonly atMs: number };
}

/** What a policy may know of a request; only consistent hashing asks. */
export interface PickContext {
  readonly head: RequestHead;
  /** The one resolved client address. */
  readonly clientAddress: string;
}

/** A policy made ready for one upstream in one worker. */
export interface Balancer {
  /**
   * One of `candidates`, which are never empty. The array is the same object while nothing changed, so a
   * policy may cache what it derives from it by identity, the weights included.
   */
  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C;
  /**
   * One of a list made for this request alone, e.g. without the endpoints that it has tried: the least
   * loaded, ties by chance. Never empty, and nothing is derived from the array, so a retry costs one scan.
   */
  pickOther<C extends Candidate>(others: readonly C[]): C;
  /** What it compares, the lowest wins; for explain. Absent where no number decides. */
  score?(candidate: Candidate, candidates: readonly Candidate[]): number;
  /** How long an idle one is expected to take for an answer. Absent where latency decides nothing. */
  expectedMs?(candidate: Candidate, candidates: readonly Candidate[]): number;
}

/** A policy; what it lacks to be a balancer, `policies.ts` adds. */
export type Policy = Omit<Balancer, "pickOther">;

/** What comes in from outside, so that picks are exact in tests. */
export interface BalancerInputs {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** The next turn of this upstream, shared by all workers: 0, 1, 2, ... and around after 2^32. */
  readonly turn: () => number;
}
