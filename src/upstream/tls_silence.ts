// Whether an endpoint that has let a TLS handshake run out of time answers one by now, asked over a connection that
// can be closed all the same.
//
// Deno cannot close a connection before its handshake has ended (2.9.6): it keeps its descriptor until the endpoint
// speaks or leaves. `node:tls` can; it is slower, and loaded when it is first needed. So an endpoint that hangs
// costs the descriptors of the handshakes that were under way when the first one ran out of time, and not one for
// every request and every health check since.

import type { UpstreamTlsSnapshot } from "../messages.ts";
import { serverNameOf, type TlsTarget } from "./tls.ts";

/** What is remembered of an endpoint from one handshake to the next. */
export interface TlsHistory {
  /** The last handshake ran out of time, or a connect that cannot be given up either. */
  silent: boolean;
}

/**
 * It has answered: what runs out of time right behind that is slow, and not silent. Taken for silent again, an endpoint
 * that is in time for one handshake, but not for two, would never be reached any more.
 * @returns what the handshake that follows writes into
 */
export function answered(history: TlsHistory): TlsHistory {
  history.silent = false;
  return { silent: false };
}

/**
 * Settles once the endpoint has answered a handshake in whatever way, or cannot be reached: what there is to say of
 * it, the handshake that follows says. Nothing is sent over this one, so nothing is verified.
 * @param onConnected the endpoint's system has taken the connection
 * @throws the signal's reason, and what wants descriptors: the endpoint has not been asked then
 */
export async function answersHandshakes(
  target: TlsTarget,
  tls: UpstreamTlsSnapshot,
  signal: AbortSignal,
  onConnected: () => void = () => {},
): Promise<void> {
  const { connect } = await import("node:tls");
  signal.throwIfAborted();
  const name = serverNameOf(target, tls);
  const heard = Promise.withResolvers<void>();
  const abort = () => heard.reject(signal.reason);
  signal.addEventListener("abort", abort);
  const socket = connect({
    host: target.host,
    port: target.port,
    // RFC 6066 3: an address is no server name.
    ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: false,
  });
  socket.on("connect", onConnected);
  // In the words of Deno's own connections, by which the want of descriptors is told.
  socket.on("error", (error) => {
    if ("code" in error && error.code === "EMFILE") heard.reject(new Error("Too many open files"));
    else heard.resolve();
  });
  for (const event of ["secureConnect", "close"]) socket.on(event, () => heard.resolve());
  try {
    await heard.promise;
  } finally {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  }
}
