// Opening a connection to an endpoint: TCP, then TLS when the endpoint asks for it, each with its own limit.
//
// Called by the endpoint for a new connection and by nobody else in the data plane. Whatever fails here,
// no byte of a request has been sent, so the caller may go elsewhere with any method.

import type { UpstreamTlsSnapshot } from "../messages.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";

/** What a dial needs to know of where it goes. */
export interface DialTarget {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
}

export interface DialLimits {
  readonly connectMs: number;
  readonly tlsHandshakeMs: number;
  /** Both together; default Infinity. */
  readonly bothMs?: number;
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

/** Connects with Nagle off. @throws DialError */
export async function dial(
  target: DialTarget,
  tls: UpstreamTlsSnapshot,
  limits: DialLimits,
  wheel: TimerWheel,
): Promise<Deno.TcpConn | Deno.TlsConn> {
  const { connectMs, tlsHandshakeMs, bothMs = Infinity } = limits;
  const startedAt = wheel.now;
  const conn = await connectTcp(target, Math.min(connectMs, bothMs), wheel);
  // Nagle and delayed acknowledgements together cost 40 ms on small writes.
  conn.setNoDelay(true);
  if (target.scheme === "http") return conn;
  const leftMs = startedAt + bothMs - wheel.now;
  return await handshake(conn, target, tls, Math.min(tlsHandshakeMs, leftMs), wheel);
}

async function connectTcp(target: DialTarget, connectMs: number, wheel: TimerWheel): Promise<Deno.TcpConn> {
  const abort = new AbortController();
  const timer = new Timer(() => abort.abort());
  wheel.arm(timer, connectMs);
  try {
    return await Deno.connect({ hostname: target.host, port: target.port, signal: abort.signal });
  } catch (error) {
    if (abort.signal.aborted) throw new DialError("timedOut", `no connection within ${connectMs} ms`);
    throw connectError(error);
  } finally {
    wheel.remove(timer);
  }
}

/** A failed connect in words. */
export function connectError(error: unknown): DialError {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.ConnectionRefused) return new DialError("refused", "connection refused");
  if (/too many open files|os error 24|address not available|os error 99/i.test(text)) {
    return new DialError("local", text);
  }
  if (/lookup|resolve|name or service|dns/i.test(text)) {
    return new DialError("unresolved", "name does not resolve");
  }
  return new DialError("refused", text);
}

async function handshake(
  conn: Deno.TcpConn,
  target: DialTarget,
  tls: UpstreamTlsSnapshot,
  handshakeMs: number,
  wheel: TimerWheel,
): Promise<Deno.TlsConn> {
  let secure: Deno.TlsConn | null = null;
  let late = false;
  const timer = new Timer(() => {
    late = true;
    (secure ?? conn).close();
  });
  wheel.arm(timer, handshakeMs);
  try {
    secure = await Deno.startTls(conn, {
      hostname: tls.serverName ?? target.host,
      caCerts: [...tls.caCerts],
      alpnProtocols: ["http/1.1"],
    });
    await secure.handshake();
    return secure;
  } catch (error) {
    if (late) throw new DialError("tlsTimedOut", `no TLS handshake within ${handshakeMs} ms`);
    closeQuietly(secure ?? conn);
    throw new DialError("tlsFailed", tlsCause(error));
  } finally {
    wheel.remove(timer);
  }
}

/** The cause in words that an operator can act on. */
export function tlsCause(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/expired/i.test(text)) return "certificate expired";
  if (/NotValidForName|not valid for name/i.test(text)) return "certificate is for another name";
  if (/UnknownIssuer|unknown issuer/i.test(text)) return "certificate of an unknown authority";
  if (/InvalidContentType|corrupt message|InvalidMessage/i.test(text)) {
    return "the endpoint does not speak TLS";
  }
  return text;
}

/** Closes what may be closed already. */
export function closeQuietly(closer: { close(): void }): void {
  try {
    closer.close();
  } catch {
    // Closed before: that is all that was wanted.
  }
}
