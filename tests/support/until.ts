// Waiting for something that gives no signal of its own: a line of metrics, a count in another process.
// Where there is a promise to await, tests await that instead.

const POLL_MS = 10;
/** A look that takes this long beyond the time is not waited for: whoever was asked does not answer. */
const LOOK_MS_MAX = 10_000;

/** Waits until `holds` does. @throws after `withinMs`, saying `what` did not come true. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const late = () => new Error(`not within ${withinMs} ms: ${what}`);
  const overdue = Promise.withResolvers<never>();
  const timer = setTimeout(() => overdue.reject(late()), withinMs + LOOK_MS_MAX);
  const deadline = performance.now() + withinMs;
  try {
    while (!await Promise.race([holds(), overdue.promise])) {
      if (performance.now() > deadline) throw late();
      await pause();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until a count has stood still over twenty looks in a row, and returns it. */
export async function standstill(count: () => number): Promise<number> {
  let last = count();
  for (let still = 0; still < 20; still++) {
    await pause();
    const now = count();
    if (now !== last) still = 0;
    last = now;
  }
  return last;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
