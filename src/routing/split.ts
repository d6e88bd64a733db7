// Which side of a weighted split a request goes to. Pure: the caller brings a turn or a hash.
//
// By turn the split is exact: every run of as many turns as the weights sum up to (in lowest terms) gives
// each side its weight, wherever the run begins, and a side's turns lie spread through it, so workers that
// count for themselves are exact together. By hash a client stays at its side; when weights move, only the clients
// between the old border and the new one change sides.

/** One side of a split; weights count in proportion. */
export interface SplitSide {
  readonly upstream: string;
  readonly weight: number;
}

/** Shares requests out between the sides. */
export interface Split {
  /** The upstream of a turn: 0, 1, 2, ... */
  byTurn(turn: number): string;
  /** The upstream of a hash: 0 to 2^32 - 1, spread evenly. */
  byHash(hash: number): string;
}

/** A side of weight 0 gets nothing; when all are 0 (which `check` refuses) the first gets everything. */
export function makeSplit(sides: readonly SplitSide[]): Split {
  const divisor = sides.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0) || 1;
  const total = sides.reduce((sum, { weight }) => sum + weight, 0) / divisor;
  const sideAt = (position: number) => {
    let end = 0;
    for (const { upstream, weight } of sides) {
      end += weight / divisor;
      if (position < end) return upstream;
    }
    return sides[0]!.upstream;
  };
  const stride = strideThrough(total);
  return {
    // turn < total and stride < total, at most 10^4 times the sides each: the product is exact.
    byTurn: (turn) => total === 0 ? sideAt(0) : sideAt((turn % total) * stride % total),
    byHash: (hash) => sideAt(hash / 0x1_0000_0000 * total),
  };
}

const GOLDEN_SECTION = 0.618_033_988_75;

/** A step that visits every position once per round, near the golden section: neighbours land far apart. */
function strideThrough(total: number): number {
  let stride = Math.max(1, Math.round(total * GOLDEN_SECTION));
  while (greatestCommonDivisor(stride, total) !== 1 && stride > 1) stride--;
  return stride;
}

/** Of two whole numbers, of which one may be 0. */
export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
