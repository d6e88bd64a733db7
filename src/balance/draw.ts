// Drawing distinct candidates by chance, each with the likelihood of its weight.
//
// What least_request and peak_ewma compare is drawn here. Drawing by weight is what gives a heavy endpoint
// its share when nothing is busy: the comparison then looks at load per weight only, and an idle light
// endpoint is not passed over for an idle heavy one.

import type { Candidate } from "./balancer.ts";

/** Draws from one list of candidates; made once per list, holds its scratch memory. */
export class Draw {
  readonly weightMean: number;
  /** `starts[i]` to `starts[i + 1]` is the stretch of candidate i; null when all weights are 1. */
  private readonly starts: Float64Array | null;
  private readonly total: number;
  private readonly weights: readonly number[];
  /** Stretches that are taken, in ascending order. */
  private readonly taken: Int32Array;
  private takenCount = 0;
  private takenWeight = 0;

  constructor(candidates: readonly Candidate[], private readonly drawsMax: number) {
    const weights = candidates.map(({ weight }) => weight);
    const equal = weights.every((weight) => weight === weights[0]);
    this.weights = equal ? weights.map(() => 1) : weights;
    this.starts = equal ? null : runningSums(this.weights);
    this.total = this.starts === null ? weights.length : this.starts[weights.length]!;
    this.weightMean = equal ? weights[0]! : this.total / weights.length;
    this.taken = new Int32Array(drawsMax);
  }

  /** Forgets what was drawn. */
  begin(): void {
    this.takenCount = 0;
    this.takenWeight = 0;
  }

  /** Index of a candidate not drawn since `begin()`. At most `drawsMax` times, and as many as there are. */
  next(random: () => number): number {
    let point = random() * (this.total - this.takenWeight);
    // Steps over the stretches that are taken: what is left is one line without gaps.
    let place = 0;
    while (place < this.takenCount && point >= this.startOf(this.taken[place]!)) {
      point += this.weights[this.taken[place]!]!;
      place++;
    }
    const index = this.freeIndexAt(point, place);
    this.take(index);
    return index;
  }

  /** Rounding of fractional weights may land on a taken stretch: then the nearest free one is meant. */
  private freeIndexAt(point: number, place: number): number {
    const last = this.weights.length - 1;
    let index = Math.min(last, this.starts === null ? Math.floor(point) : stretchAt(this.starts, point));
    while (place > 0 && index <= last && this.isTaken(index)) index++;
    while (index > last || this.isTaken(index)) index--;
    return index;
  }

  private isTaken(index: number): boolean {
    for (let i = 0; i < this.takenCount; i++) if (this.taken[i] === index) return true;
    return false;
  }

  private take(index: number): void {
    if (this.takenCount === this.drawsMax) return;
    let place = this.takenCount++;
    for (; place > 0 && this.taken[place - 1]! > index; place--) this.taken[place] = this.taken[place - 1]!;
    this.taken[place] = index;
    this.takenWeight += this.weights[index]!;
  }

  private startOf(index: number): number {
    return this.starts === null ? index : this.starts[index]!;
  }
}

function runningSums(weights: readonly number[]): Float64Array {
  const starts = new Float64Array(weights.length + 1);
  weights.forEach((weight, i) => starts[i + 1] = starts[i]! + weight);
  return starts;
}

/** The last stretch that starts at or before `point`. */
function stretchAt(starts: Float64Array, point: number): number {
  let low = 0;
  let high = starts.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= point) low = middle;
    else high = middle - 1;
  }
  return low;
}
