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

/** How long the steps of a dial may take, and what ends it before. */
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

/** What a dial goes by. */
export interface DialInputs {
  readonly wheel: TimerWheel;
  /** Out of descriptors, what idles in them makes room. */
  readonly pools?: Pools;
  /** Of handshakes with this endpoint; kept up to date. */
  readonly history?: TlsHistory;
}

/** Connects with Nagle off. @throws DialError */
export function dial(
  target: DialTarget,
  tls: UpstreamTlsSnapshot,
  limits: DialLimits,
  inputs: DialInputs,
): Promise<Deno.TcpConn | Deno.TlsConn> {
  return new Dial(target, tls, limits, inputs).run();
}

/** One connection that is being made, step by step. */
class Dial {
  private readonly wheel: TimerWheel;
  private history: TlsHistory;
  /** Monotonic milliseconds: then the time of both steps together is over. */
  private readonly endsAt: number;
  /** A connect that is given up goes on. */
  private readonly connectsOn: boolean;

  constructor(
    private readonly target: DialTarget,
    private readonly tls: UpstreamTlsSnapshot,
    private readonly limits: DialLimits,
    private readonly inputs: DialInputs,
  ) {
    this.wheel = inputs.wheel;
    this.history = inputs.history ?? { silent: false };
    this.endsAt = this.wheel.now + (limits.bothMs ?? Infinity);
    this.connectsOn = connectsOn(target, tls);
  }

  async run(): Promise<Deno.TcpConn | Deno.TlsConn> {
    const secure = this.target.scheme === "https";
    if (secure && this.history.silent) {
      await this.withRoom((ms) => this.requireAnswer(ms));
      this.history = answered(this.history);
    }
    const conn = await this.withRoom((ms) => this.connect(ms)).catch((error) => {
      if (error.kind === "timedOut") this.history.silent ||= this.connectsOn;
      throw error;
    });
    return secure ? await this.handshake(conn, this.within(this.limits.tlsHandshakeMs)) : conn;
  }

  /** A step's limit, or what is left of both together where that is less. */
  private within(ms: number): number {
    return Math.min(ms, this.endsAt - this.wheel.now);
  }

  /** Tries to connect; out of descriptors, once more when a connection that idles has given its own. */
  private async withRoom<T>(attempt: (connectMs: number) => Promise<T>): Promise<T> {
    const connectMs = this.within(this.limits.connectMs);
    const startedAt = this.wheel.now;
    try {
      return await attempt(connectMs);
    } catch (error) {
      const room = isOutOfDescriptors(error) ? this.inputs.pools?.makeRoom() : null;
      if (!room) throw error;
      await room;
      const leftMs = startedAt + connectMs - this.wheel.now;
      if (leftMs <= 0) throw error;
      return await attempt(leftMs);
    }
  }

  /** Settles when the endpoint takes a connection and answers a handshake, each in time. @throws DialError */
  private async requireAnswer(connectMs: number): Promise<void> {
    const { target, tls, wheel, limits } = this;
    const { abort = new AbortController() } = limits;
    let late = noConnection(connectMs);
    const timer = new Timer(() => abort.abort(late));
    wheel.arm(timer, connectMs);
    try {
      await answersHandshakes(target, tls, abort.signal, () => {
        const handshakeMs = this.within(limits.tlsHandshakeMs);
        late = noHandshake(handshakeMs);
        wheel.arm(timer, handshakeMs);
      });
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : connectError(error);
    } finally {
      wheel.remove(timer);
    }
  }

  private async connect(connectMs: number): Promise<Deno.TcpConn | Deno.TlsConn> {
    // What goes on all the same keeps its place, too, so that there are no more of it than requests.
    const abort = (this.connectsOn ? undefined : this.limits.abort) ?? new AbortController();
    const timer = new Timer(() => abort.abort(noConnection(connectMs)));
    this.wheel.arm(timer, connectMs);
    try {
      return await openSocket(this.target, this.tls, abort.signal);
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : connectError(error);
    } finally {
      this.wheel.remove(timer);
    }
  }

  private async handshake(conn: Deno.TcpConn | Deno.TlsConn, handshakeMs: number): Promise<Deno.TlsConn> {
    let secure: Deno.TlsConn | null = null;
    let late = false;
    const timer = new Timer(() => {
      late = true;
      (secure ?? conn).close();
    });
    this.wheel.arm(timer, handshakeMs);
    try {
      secure = "handshake" in conn ? conn : await startTls(conn, this.target, this.tls);
      await secure.handshake();
      return secure;
    } catch (error) {
      if (late) throw noHandshake(handshakeMs);
      closeQuietly(secure ?? conn);
      throw new DialError("tlsFailed", tlsCause(error));
    } finally {
      this.history.silent = late;
      this.wheel.remove(timer);
    }
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

function noConnection(connectMs: number): DialError {
  return new DialError("timedOut", `no connection within ${connectMs} ms`);
}

function noHandshake(handshakeMs: number): DialError {
  return new DialError("tlsTimedOut", `no TLS handshake within ${handshakeMs} ms`);
}
