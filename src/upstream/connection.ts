// One connection to an endpoint, and the HTTP/1.1 exchanges on it, one after the other.
//
// While it idles a read is pending on it: it is the only way to learn at once that the endpoint closed or
// spoke out of turn (RFC 9112 9.2), and it becomes the read of the next response head at no extra cost.
// Every wait has a named phase and a deadline on the worker's timer wheel; a deadline closes the socket.

import { EndpointField } from "../board/fields.ts";
import type { OwnRow } from "../board/own.ts";
import { type Body, BodyError } from "../exchange.ts";
import { bodyOf } from "../http1/body.ts";
import { closeQuietly } from "../http1/close_quietly.ts";
import type { BodyOwner } from "../http1/inlet_body.ts";
import { Http1Error } from "../http1/error.ts";
import { descriptorFree, type Idler } from "../http1/idler.ts";
import { type ByteSource, Inlet } from "../http1/inlet.ts";
import { readSome } from "../http1/read_some.ts";
import { type ParsedResponse, parseResponseHead, requireBeginning } from "../http1/response_head.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { type ConnectionError, connectionFailure, type Phase } from "./connection_error.ts";
import { Outlet, type OutletOwner } from "./outlet.ts";

/** Read buffer: holds small answers whole. */
const IDLE_BUFFER_BYTES = 4_096;
/** Read buffer of a connection whose answers are larger. */
const IDLE_BUFFER_BYTES_MAX = 16_384;

/** Servers wait longer than this for somebody who takes nothing of their answer (nginx: 60 s). */
const HELD_BACK_MS = 1_000;

/** Who keeps a connection while it idles. */
export interface ConnectionKeeper {
  /** It ended before it was used again: closed, or spoken to. */
  onGone(connection: Connection): void;
}

export class Connection implements ByteSource, OutletOwner, Idler {
  readonly inlet: Inlet;
  readonly outlet: Outlet;
  /** Monotonic milliseconds. */
  idleSince = 0;
  /** False once closed by either side or left in an unknown state. */
  usable = true;
  /** The final response head of the current exchange was read. */
  headRead = false;
  /** When that was. */
  headAt = 0;
  private bodyRead = false;
  private bytesRead = 0; // From the endpoint since the last `countBytes`.
  private answerBytes = 0; // Of the last answer, as far as they were declared.
  private readonly timer: Timer;
  private phase: Phase = "head";
  /** The phase whose deadline closed the connection, or null. */
  timedOutIn: Phase | null = null;
  /** Longest silence within a body; Infinity once the bytes are another protocol's. */
  bodyIdleMs = 0;
  /** Monotonic milliseconds, about: when the last read of the answer's body ended, or its head was read. */
  private readAt = 0;
  private heldMs = 0; // The longest from there to the next read: what the client took over a piece.
  private pendingRead: Promise<number> | null = null;
  private unasked = false; // What that read brings was here before the endpoint can have answered.
  private keeper: ConnectionKeeper | null = null;
  private readonly idleReadEnded = this.onIdleReadEnded.bind(this); // Bound: docs/decisions/functions_in_fields.md.
  private readonly headCame = this.onHeadBytes.bind(this);
  private readonly headFailed = this.onHeadFailure.bind(this);
  private readonly bodyCame = this.onBodyBytes.bind(this);
  private readonly bodyFailed = this.onBodyFailure.bind(this);

  constructor(
    private readonly conn: Deno.TcpConn | Deno.TlsConn,
    private readonly wheel: TimerWheel,
    /** When it was begun, monotonic milliseconds. */
    readonly openedAt: number,
  ) {
    this.inlet = new Inlet(new Uint8Array(IDLE_BUFFER_BYTES), this);
    this.timer = new Timer(() => this.onDeadline(this.phase));
    this.outlet = new Outlet(conn, wheel, this);
  }

  /** Monotonic milliseconds; the clock is asked only when time has passed since the head. */
  get now(): number {
    return this.bodyRead || !this.headRead ? this.wheel.now : this.headAt;
  }

  /** Starts waiting for the next use; `keeper` is told once if it ends before that. */
  idle(now: number, idleMs: number, keeper: ConnectionKeeper): void {
    this.idleSince = now;
    this.keeper = keeper;
    this.wheel.arm(this.timer, idleMs, now);
    this.inlet.clear();
    const wanted = Math.min(this.answerBytes, IDLE_BUFFER_BYTES_MAX);
    if (this.inlet.bytes.length < wanted) this.inlet.bytes = new Uint8Array(IDLE_BUFFER_BYTES_MAX);
    this.pendingRead = readSome(this.conn, this.inlet.bytes);
    this.pendingRead.then(this.idleReadEnded, this.idleReadEnded);
  }

  private onIdleReadEnded(): void {
    // In use by now: the result is the next head's. Still idle: closed by the endpoint, or out of turn.
    if (this.keeper !== null) this.endIdle();
    // A write that the system takes at once is told of before anything that comes in after it.
    else this.unasked = this.outlet.bytes === 0;
  }

  private endIdle(): void {
    const keeper = this.keeper!;
    this.keeper = null;
    this.close();
    keeper.onGone(this);
  }

  /** Closes it while it idles; settles once its descriptor is free. */
  giveWay(): Promise<void> {
    this.endIdle();
    return descriptorFree(this.conn, this.pendingRead!, this.wheel);
  }

  /** Ends idling because a request is about to use it. */
  wake(): void {
    this.keeper = null;
    this.outlet.begin();
    this.headRead = false;
    this.wheel.disarm(this.timer);
  }

  /** Limits the wait for the response head; does nothing once closed. */
  expectHead(ms: number, now?: number): void {
    if (!this.usable) return;
    this.phase = "head";
    this.wheel.arm(this.timer, ms, now);
  }

  onDeadline(phase: Phase): void {
    if (this.keeper !== null) return this.endIdle();
    this.timedOutIn = phase;
    this.close();
  }

  /**
   * The next head of the answer, or null when more of it must be read. The caller has armed phase `head`.
   * @throws Http1Error when what came is not a response
   */
  takeHead(method: string, bytesMax: number): ParsedResponse | null {
    const { inlet } = this;
    const end = inlet.sectionEnd();
    // The buffer may hold more than the limit.
    const bytes = (end < 0 ? inlet.end : end) - inlet.start;
    if (bytes > bytesMax || (end < 0 && !inlet.makeRoom(bytesMax))) {
      throw new Http1Error("tooLarge", `response head larger than ${bytesMax} bytes`);
    }
    if (end < 0) {
      requireBeginning(inlet.bytes, inlet.start, inlet.end, inlet.unsearched);
      inlet.searched = inlet.available;
      return null;
    }
    const head = parseResponseHead(inlet.bytes, inlet.start, end, method);
    this.answerBytes = bytes + head.contentLength;
    inlet.skip(bytes);
    if (head.status >= 200 || head.status === 101) {
      this.wheel.disarm(this.timer);
      this.outlet.answered();
      this.headRead = true;
      this.headAt = this.wheel.now;
      this.bodyRead = false;
    }
    return head;
  }

  /** Reads more of the head. @throws ConnectionError */
  moreHead(): Promise<void> {
    const pending = this.pendingRead;
    this.pendingRead = null;
    return (pending ?? readSome(this.conn, this.inlet.room)).then(this.headCame, this.headFailed);
  }

  private onHeadBytes(count: number): void {
    // RFC 9112 9.2: what comes before any of the request was sent is no answer to it.
    if (count === 0 || this.unasked || !this.outlet.begun) throw this.failure(null, "head");
    this.bytesRead += count;
    this.inlet.end += count;
  }

  private onHeadFailure(error: unknown): never {
    throw this.failure(error, "head");
  }

  /** The body that follows a head; `owner` is told when it is over. Null: there is none. */
  body(head: ParsedResponse, idleMs: number, owner: BodyOwner): Body | null {
    this.bodyIdleMs = idleMs;
    this.phase = "body";
    this.readAt = this.headAt;
    this.heldMs = 0;
    return bodyOf(head, this.inlet, owner);
  }

  /** ByteSource for bodies: each read within the limit that `body` was given. @throws BodyError */
  read(into: Uint8Array): Promise<number | null> {
    this.wheel.arm(this.timer, this.bodyIdleMs);
    this.heldMs = Math.max(this.heldMs, this.wheel.recent - this.readAt);
    this.bodyRead = true;
    return readSome(this.conn, into).then(this.bodyCame, this.bodyFailed);
  }

  private onBodyBytes(count: number): number | null {
    this.wheel.disarm(this.timer);
    this.readAt = this.wheel.recent;
    this.bytesRead += count;
    const isCut = count === 0 && this.outlet.metReset && this.bodyIdleMs < Infinity;
    return isCut ? this.onBodyFailure(new Deno.errors.ConnectionReset()) : count || null;
  }

  private onBodyFailure(error: unknown): never {
    this.wheel.disarm(this.timer);
    const failure = this.failure(error, "body");
    throw new BodyError(failure.kind === "timedOut" ? "timedOut" : "truncated", failure.message);
  }

  /** Tells the endpoint that nothing more follows; it may go on sending. */
  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  /** Adds what came in and went out since the last call to the endpoint's totals. */
  countBytes(totals: OwnRow): void {
    totals.add(EndpointField.bytesFromUpstream, this.bytesRead);
    totals.add(EndpointField.bytesToUpstream, this.outlet.bytes);
    this.bytesRead = this.outlet.bytes = 0;
  }

  /** The client once took so long over a piece of the answer that the endpoint may have given it up. */
  get heldBack(): boolean {
    return this.heldMs > HELD_BACK_MS;
  }

  /** Whether any byte of an answer has come in. */
  get answered(): boolean {
    return this.bytesRead > 0;
  }

  close(): void {
    if (!this.usable) return;
    this.usable = false;
    this.wheel.remove(this.timer);
    this.outlet.retire();
    closeQuietly(this.conn);
  }

  private failure(error: unknown, phase: Phase): ConnectionError {
    this.close();
    return connectionFailure(error, phase, this.timedOutIn);
  }
}
