// What is left of an upload that nobody wants: it is read, so that its client gets to its end and finds the answer.

import { free } from "../http1/buffers.ts";
import type { TimerWheel } from "../timer_wheel.ts";

/** For so long, milliseconds: nginx's `lingering_time`. */
const LEFT_MS_MAX = 30_000;
/** By then Deno has sent the end of an answer that it was just given, milliseconds. */
const ANSWERED_MS = 10;

/**
 * Reads to the end, or gives up. Never rejects.
 * @param behindAnswer it ended a moment ago, and no read may be under way before that is sent: see `ServeBody.part`
 */
export async function readOut(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  wheel: TimerWheel,
  behindAnswer: boolean,
): Promise<void> {
  const endsAt = wheel.now + LEFT_MS_MAX;
  try {
    if (behindAnswer) await wheel.pass(ANSWERED_MS);
    do {
      const { done, value } = await reader.read();
      if (done) return;
      // Left to the garbage collector, what a fast client sends would fill the memory of the pod.
      free(value);
    } while (wheel.now < endsAt);
    await reader.cancel();
  } catch {
    // The client has left.
  }
}
