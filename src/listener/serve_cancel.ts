// Whether a client has left that Deno may be about to tell of: behind an upload over HTTP/2, or before a WebSocket.
//
// Deno ends the body of a stream that is reset with NO_ERROR or CANCEL as if it were whole. That it was cancelled the
// request's signal tells, mostly before; while many are cancelled at once, well behind it. How far behind is a matter
// of how often the loop comes round and how many there are to be told of, and not of time.

import { setImmediate } from "node:timers";

/** How long Deno may take to tell: so many rounds of the loop. */
export interface Rounds {
  readonly max: number;
  readonly next: (then: () => void) => void;
}

/** Turns in which Deno tells of a client that cancelled its only request: two, as was seen. */
export const TURNS: Rounds = { max: 2, next: (then) => void setImmediate(then) };
/** In so many turns Deno tells of no more than this many. */
const TOLD_IN_TURNS = 128;
/** Passes of timers, a millisecond each: for each body, and one more for so many requests. 57 were told of in each. */
const PASSES_MIN = 16;
const TOLD_IN_PASS = 16;

/**
 * The rounds after which no client can have cancelled any more.
 * @param requests those under way, this one included: each may be one of which Deno tells first
 * @param isBody whether some of it has come, or should have: else every DELETE would be held up, which may have none
 */
export function roundsFor(requests: number, isBody: boolean): Rounds {
  if (!isBody && requests <= TOLD_IN_TURNS) return TURNS;
  const passes = Math.ceil(requests / TOLD_IN_PASS);
  return { max: isBody ? PASSES_MIN + passes : passes, next: nextPass };
}

function nextPass(then: () => void): void {
  setTimeout(then, 0);
}

/** Waits for `signal` as long as it may take Deno, and as long as somebody reads `body`, where there is one. */
export async function isCancelled(
  signal: AbortSignal,
  { max, next }: Rounds,
  body: { readonly ended: boolean } | null,
): Promise<boolean> {
  for (let left = max; left > 0 && !signal.aborted && body?.ended !== true; left--) {
    await new Promise<void>(next);
  }
  return signal.aborted;
}
