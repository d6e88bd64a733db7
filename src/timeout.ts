// One call after a while, for whoever else may be given a clock of a test's in its place.

/** Calls back once after `ms`, unless the returned function is called first. */
export function timeout(ms: number, act: () => void): () => void {
  const id = setTimeout(act, ms);
  return () => clearTimeout(id);
}
