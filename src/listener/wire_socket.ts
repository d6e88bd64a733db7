// The socket of one client's connection: what has arrived, one read in the background, and writes that tell
// whether the client is still there.
//
// While nobody reads, a read is kept pending ("watching"): it brings the next request, and it is how a client
// that leaves is noticed. Its buffer is small, so that an idle connection costs little.

import { BodyError } from "../exchange.ts";
import { type ByteSource, Inlet } from "../http1/inlet.ts";
import type { TimerWheel } from "../timer_wheel.ts";
import { closeQuietly } from "./wire_close.ts";
import type { WireTable } from "./wire_table.ts";

/** Holds most request heads; larger ones get a larger buffer for as long as they last. */
const IDLE_BUFFER_BYTES = 2_048;

export interface SocketLimits {
  /** Milliseconds in which the client must take something of what is being sent. */
  readonly sendIdleMs: number;
  /** Slowest request body, bytes a second; 0 is off. */
  readonly bodyBytesPerSecondMin: number;
  /** Milliseconds of waiting for a body that are free. */
  readonly bodyGraceMs: number;
}

export class ClientSocket implements ByteSource {
  readonly inlet: Inlet;
  /** The client has closed its side; what it sent before may still be in the inlet. */
  ended = false;
  closed = false;
  private readonly small = new Uint8Array(IDLE_BUFFER_BYTES);
  private watching = false;
  private onceWatched: (() => void) | null = null;
  private sendDeadline = Infinity;
  private readDeadline = Infinity;
  private failRead: ((error: BodyError) => void) | null = null;
  private bodyBytes = 0;
  private bodyWaitedMs = 0;

  constructor(
    private readonly conn: Deno.TcpConn | Deno.TlsConn,
    private readonly table: WireTable,
    private readonly limits: SocketLimits,
    /** The background read brought bytes, or the end (`ended`). */
    private readonly onWatched: () => void,
    /** The connection is broken: reset, or closed by Weir. */
    private readonly onBroken: () => void,
  ) {
    this.inlet = new Inlet(this.small, this);
  }

  /** Keeps a read pending, behind what is in the inlet. There must be room. */
  watch(): void {
    if (this.watching || this.ended || this.closed) return;
    const { inlet } = this;
    if (inlet.start === inlet.end) {
      inlet.bytes = this.small;
      inlet.start = inlet.end = 0;
    }
    this.watching = true;
    this.conn.read(inlet.end === 0 ? inlet.bytes : inlet.bytes.subarray(inlet.end))
      .then(this.arrived, this.broken);
  }

  private readonly arrived = (count: number | null): void => {
    this.watching = false;
    if (count === null) this.ended = true;
    else this.inlet.end += count;
    this.tellWatched();
  };

  private readonly broken = (): void => {
    this.watching = false;
    this.ended = true;
    if (this.closed) return this.onceWatched?.();
    this.onceWatched?.();
    this.onBroken();
  };

  private tellWatched(): void {
    const once = this.onceWatched;
    this.onceWatched = null;
    if (once !== null) once();
    else this.onWatched();
  }

  /** Where the system lets a small piece wait until the client has acknowledged the one before: over TLS. */
  get holdsBack(): boolean {
    return !("setNoDelay" in this.conn);
  }

  get wheel(): TimerWheel {
    return this.table.wheel;
  }

  /** Settles when no background read is pending. */
  unwatched(): Promise<void> {
    return this.watching ? new Promise((resolve) => this.onceWatched = resolve) : Promise.resolve();
  }

  /** A request's body begins: its rate is counted from here. */
  beginBody(): void {
    this.bodyBytes = 0;
    this.bodyWaitedMs = 0;
  }

  /**
   * ByteSource of request bodies: past the inlet. One read at a time, and none while watching.
   * @throws BodyError `clientGone`, or `timedOut` below the minimum rate
   */
  read(into: Uint8Array): Promise<number | null> {
    const { table } = this;
    const since = table.clock;
    this.readDeadline = this.rateDeadline();
    return new Promise((resolve, reject) => {
      this.failRead = reject;
      this.conn.read(into).then((count) => {
        this.readDeadline = Infinity;
        this.bodyWaitedMs += table.clock - since;
        if (count === null) this.ended = true;
        else this.bodyBytes += count;
        resolve(count);
      }, () => {
        this.readDeadline = Infinity;
        reject(new BodyError("clientGone", "client left before the end of its body"));
      });
    });
  }

  /** When the body will have been slower than it may be, if nothing comes. */
  private rateDeadline(): number {
    const { bodyBytesPerSecondMin, bodyGraceMs } = this.limits;
    if (bodyBytesPerSecondMin === 0) return Infinity;
    const allowedMs = bodyGraceMs + this.bodyBytes * 1_000 / bodyBytesPerSecondMin;
    return this.table.after(Math.max(0, allowedMs - this.bodyWaitedMs));
  }

  /** Straight from the connection: for tunnels. */
  readDirect(into: Uint8Array): Promise<number | null> {
    return this.conn.read(into);
  }

  /** Sends all of `bytes`, which must not change meanwhile; false when the client is gone. */
  write(bytes: Uint8Array): Promise<boolean> {
    this.sendDeadline = this.table.after(this.limits.sendIdleMs);
    return this.conn.write(bytes).then(
      (count) => count < bytes.length ? this.write(bytes.subarray(count)) : this.onWritten(),
      this.onWriteFailed,
    );
  }

  private onWritten(): boolean {
    this.sendDeadline = Infinity;
    return true;
  }

  private readonly onWriteFailed = (): boolean => {
    this.sendDeadline = Infinity;
    return false;
  };

  /** Some of `bytes`: for tunnels. */
  writeSome(bytes: Uint8Array): Promise<number> {
    return this.conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  /** Fails a body that is too slow; true when the client takes nothing of what is being sent. */
  checkDeadlines(clock: number): boolean {
    if (clock >= this.readDeadline) {
      this.readDeadline = Infinity;
      this.failRead?.(new BodyError("timedOut", "request body slower than its minimum rate"));
    }
    return clock >= this.sendDeadline;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeQuietly(this.conn);
  }
}
