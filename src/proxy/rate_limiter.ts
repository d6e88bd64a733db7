// How often each key may come: one small clock per key, in memory that all workers of the pod share.
//
// GCRA, the leaky bucket that needs one number: the time at which the key's bucket is empty again. A request
// moves it forward by its cost; it is over the limit when that time is more than a burst away. A slot whose
// time has passed holds nothing worth keeping, so a new key may take it: idle keys leave by themselves.
//
// A slot is one 64-bit word, the key's tag and the time, changed by compare-and-swap alone. A key looks for its
// slot in PROBES places; two keys with the same tag there share a rate (odds of 2^-29 for each pair). When all
// places are taken by keys that are busy, the request passes unlimited: whoever can bring so many keys has a
// burst for each of them anyway, and the others must not pay for it.

import { hash32 } from "../balance/hash.ts";
import type { Board } from "../board/layout.ts";

/** How often one key may come. */
export interface Rate {
  readonly requestsPerSecond: number;
  /** Requests at once. */
  readonly burst: number;
}

export interface RateLimiterInputs {
  readonly board: Board;
  /** Monotonic milliseconds, the same clock in all workers. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The same in all workers of a pod, unknown to clients: nobody can choose whose slot they share. */
  readonly salt: string;
}

/** Places in which a key may be: with half of all slots busy, one key in 250 finds none. */
const PROBES = 8;
/** Microseconds: 2.2 years of uptime until the clock of a slot wraps around. */
const TIME_BITS = 46n;
const TIME_MASK = (1n << TIME_BITS) - 1n;
const TAG_MASK = 0x3ffff;
/** A year: no key's burst takes longer to come back, as its slot could not tell when. */
export const FULL_S_MAX = 365 * 86_400;

export class RateLimiter {
  private readonly words: BigUint64Array<SharedArrayBuffer>;

  constructor(private readonly inputs: RateLimiterInputs) {
    const { handle, layout } = inputs.board;
    this.words = new BigUint64Array(handle.memory, layout.rateSlots * 4, layout.capacity.rateSlotsMax);
  }

  /** Takes one request of `key` in; 0 when it may pass, else the milliseconds until one may. */
  take(key: string, rate: Rate): number {
    const nowUs = Math.floor(this.inputs.now() * 1_000);
    const hash = hash32(key, hash32(this.inputs.salt));
    // Tag 0 with time 0 is an empty slot: tags start at 1.
    const tag = (hash32(this.inputs.salt, hash) & TAG_MASK) || 1;
    const costUs = Math.min(1 / rate.requestsPerSecond, FULL_S_MAX / rate.burst) * 1_000_000;
    while (true) {
      const slot = this.find(hash, tag, nowUs);
      if (slot < 0) return 0;
      const word = Atomics.load(this.words, slot);
      if (tagOf(word) !== tag && timeOf(word) > nowUs) continue; // Another key took it in between.
      const emptyAtUs = Math.max(timeOf(word), nowUs);
      const overUs = emptyAtUs - nowUs - (rate.burst - 1) * costUs;
      if (overUs > 0) return overUs / 1_000;
      const next = BigInt(tag) << TIME_BITS | BigInt(emptyAtUs + this.whole(costUs)) & TIME_MASK;
      if (Atomics.compareExchange(this.words, slot, word, next) === word) return 0;
    }
  }

  /** Whole microseconds, right on average: a high rate would drift if its cost were rounded. */
  private whole(costUs: number): number {
    return Math.floor(costUs + this.inputs.random());
  }

  /** The key's slot, else one that it may take, else -1. */
  private find(hash: number, tag: number, nowUs: number): number {
    let free = -1;
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) % this.words.length;
      const word = Atomics.load(this.words, slot);
      if (tagOf(word) === tag) return slot;
      if (free < 0 && timeOf(word) <= nowUs) free = slot;
    }
    return free;
  }
}

function tagOf(word: bigint): number {
  return Number(word >> TIME_BITS);
}

function timeOf(word: bigint): number {
  return Number(word & TIME_MASK);
}
