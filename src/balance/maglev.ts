// The lookup table of consistent hashing: Maglev (Eisenbud et al., NSDI 2016, 3.4).
//
// Each endpoint has its own preference order of all places, made from its id alone, and endpoints take turns
// to claim their next free place. So shares are exact to a place in 65537, a lookup is one array read, and a
// change of the group moves little more than it must. A ring of points would move exactly what it must, but
// needs hundreds of points per endpoint for shares within 10 %, a search per pick, and a sort per change.

import { hash32 } from "./hash.ts";

/** Prime, so that every step width visits all places. */
export const MAGLEV_PLACES = 65_537;

const OFFSET_SEED = 0x6f666673;
const STEP_SEED = 0x73746570;
const FREE = 0xffff;

export interface MaglevEndpoint {
  readonly id: string;
  readonly weight: number;
}

/** Place -> index of its endpoint. The order of `endpoints` does not matter for who owns a place. */
export function maglevTable(endpoints: readonly MaglevEndpoint[]): Uint16Array {
  const table = new Uint16Array(MAGLEV_PLACES).fill(FREE);
  const claimants = inOrderOfId(endpoints);
  const weightMax = Math.max(...claimants.map(({ weight }) => weight));
  let free = MAGLEV_PLACES;
  while (free > 0) {
    for (const claimant of claimants) {
      // The heaviest claims a place each round, the others when their share adds up to one.
      claimant.credit += claimant.weight / weightMax;
      if (claimant.credit < 1) continue;
      claimant.credit -= 1;
      while (table[claimant.place] !== FREE) {
        claimant.place = (claimant.place + claimant.step) % MAGLEV_PLACES;
      }
      table[claimant.place] = claimant.index;
      if (--free === 0) break;
    }
  }
  return table;
}

function inOrderOfId(endpoints: readonly MaglevEndpoint[]) {
  const claimants = endpoints.map(({ id, weight }, index) => ({
    id,
    weight,
    index,
    credit: 0,
    place: hash32(id, OFFSET_SEED) % MAGLEV_PLACES,
    step: hash32(id, STEP_SEED) % (MAGLEV_PLACES - 1) + 1,
  }));
  return claimants.sort((a, b) => a.id < b.id ? -1 : 1);
}
