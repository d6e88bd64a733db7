// What is told by an error that was caught: anything may have been thrown.

/** An error's message, or what else was thrown as text; without the `Error: ` that Deno.serve puts before some. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^Error: /, "");
}

/** Whether the process has no file descriptor left: Deno has no class for that. */
export function wantsDescriptors(error: unknown): boolean {
  return /too many open files|os error 24/i.test(messageOf(error));
}
