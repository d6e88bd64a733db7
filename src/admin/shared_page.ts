// A page that takes long to make, made once for all who ask before it is begun.
//
// Kept by `handler.ts`. With thousands of endpoints a page takes the main thread tenths of a second: many who ask
// at once must not keep it from probes and health checks. Nobody gets what was made before he asked.

/**
 * @param make makes the page; what it throws, all who asked get
 * @param turn settles when the event loop has turned
 */
export function sharedPage<T>(make: () => T, turn: () => Promise<void> = loopTurn): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () =>
    asked ??= turn().then(() => {
      asked = null;
      return make();
    });
}

function loopTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
