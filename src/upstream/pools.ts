// All that idles in one worker, to endpoints and of clients: out of descriptors, what idles the longest makes room.
//
// Endpoints add their pools, and the event loop its ports. Whoever wants a descriptor asks: a dial, or a listener
// that accepts.

import type { Idler } from "../http1/idler.ts";

/** Keeps connections that idle, or knows none of them. */
export interface IdleKeeper {
  /** The one that idles the longest. */
  readonly oldest: Idler | null;
}

export class Pools {
  private readonly all = new Set<IdleKeeper>();

  add(keeper: IdleKeeper): void {
    this.all.add(keeper);
  }

  remove(keeper: IdleKeeper): void {
    this.all.delete(keeper);
  }

  /**
   * Closes the connection that idles the longest; settles once its descriptor is free. Null: none has idled since
   * `since` at the latest, in monotonic milliseconds.
   */
  makeRoom(since = Infinity): Promise<void> | null {
    let longest: Idler | null = null;
    for (const { oldest } of this.all) {
      if (oldest === null || oldest.idleSince > (longest?.idleSince ?? since)) continue;
      longest = oldest;
    }
    return longest === null ? null : longest.giveWay();
  }
}
