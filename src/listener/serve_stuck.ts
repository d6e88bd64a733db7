// Reads of uploads that Deno.serve will never end, counted, so that it gives way to another before they are many.
//
// A client that leaves over HTTP/1.1 while its answer streams is told of to the answer alone (Deno 2.9.6): a read of its
// upload that is under way then stays so, and keeps the connection's descriptor and a third of a megabyte. Nothing but
// the `shutdown()` of their Deno.serve ends such reads.

/** Of one Deno.serve: forty megabytes. */
export const STUCK_MAX = 128;

/** Ends the wait of the worn Deno.serve that waits for whoever is on it: there is one of them in a worker at most. */
let endWait = () => {};

/** Settles with `over`, or once another Deno.serve is worn as well: two that wait would keep too much. */
export function overOrNextWorn(over: Promise<unknown>): Promise<unknown> {
  endWait();
  const { promise, resolve } = Promise.withResolvers<void>();
  endWait = resolve;
  return Promise.race([over, promise]);
}

export class StuckReads {
  private count = 0;

  /** @param onTooMany called for each from the last that may be on */
  constructor(private readonly onTooMany: () => void) {}

  /** A client has left a read behind, until the returned function is called. */
  begin(): () => void {
    if (++this.count >= STUCK_MAX) this.onTooMany();
    return () => void this.count--;
  }
}
