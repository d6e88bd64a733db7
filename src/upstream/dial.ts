// Opening a connection to an endpoint: TCP, then TLS when the endpoint asks for it, each with its own limit.
//
// Called by `endpoint.ts` for a new connection, and by nobody else in the data plane. Whatever fails here,
// no byte of a request has been sent, so the caller may go elsewhere with any method.

import { setImmediate } from "node:timers";
import { messageOf, wantsDescriptors } from "../error_message.ts";
import { closeQuietly } from "../http1/close_quietly.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import type { Pools } from "./pools.ts";
import { connectWithCertificate, showsCertificate, startTls, tlsCause, type TlsTarget } from "./tls.ts";
import { answered, answersHandshakes, type TlsHistory } from "./tls_silence.ts";

/** What a dial needs to know of where it goes. */
export interface DialTarget extends TlsTarget {
  readonly scheme: "http" | "https";
}

export interface DialLimits {
  readonly connectMs: number;
  readonly tlsHandshakeMs: number;
  /** Both together; default Infinity. */
  readonly bothMs?: number;
  /** Aborted with a DialError, it ends the dial at once where its descriptor is free then, too. */
  readonly abort?: AbortController;
}

/** Why there is no connection. */
export class DialError extends Error {
  override readonly name = "DialError";
  constructor(
    /** `local`: this side could not (descriptors, ports); `tlsTimedOut`: connected, but no handshake in time. */
    readonly kind: "refused" | "timedOut" | "unresolved" | "tlsFailed" | "tlsTimedOut" | "local",
    message: string,
  ) {
    super(message);
  }
}

/**
 * Connects with Nagle off; out of descriptors, what idles in `pools` makes room.
 * @param history of handshakes with this endpoint; kept up to date
 * @throws DialError
 */
export async function dial(
  target: DialTarget,
  tls: UpstreamTlsSnapshot,
  limits: DialLimits,
  wheel: TimerWheel,
  pools?: Pools,
  history: TlsHistory = { silent: false },
): Promise<Deno.TcpConn | Deno.TlsConn> {
  const { connectMs, tlsHandshakeMs } = limits;
  // What goes on all the same keeps its place, too, so that there are no more of it than requests.
  const abort = connectsOn(target, tls) ? undefined : limits.abort;
  const within = atMost(limits, wheel);
  const secure = target.scheme === "https";
  if (secure && history.silent) {
    await withRoom(
      within(connectMs),
      wheel,
      pools,
      (ms) => requireAnswer(target, tls, limits, ms, within, wheel),
    );
    history = answered(history);
  }
  const connecting = withRoom(
    within(connectMs),
    wheel,
    pools,
    (ms) => connect(target, tls, ms, wheel, abort),
  );
  const conn = await connecting.catch((error) => {
    if (error.kind === "timedOut") history.silent ||= connectsOn(target, tls);
    throw error;
  });
  return secure ? await handshake(conn, target, tls, within(tlsHandshakeMs), wheel, history) : conn;
}

/** A step's limit, or what is left of both together where that is less. */
function atMost({ bothMs = Infinity }: DialLimits, wheel: TimerWheel): (ms: number) => number {
  const endsAt = wheel.now + bothMs;
  return (ms) => Math.min(ms, endsAt - wheel.now);
}

/** Settles when the endpoint takes a connection and answers a handshake, each in time. @throws DialError */
async function requireAnswer(
  target: DialTarget,
  tls: UpstreamTlsSnapshot,
  limits: DialLimits,
  connectMs: number,
  within: (ms: number) => number,
  wheel: TimerWheel,
): Promise<void> {
  let late = noConnection(connectMs);
  const { abort = new AbortController() } = limits;
  const timer = new Timer(() => abort.abort(late));
  wheel.arm(timer, connectMs);
  try {
    await answersHandshakes(target, tls, abort.signal, () => {
      const handshakeMs = within(limits.tlsHandshakeMs);
      late = noHandshake(handshakeMs);
      wheel.arm(timer, handshakeMs);
    });
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : connectError(error);
  } finally {
    wheel.remove(timer);
  }
}

/** Out of descriptors, it tries once more when a connection that idles has given its own. */
async function withRoom<T>(
  connectMs: number,
  wheel: TimerWheel,
  pools: Pools | undefined,
  attempt: (ms: number) => Promise<T>,
): Promise<T> {
  const startedAt = wheel.now;
  try {
    return await attempt(connectMs);
  } catch (error) {
    const room = isOutOfDescriptors(error) ? pools?.makeRoom() : null;
    if (!room) throw error;
    await room;
    const leftMs = startedAt + connectMs - wheel.now;
    if (leftMs <= 0) throw error;
    return await attempt(leftMs);
  }
}

async function connect(
  target: DialTarget,
  tls: UpstreamTlsSnapshot,
  connectMs: number,
  wheel: TimerWheel,
  abort = new AbortController(),
): Promise<Deno.TcpConn | Deno.TlsConn> {
  const timer = new Timer(() => abort.abort(noConnection(connectMs)));
  wheel.arm(timer, connectMs);
  try {
    return await openSocket(target, tls, abort.signal);
  } catch (error) {
    if (abort.signal.aborted) throw abort.signal.reason;
    throw connectError(error);
  } finally {
    wheel.remove(timer);
  }
}

/** Whether a connect that was given up goes on for as long as the system lets it: see `connectWithCertificate`. */
export function connectsOn({ scheme }: DialTarget, tls: UpstreamTlsSnapshot): boolean {
  return scheme === "https" && showsCertificate(tls);
}

/** A TCP connection with Nagle off; with a client certificate it is wrapped in TLS already. */
export async function openSocket(
  target: DialTarget,
  tls: UpstreamTlsSnapshot,
  signal: AbortSignal,
): Promise<Deno.TcpConn | Deno.TlsConn> {
  if (connectsOn(target, tls)) {
    return await connectWithCertificate(target, tls, signal);
  }
  signal.throwIfAborted();
  const abort = new AbortController();
  // Deno drops a connection that has come about and is not told of yet, but not its descriptor: that is told in a turn.
  signal.addEventListener("abort", () => void setImmediate(() => abort.abort(signal.reason)), { once: true });
  const conn = await Deno.connect({ hostname: target.host, port: target.port, signal: abort.signal });
  if (signal.aborted) {
    conn.close();
    throw signal.reason;
  }
  // Nagle and delayed acknowledgements together cost 40 ms on small writes.
  conn.setNoDelay(true);
  return conn;
}

/** Whether a connect failed for want of descriptors, as `connectError` says it. */
export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof DialError && error.kind === "local" && wantsDescriptors(error);
}

/** A failed connect in words. */
export function connectError(error: unknown): DialError {
  const text = messageOf(error);
  if (error instanceof Deno.errors.ConnectionRefused) return new DialError("refused", "connection refused");
  if (wantsDescriptors(error) || /address not available|os error 99/i.test(text)) {
    return new DialError("local", text);
  }
  if (/lookup|resolve|name or service|dns/i.test(text)) {
    return new DialError("unresolved", "name does not resolve");
  }
  return new DialError("refused", text);
}

async function handshake(
  conn: Deno.TcpConn | Deno.TlsConn,
  target: DialTarget,
  tls: UpstreamTlsSnapshot,
  handshakeMs: number,
  wheel: TimerWheel,
  history: TlsHistory,
): Promise<Deno.TlsConn> {
  let secure: Deno.TlsConn | null = null;
  let late = false;
  const timer = new Timer(() => {
    late = true;
    (secure ?? conn).close();
  });
  wheel.arm(timer, handshakeMs);
  try {
    secure = "handshake" in conn ? conn : await startTls(conn, target, tls);
    await secure.handshake();
    return secure;
  } catch (error) {
    if (late) throw noHandshake(handshakeMs);
    closeQuietly(secure ?? conn);
    throw new DialError("tlsFailed", tlsCause(error));
  } finally {
    history.silent = late;
    wheel.remove(timer);
  }
}

function noConnection(connectMs: number): DialError {
  return new DialError("timedOut", `no connection within ${connectMs} ms`);
}

function noHandshake(handshakeMs: number): DialError {
  return new DialError("tlsTimedOut", `no TLS handshake within ${handshakeMs} ms`);
}
