// Why an exchange on a connection broke off, and where it was.

import { messageOf } from "../error_message.ts";
import { isClientRefused, tlsCause } from "./tls.ts";

/** What a connection waits for; names the timeout that ended it. `request`: for the client's body. */
export type Phase = "request" | "send" | "head" | "body";

/** The connection failed while an exchange was on it. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  constructor(
    /**
     * `closed`: the endpoint closed; `reset`: it reset; `timedOut`: a deadline of ours passed; `refused`: it
     * did not take us for its client, and read nothing.
     */
    readonly kind: "closed" | "reset" | "timedOut" | "refused",
    readonly phase: Phase,
    message: string,
  ) {
    super(message);
  }
}

/**
 * What a failed read or write means.
 * @param error null when the endpoint closed
 * @param timedOut the phase whose deadline of ours closed the connection, or null
 */
export function connectionFailure(error: unknown, phase: Phase, timedOut: Phase | null): ConnectionError {
  if (timedOut !== null) {
    return new ConnectionError("timedOut", timedOut, `no progress in time (${timedOut})`);
  }
  if (error === null) return new ConnectionError("closed", phase, "closed by the endpoint");
  const reset = error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
  if (isClientRefused(error)) return new ConnectionError("refused", phase, tlsCause(error));
  if (reset) return new ConnectionError("reset", phase, "reset by the endpoint");
  return new ConnectionError("closed", phase, messageOf(error));
}
