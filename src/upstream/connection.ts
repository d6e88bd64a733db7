// One connection to an endpoint, and the HTTP/1.1 exchanges on it, one after the other.
//
// While it idles a read is pending on it: it is the only way to learn at once that the endpoint closed or
// spoke out of turn (RFC 9112 9.2), and it becomes the read of the next response head at no extra cost.
// Every wait has a named phase and a deadline on the worker's timer wheel; a deadline closes the socket.

import { EndpointField } from "../board/fields.ts";
import type { OwnRow } from "../board/own.ts";
import { type Body, BodyError } from "../exchange.ts";
import { bodyOf } from "../http1/body.ts";
import { Http1Error } from "../http1/error.ts";
import { findSectionEnd } from "../http1/fields.ts";
import { type ByteSource, Inlet } from "../http1/inlet.ts";
import { type ParsedResponse, parseResponseHead } from "../http1/response_head.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { type ConnectionError, connectionFailure, type Phase } from "./connection_error.ts";
import { closeQuietly } from "./dial.ts";

/** Read buffer: holds small answers whole. */
const IDLE_BUFFER_BYTES = 4_096;
/** Read buffer of a connection whose answers are larger. */
const IDLE_BUFFER_BYTES_MAX = 16_384;
const HEAD_BUFFER_BYTES = 2_048;
const NOTHING = new Uint8Array(0);
const ignore = (): void => {};

export class Connection implements ByteSource {
  readonly inlet: Inlet;
  /** Monotonic milliseconds. */
  idleSince = 0;
  /** False once closed by either side or left in an unknown state. */
  usable = true;
  /** Whether the request's body was sent to its end. */
  sendingDone = false;
  /** Whether the final response head of the current exchange was read. */
  headRead = false;
  /** Bytes from and to the endpoint since the last `countBytes`. */
  private bytesRead = 0;
  private bytesWritten = 0;
  private readonly timer: Timer;
  private readonly sendTimer: Timer;
  private phase: Phase = "head";
  private sendPhase: Phase = "send";
  /** The phase whose deadline closed the connection, or null. */
  timedOutIn: Phase | null = null;
  /** Longest silence within a body; Infinity once the bytes are another protocol's. */
  bodyIdleMs = 0;
  private pendingRead: Promise<number | null> | null = null;
  private onIdleEnd: (() => void) | null = null;

  constructor(
    private readonly conn: Deno.TcpConn | Deno.TlsConn,
    private readonly wheel: TimerWheel,
    readonly openedAt: number,
  ) {
    this.inlet = new Inlet(new Uint8Array(IDLE_BUFFER_BYTES), this);
    this.timer = new Timer(() => this.onDeadline(this.phase));
    this.sendTimer = new Timer(() => this.onDeadline(this.sendPhase));
  }

  /** Size of the last answer with its head, as far as it was declared. */
  private answerBytes = 0;
  private posted: Uint8Array = NOTHING;
  private headBuffer: Uint8Array | null = null;

  /** Starts waiting for the next use; `onEnd` is called once if it ends before that: closed, or spoken to. */
  idle(now: number, idleMs: number, onEnd: () => void): void {
    this.idleSince = now;
    this.onIdleEnd = onEnd;
    this.wheel.arm(this.timer, idleMs, now);
    this.inlet.start = this.inlet.end = 0;
    if (this.inlet.bytes.length < this.answerBytes) this.inlet.bytes = new Uint8Array(IDLE_BUFFER_BYTES_MAX);
    this.pendingRead = this.conn.read(this.inlet.bytes);
    this.pendingRead.then(this.idleReadEnded, this.idleReadEnded);
  }

  private readonly idleReadEnded = (): void => {
    // In use by now: the result is the next head's. Still idle: closed by the endpoint, or out of turn.
    if (this.onIdleEnd !== null) this.endIdle();
  };

  private endIdle(): void {
    const onEnd = this.onIdleEnd!;
    this.onIdleEnd = null;
    this.close();
    onEnd();
  }

  /** Ends idling because a request is about to use it. */
  wake(): void {
    this.onIdleEnd = null;
    this.phase = "head";
    this.sendingDone = false;
    this.headRead = false;
    this.wheel.disarm(this.timer);
  }

  /** Limits the wait for the response head. */
  expectHead(ms: number, now?: number): void {
    this.phase = "head";
    this.wheel.arm(this.timer, ms, now);
  }

  /** Limits the next step of sending a body: the client's next bytes, or room at the endpoint. */
  limitSending(phase: "request" | "send", ms: number): void {
    this.sendPhase = phase;
    this.wheel.arm(this.sendTimer, ms);
  }

  /** The body was sent to its end. */
  sendingEnded(): void {
    this.sendingDone = true;
    this.wheel.disarm(this.sendTimer);
  }

  private onDeadline(phase: Phase): void {
    if (this.onIdleEnd !== null) return this.endIdle();
    this.timedOutIn = phase;
    this.close();
  }

  /**
   * Sends all of `bytes`. The connection stays open on failure: an answer may have come before the end.
   * @throws ConnectionError phase `send`
   */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      let sent = await this.conn.write(bytes);
      while (sent < bytes.length) sent += await this.conn.write(bytes.subarray(sent));
      this.bytesWritten += sent;
    } catch (error) {
      throw connectionFailure(error, "send", this.timedOutIn);
    }
  }

  /** Sends `bytes` beside what else is going on. A failure shows where the answer is read. */
  post(bytes: Uint8Array): void {
    this.posted = bytes;
    this.conn.write(bytes).then(this.onPosted, ignore);
  }

  private readonly onPosted = (sent: number): void => {
    this.bytesWritten += sent;
    // A head is small: the system takes all of it at once, all but always.
    if (sent < this.posted.length) this.write(this.posted.subarray(sent)).catch(ignore);
  };

  /** `bytes` of room for a head that is posted; nobody else writes there. */
  get headRoom(): Uint8Array {
    return this.headBuffer ??= new Uint8Array(HEAD_BUFFER_BYTES);
  }

  /**
   * The head of the answer, interim ones handed to `onInterim`. The caller has armed phase `head`.
   * @throws ConnectionError, or Http1Error when what came is not a response
   */
  async readHead(
    method: string,
    bytesMax: number,
    onInterim: ((head: ParsedResponse) => void) | null,
  ): Promise<ParsedResponse> {
    const inlet = this.inlet;
    while (true) {
      const end = findSectionEnd(inlet.bytes, inlet.start, inlet.end);
      if (end < 0) {
        if (!inlet.makeRoom(bytesMax)) {
          throw new Http1Error("tooLarge", `response head larger than ${bytesMax} bytes`);
        }
        let count: number | null;
        try {
          count = await (this.takePendingRead() ?? this.conn.read(inlet.room));
        } catch (error) {
          throw this.failure(error, "head");
        }
        if (count === null) throw this.failure(null, "head");
        this.bytesRead += count;
        inlet.end += count;
        continue;
      }
      const head = parseResponseHead(inlet.bytes, inlet.start, end, method);
      this.answerBytes = end - inlet.start + head.contentLength;
      inlet.take(end - inlet.start);
      if (head.status >= 200 || head.status === 101) {
        this.wheel.disarm(this.timer);
        this.headRead = true;
        return head;
      }
      onInterim?.(head);
    }
  }

  private takePendingRead(): Promise<number | null> | null {
    const pending = this.pendingRead;
    this.pendingRead = null;
    return pending;
  }

  /** The body that follows a head; `onEnd(complete)` is called once, when it is over. Null: there is none. */
  body(head: ParsedResponse, idleMs: number, onEnd: (complete: boolean) => void): Body | null {
    this.bodyIdleMs = idleMs;
    this.phase = "body";
    return bodyOf(head.framing, head.contentLength, this.inlet, onEnd);
  }

  /** ByteSource for bodies: each read within the limit that `body` was given. */
  async read(into: Uint8Array): Promise<number | null> {
    this.wheel.arm(this.timer, this.bodyIdleMs);
    try {
      const count = await this.conn.read(into);
      if (count !== null) this.bytesRead += count;
      return count;
    } catch (error) {
      const failure = this.failure(error, "body");
      throw new BodyError(failure.kind === "timedOut" ? "timedOut" : "truncated", failure.message);
    } finally {
      this.wheel.disarm(this.timer);
    }
  }

  /** Tells the endpoint that nothing more follows; it may go on sending. */
  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  /** Adds what came in and went out since the last call to the endpoint's totals. */
  countBytes(totals: OwnRow): void {
    totals.add(EndpointField.bytesFromUpstream, this.bytesRead);
    totals.add(EndpointField.bytesToUpstream, this.bytesWritten);
    this.bytesRead = this.bytesWritten = 0;
  }

  /** Whether any byte of an answer has come in. */
  get answered(): boolean {
    return this.bytesRead > 0;
  }

  close(): void {
    if (!this.usable) return;
    this.usable = false;
    this.wheel.remove(this.timer);
    this.wheel.remove(this.sendTimer);
    closeQuietly(this.conn);
  }

  private failure(error: unknown, phase: Phase): ConnectionError {
    const failure = connectionFailure(error, phase, this.timedOutIn);
    this.close();
    return failure;
  }
}
