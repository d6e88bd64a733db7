// Whether an upload over HTTP/2 that Deno ends has been cancelled.
//
// Deno ends the body of a stream that is reset with NO_ERROR or CANCEL as if it were whole. That it was cancelled the
// request's signal tells, mostly before; while many are cancelled at once, well behind it.

import { setImmediate } from "node:timers";
import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** Turns in which Deno tells of a client that cancelled its only request: two, as was seen. */
const TURNS_MAX = 2;
/** Ticks of the wheel in which it tells of one that cancelled two hundred at once: up to seven, as was seen. */
const TICKS_MAX = 8;

/** Waits for `signal` as long as it may take Deno. @param wheel null for what is told of in turns */
export async function isCancelled(signal: AbortSignal, wheel: TimerWheel | null): Promise<boolean> {
  for (let left = wheel === null ? TURNS_MAX : TICKS_MAX; left > 0 && !signal.aborted; left--) {
    await new Promise<void>((resolve) => {
      if (wheel === null) setImmediate(resolve);
      else wheel.arm(new Timer(resolve), wheel.tickMs);
    });
  }
  return signal.aborted;
}
