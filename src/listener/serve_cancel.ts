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
/** Passes of timers, a millisecond each: so many, and one more for each so many requests. 57 were told of in each. */
const PASSES_MIN = 16;
const TOLD_IN_PASS = 16;

/**
 * The passes after which no client can have cancelled any more.
 * @param requests those under way, this one included: each may be one of which Deno tells first
 */
export function passesFor(requests: number): Rounds {
  return { max: PASSES_MIN + Math.ceil(requests / TOLD_IN_PASS), next: nextPass };
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
