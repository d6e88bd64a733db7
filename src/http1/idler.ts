// What connections that idle have in common, those of clients and those to endpoints: they can give their
// descriptor back.

import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** Deno keeps the socket of a TLS connection for 100 ms after it was closed. */
const TLS_CLOSE_MS = 110;

/** A connection that may idle, and then gives way to others. */
export interface Idler {
  /** Monotonic milliseconds. */
  readonly idleSince: number;
  /** Closes it while it idles; settles once its descriptor is free. */
  giveWay(): Promise<void>;
}

/** Settles once the descriptor of `conn`, which was closed during `reading`, is free. Never rejects. */
export async function descriptorFree(
  conn: Deno.TcpConn | Deno.TlsConn,
  reading: Promise<unknown>,
  wheel: TimerWheel,
): Promise<void> {
  // Deno keeps the socket until the read on it has ended.
  await reading.catch(() => {});
  if (!("handshake" in conn)) return;
  await new Promise<void>((free) => wheel.arm(new Timer(free), TLS_CLOSE_MS));
}
