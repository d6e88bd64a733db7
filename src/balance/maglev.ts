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
/** Makes the hash of a step another one than that of the first place. */
export const STEP_SEED = 0x73746570;
const FREE = 0xffff;

/** What the table asks of an endpoint; weights count in proportion, above 0. */
export interface MaglevEndpoint {
  readonly id: string;
  readonly weight: number;
}

/**
 * Place -> index of its endpoint. The order of `endpoints` does not matter for who owns a place.
 *
 * It is worked out on the thread that serves, at each step of a slow start: some 700,000 places are looked at, so what
 * that takes is spelled out over typed arrays, without a division.
 */
export function maglevTable(endpoints: readonly MaglevEndpoint[]): Uint16Array {
  const table = new Uint16Array(MAGLEV_PLACES).fill(FREE);
  const order = endpoints.map((_, index) => index).sort((a, b) =>
    endpoints[a]!.id < endpoints[b]!.id ? -1 : 1
  );
  const places = Int32Array.from(order, (index) => hash32(endpoints[index]!.id, OFFSET_SEED) % MAGLEV_PLACES);
  const steps = Int32Array.from(
    order,
    (index) => hash32(endpoints[index]!.id, STEP_SEED) % (MAGLEV_PLACES - 1) + 1,
  );
  const weightMax = Math.max(...endpoints.map(({ weight }) => weight));
  const shares = Float64Array.from(order, (index) => endpoints[index]!.weight / weightMax);
  const credits = new Float64Array(order.length);
  let free = MAGLEV_PLACES;
  while (free > 0) {
    for (let i = 0; i < shares.length; i++) {
      // The heaviest claims a place each round, the others when their share adds up to one.
      const credit = credits[i]! + shares[i]!;
      credits[i] = credit < 1 ? credit : credit - 1;
      if (credit < 1) continue;
      const step = steps[i]!;
      let place = places[i]!;
      while (table[place] !== FREE) {
        place += step;
        if (place >= MAGLEV_PLACES) place -= MAGLEV_PLACES;
      }
      table[place] = order[i]!;
      places[i] = place;
      if (--free === 0) break;
    }
  }
  return table;
}
