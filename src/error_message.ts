// What somebody is told of an error that was caught: anything may have been thrown.

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
