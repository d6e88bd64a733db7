// The part of the Web Locks API that Weir uses; Deno has it and does not declare it.

interface LockManager {
  /** Runs `callback` once nobody else holds the lock, and holds it until what that returned settles. */
  request(name: string, callback: () => unknown): Promise<unknown>;
  request(name: string, options: { readonly signal: AbortSignal }, callback: () => unknown): Promise<unknown>;
}

interface Navigator {
  readonly locks: LockManager;
}
