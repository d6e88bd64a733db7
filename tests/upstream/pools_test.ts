import { assertEquals } from "@std/assert";
import { type IdleKeeper, Pools } from "../../src/upstream/pools.ts";

/** Since when the oldest of each keeper idles, null for none, and a time -> which one gives way. */
const rooms:
  readonly (readonly [idleSince: readonly (number | null)[], since: number, which: number | null])[] = [
    [[], Infinity, null],
    [[null, null], Infinity, null],
    [[30, 10, 20], Infinity, 1],
    [[10, 20, 30], Infinity, 0],
    [[null, 30, 20], Infinity, 2],
    [[30, 20], 20, 1],
    [[30, 20], 19, null],
  ];

for (const [idleSince, since, which] of rooms) {
  Deno.test(`Pools.makeRoom(${since}) among what idles since ${idleSince.join(", ")}`, () => {
    const asked: number[] = [];
    const pools = new Pools();
    const keepers = idleSince.map((since, index): IdleKeeper => ({
      oldest: since === null ? null : {
        idleSince: since,
        giveWay() {
          asked.push(index);
          return Promise.resolve();
        },
      },
    }));
    for (const keeper of keepers) pools.add(keeper);
    assertEquals(pools.makeRoom(since) === null, which === null);
    assertEquals(asked, which === null ? [] : [which]);
    for (const keeper of keepers) pools.remove(keeper);
    assertEquals(pools.makeRoom(), null);
  });
}
