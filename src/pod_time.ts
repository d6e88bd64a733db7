// The pod's one time, which is the main thread's, in another thread.

import type { SentAt } from "./messages.ts";

/**
 * What leads from a thread's monotonic milliseconds to those of the main thread, which sent `start`. No clock but
 * the wall clock is common to both, so it says how long the message was on its way; it may be set meanwhile, and is
 * believed only between nothing and the time since the thread said `loaded`.
 */
export function podTimeOffsetMs(
  sent: SentAt,
  received: SentAt & { readonly loadedAt: number },
): number {
  const waitedMs = received.now - received.loadedAt;
  const onItsWayMs = Math.min(Math.max(0, received.date - sent.date), waitedMs);
  return sent.now + onItsWayMs - received.now;
}
