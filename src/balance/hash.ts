// A small, fast, well spread hash of text: MurmurHash3 (x86, 32 bits) of its UTF-16 code units.
//
// Places clients and endpoints for consistent hashing. All workers and all pods must agree on it, so it has
// no per-process seed. It is not a cryptographic hash: a client who can choose the hashed value can choose
// its endpoint, which is what hashing on that value means; the load bound holds all the same.

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** An unsigned 32-bit hash of `text`. Two code units make one block, so any string hashes, not only latin-1. */
export function hash32(text: string, seed = 0): number {
  let hash = seed | 0;
  const even = text.length & ~1;
  for (let i = 0; i < even; i += 2) {
    hash ^= scramble(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (even !== text.length) hash ^= scramble(text.charCodeAt(even));
  return finish(hash ^ (text.length * 2));
}

function scramble(block: number): number {
  const mixed = Math.imul(block, C1);
  return Math.imul((mixed << 15) | (mixed >>> 17), C2);
}

/** Spreads every input bit over the whole result. */
function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
