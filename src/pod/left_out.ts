// What becomes of endpoints that a pod has no room for: people are told, and they join once there is room.
//
// Used by `pod.ts`, which calls `published()` after each publication of everything.

import type { Cancel, Clock } from "../control/clock.ts";
import type { EventBook } from "./event_book.ts";
import type { Publisher } from "./publisher.ts";

/** How often it is looked whether there is room: those that left may keep theirs until their last request ends. */
export const LOOK_FOR_ROOM_MS = 1_000;

export interface LeftOutInputs {
  readonly publisher: Pick<Publisher, "leftOut" | "hasRoomAgain" | "endpointsMax">;
  readonly clock: Pick<Clock, "after">;
  readonly events: Pick<EventBook, "add">;
  /** Publishes everything again. */
  readonly publish: () => void;
}

export class LeftOut {
  /** Upstreams of which people know that some endpoints are left out. */
  private told: ReadonlySet<string> = new Set();
  private cancelLook: Cancel = () => {};

  constructor(private readonly inputs: LeftOutInputs) {}

  published(): void {
    const { publisher: { leftOut, endpointsMax }, events } = this.inputs;
    for (const [name, count] of leftOut) {
      if (this.told.has(name)) continue;
      events.add(
        "discovery",
        "bad",
        `${name}: ${count} endpoints are left out: a pod has room for ${endpointsMax}`,
      );
    }
    for (const name of this.told) {
      if (!leftOut.has(name)) events.add("discovery", "good", `${name}: no endpoint is left out any more`);
    }
    this.told = new Set(leftOut.keys());
    this.cancelLook();
    if (leftOut.size > 0) this.look();
  }

  private look(): void {
    const { publisher, clock, publish } = this.inputs;
    this.cancelLook = clock.after(LOOK_FOR_ROOM_MS, () => {
      if (publisher.hasRoomAgain) publish();
      else this.look();
    });
  }

  stop(): void {
    this.cancelLook();
  }
}
