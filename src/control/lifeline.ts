// Tells that a worker's thread has ended, however it ended.
//
// A worker holds a lock of its own from before it listens, and never gives it back: the runtime does when the
// thread is gone, and what it listened on with it. `terminate()` promises nothing of the kind: a thread that loops runs
// on. No message could tell the two apart, as neither thread would send one.

import type { Cancel } from "./clock.ts";

/** Calls back once nobody holds the lock any more. The returned function gives up waiting. */
export function whenReleased(lock: string, callback: () => void): Cancel {
  const waiting = new AbortController();
  navigator.locks.request(lock, { signal: waiting.signal }, callback).catch((error: unknown) => {
    if (!waiting.signal.aborted) throw error;
  });
  return () => waiting.abort();
}
