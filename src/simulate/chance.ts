// Chance that comes out the same every time: a seeded generator, and the distributions made from it.

/** Uniform in [0, 1): Mulberry32. The same seed gives the same numbers on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Exponential with the given mean: the gaps of a Poisson process. */
export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** Pareto with the given least value: most are near it, a few are a hundred times as long. */
export function pareto(random: () => number, least: number, shape: number, most: number): number {
  return Math.min(most, least / (1 - random()) ** (1 / shape));
}
