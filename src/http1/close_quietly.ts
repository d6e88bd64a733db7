// Closing what may be closed already.

/** Closes; does nothing when somebody else was first. */
export function closeQuietly(closer: { close(): void }): void {
  try {
    closer.close();
  } catch {
    // Closed before: that is all that was wanted.
  }
}
