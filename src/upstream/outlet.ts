// A connection's sending side: a head beside what else is going on, or a body step by step, each step with its
// deadline.
//
// One owner at a time, like the inlet. A failure to send leaves the connection open, since an answer may have come
// before the end; it shows where the answer is read.

import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { connectionFailure, type Phase } from "./connection_error.ts";

const HEAD_BUFFER_BYTES = 2_048;
const ignore = (): void => {};

/** Where a body comes from. */
interface BodySource {
  /** Its client waits for 100. */
  readonly withheld?: boolean;
}

/** Whose sending side it is. */
export interface OutletOwner {
  /** The phase whose deadline closed the connection, or null. */
  readonly timedOutIn: Phase | null;
  /** A step of sending took too long. */
  onDeadline(phase: Phase): void;
}

export class Outlet {
  /** Some of the request may have gone out. */
  begun = false;
  /** The request was sent to its end. */
  done = false;
  /**
   * Sending met the endpoint's reset, of which Linux tells once: what is read then seems to end. An answer is cut there
   * (RFC 9112 8); of a tunnel what was said before may still be on its way, and its write tells.
   */
  metReset = false;
  /** Since the last `countBytes`. */
  bytes = 0;
  private readonly timer: Timer;
  private phase: Phase = "send";
  private retired = false;
  /** Of the body whose 100 is waited for. */
  private source: BodySource | null = null;
  private idleMs = 0;
  /** The whole request that was sent last, if any. */
  posted: Uint8Array | undefined = undefined;
  private headBuffer: Uint8Array | null = null;
  /** Bound: docs/decisions/functions_in_fields.md. */
  private readonly wasPosted = this.onPosted.bind(this);
  private readonly wasRefused = this.onRefused.bind(this);

  constructor(
    private readonly conn: Deno.TcpConn | Deno.TlsConn,
    private readonly wheel: TimerWheel,
    private readonly owner: OutletOwner,
  ) {
    this.timer = new Timer(() => this.onDeadline());
  }

  private onDeadline(): void {
    if (this.phase === "head" && this.awaitsClient) this.goOn();
    else this.owner.onDeadline(this.phase);
  }

  /** What goes on next depends on the client's body alone. */
  get awaitsClient(): boolean {
    // A client that has begun without 100 is itself what is waited for.
    return this.phase === "request" || (this.phase === "head" && this.source?.withheld !== true);
  }

  /** Another request will be sent. */
  begin(): void {
    this.begun = this.done = false;
  }

  /** Room for a head that is posted; nobody else writes there. */
  get headRoom(): Uint8Array {
    return this.headBuffer ??= new Uint8Array(HEAD_BUFFER_BYTES);
  }

  /** Sends `bytes`, a whole request, beside what else is going on. */
  post(bytes: Uint8Array): void {
    this.begun = true;
    this.posted = bytes;
    this.conn.write(bytes).then(this.wasPosted, this.wasRefused);
  }

  private onPosted(sent: number): void {
    this.bytes += sent;
    // A head is small: the system takes all of it at once, all but always.
    const posted = this.posted!;
    if (sent === posted.length) this.done = true;
    else this.postRest(posted.subarray(sent)).catch(ignore);
  }

  private async postRest(bytes: Uint8Array): Promise<void> {
    await this.write(bytes);
    this.done = true;
  }

  /** Sends all of `bytes`. @throws ConnectionError phase `send` */
  async write(bytes: Uint8Array): Promise<void> {
    this.begun = true;
    try {
      for (let at = 0; at < bytes.length;) {
        const sent = await this.conn.write(at === 0 ? bytes : bytes.subarray(at));
        this.bytes += sent;
        at += sent;
      }
    } catch (error) {
      this.onRefused(error);
      throw connectionFailure(error, "send", this.owner.timedOutIn);
    }
  }

  private onRefused(error: unknown): void {
    // After the endpoint's end a reset is a broken pipe here, and that end was one; TLS reads none that was not said.
    if (error instanceof Deno.errors.ConnectionReset && !("handshake" in this.conn)) this.metReset = true;
  }

  /** Limits the next step of sending a body: the client's next bytes, or room at the endpoint. Nothing once retired. */
  limit(phase: "request" | "send", ms: number): void {
    this.arm(phase, ms);
  }

  /** Limits the wait for the endpoint's 100, and by `idleMs` that for the client which follows it. */
  limitGoOn(source: BodySource, ms: number, idleMs: number): void {
    this.source = source;
    this.idleMs = idleMs;
    this.arm("head", ms);
  }

  private arm(phase: Phase, ms: number): void {
    if (this.retired) return;
    this.phase = phase;
    this.wheel.arm(this.timer, ms);
  }

  /** The endpoint's 100 has come, if it was waited for: now the client is. */
  goOn(): void {
    if (this.phase === "head") this.arm("request", this.idleMs);
  }

  /** The endpoint answers: its 100 is waited for no longer. */
  answered(): void {
    if (this.phase === "head") this.wheel.disarm(this.timer);
  }

  /** The body was sent to its end. */
  end(): void {
    this.done = true;
    this.source = null;
    this.wheel.disarm(this.timer);
  }

  /** No deadline of it goes off any more. */
  retire(): void {
    this.retired = true;
    this.wheel.remove(this.timer);
  }
}
