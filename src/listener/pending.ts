// Whether a system call has to wait.

/** Turns of the microtask queue in which a call that need not wait has settled. */
const TURNS = 2;
/** Those in which a body's read has settled that need not wait. */
export const READ_TURNS = 10;

/**
 * Deno asks the kernel when a read or an accept begins, so one that is pending after a moment found nothing.
 * @param turns in which what is made of the call has settled, too
 */
export async function isPending(promise: Promise<unknown>, turns = TURNS): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < turns && !settled; turn++) await null;
  return !settled;
}
