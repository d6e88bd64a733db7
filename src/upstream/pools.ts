// The pools of all endpoints of one worker: out of descriptors, the connection that idles the longest makes room.

import type { Connection } from "./connection.ts";
import type { Pool } from "./pool.ts";

export class Pools {
  private readonly all = new Set<Pool>();

  add(pool: Pool): void {
    this.all.add(pool);
  }

  remove(pool: Pool): void {
    this.all.delete(pool);
  }

  /** Closes the connection that idles the longest; settles once its descriptor is free. Null: none idles. */
  makeRoom(): Promise<void> | null {
    let oldest: Connection | null = null;
    for (const pool of this.all) {
      const candidate = pool.oldest;
      if (candidate === null) continue;
      if (oldest === null || candidate.idleSince < oldest.idleSince) oldest = candidate;
    }
    return oldest === null ? null : oldest.giveWay();
  }
}
