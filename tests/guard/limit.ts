// How far a count may stand above the recorded one before it is a regression.

import type { ListenerName } from "../support/weir.ts";
import { type Counts, FIGURES, type SceneName } from "./counts.ts";

export type Recorded = Readonly<Record<ListenerName, Readonly<Record<SceneName, Counts>>>>;

/** What the optimising compiler leaves of the objects differs from run to run; calls do not. */
const BYTES_HEADROOM = 1.1;
/** A connection's own buffers, spread over its exchanges. */
const BYTES_ROOM = 64;
/** Heartbeats between exchanges stay below this, however busy the machine; one call more in each is twice that. */
const CALLS_HEADROOM = 0.5;
/** In how many pieces a large body comes also depends on which core the origin runs on. */
const CALLS_HEADROOM_LARGE = 2;

/** Every figure of `counts` that is above what is allowed, in words; empty when Weir is as lean as recorded. */
export function excess(scene: SceneName, counts: Counts, recorded: Counts): string[] {
  const callsHeadroom = scene === "GET 300 KB" ? CALLS_HEADROOM_LARGE : CALLS_HEADROOM;
  return FIGURES.flatMap((figure) => {
    const [count, was] = [counts[figure], recorded[figure]];
    if (count === undefined) return [];
    if (was === undefined) return [`${figure} is not recorded: deno task guard:record`];
    const limit = figure.endsWith("Bytes") ? was * BYTES_HEADROOM + BYTES_ROOM : was + callsHeadroom;
    return count <= limit ? [] : [`${count.toFixed(2)} ${figure} per exchange, recorded ${was}`];
  });
}
