// The socket of one client's connection: what has arrived, one read in the background, and writes that tell
// whether the client is still there.
//
// While nobody reads, a read is kept pending ("watching"): it brings the next request, and it is how a client
// that leaves is noticed. Its buffer is small, so that an idle connection costs little: a client that fills it
// before its answer is only noticed to have left once that is sent.

import { BodyError } from "../exchange.ts";
import { closeQuietly } from "../http1/close_quietly.ts";
import { findSectionEnd } from "../http1/fields.ts";
import { descriptorFree } from "../http1/idler.ts";
import { type ByteSource, Inlet } from "../http1/inlet.ts";
import { readOrNull, readSome } from "../http1/read_some.ts";
import { emptyLinesBefore } from "../http1/request_head.ts";
import type { TimerWheel } from "../timer_wheel.ts";
import { BodyPace, type PaceLimits } from "./body_pace.ts";
import type { WireTable } from "./wire_table.ts";

/** Holds most request heads; larger ones get a larger buffer for as long as they last. */
const IDLE_BUFFER_BYTES = 2_048;

/** How slow a client may be, as it sends and as it takes. */
export interface SocketLimits extends PaceLimits {
  /** Milliseconds in which the client must take something of what is being sent. */
  readonly sendIdleMs: number;
}

export class WireSocket implements ByteSource {
  readonly inlet: Inlet;
  /** The client has closed its side; what it sent before may still be in the inlet. */
  ended = false;
  closed = false;
  private readonly small = new Uint8Array(IDLE_BUFFER_BYTES);
  private watching = false;
  /** Where in the inlet's buffer the background read goes. */
  private watchedFrom = 0;
  private onceWatched: (() => void) | null = null;
  private sendDeadline = Infinity;
  /** A read of a request's body is under way. */
  private reading = false;
  private failRead: ((error: BodyError) => void) | null = null;
  private readonly pace: BodyPace;
  private readonly arrived = this.onArrived.bind(this); // Bound: docs/decisions/functions_in_fields.md.
  private readonly broken = this.onReadFailed.bind(this);
  private readonly writeFailed = this.onWriteFailed.bind(this);

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
    this.pace = new BodyPace(table, limits);
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
    this.watchedFrom = inlet.end;
    readSome(this.conn, inlet.room).then(this.arrived, this.broken);
  }

  /** Watches beside an exchange, while there is room: what nobody has asked for yet wins no larger buffer. */
  watchBeside(): void {
    // Whoever reads a body reads on by itself.
    if (!this.reading && this.inlet.makeRoom(0)) this.watch();
  }

  /** The same behind `bytes` of a body, if so many find room. */
  watchBehind(bytes: number): void {
    if (bytes < IDLE_BUFFER_BYTES) this.watchBeside();
  }

  private onArrived(count: number): void {
    const { inlet } = this;
    this.watching = false;
    if (count === 0) this.ended = true;
    else {
      this.pace.goOn();
      // What was before it may have been used up meanwhile.
      if (inlet.start === inlet.end) inlet.start = this.watchedFrom;
      inlet.end = this.watchedFrom + count;
    }
    this.tellWatched();
  }

  private onReadFailed(): void {
    this.watching = false;
    this.ended = true;
    this.onceWatched?.();
    if (!this.closed) this.onBroken();
  }

  private tellWatched(): void {
    const once = this.onceWatched;
    this.onceWatched = null;
    once?.();
    this.onWatched();
  }

  /** Where the system lets a small piece wait until the client has acknowledged the one before: over TLS. */
  get holdsBack(): boolean {
    return !("setNoDelay" in this.conn);
  }

  get wheel(): TimerWheel {
    return this.table.wheel;
  }

  /** Weir's own address, as a client would write it. */
  get authority(): string {
    const { hostname, port } = this.conn.localAddr as Deno.NetAddr;
    // A listener on `::` has its IPv4 clients mapped.
    const address = hostname.replace(/^::ffff:(?=[\d.]+$)/, "");
    return `${address.includes(":") ? `[${address}]` : address}:${port}`;
  }

  /** Settles when no background read is pending. */
  unwatched(): Promise<void> {
    return this.watching ? new Promise((resolve) => this.onceWatched = resolve) : Promise.resolve();
  }

  /** Whether the head of another request is here, whole, behind `unread` bytes of a body. */
  holdsHead(unread: number): boolean {
    const { bytes, start, end } = this.inlet;
    const from = start + unread;
    return findSectionEnd(bytes, from + emptyLinesBefore(bytes, from, end), end) >= 0;
  }

  /** A request's body begins; `withheld`: its client waits for 100, unless some of it is here. */
  beginBody(withheld: boolean): this {
    this.pace.begin(withheld && this.inlet.available === 0);
    return this;
  }

  /** ByteSource: the client waits for 100 before it sends its body. */
  get withheld(): boolean {
    return this.pace.withheld;
  }

  /** The client is told 100. */
  askForBody(): void {
    this.pace.goOn();
  }

  /**
   * ByteSource of request bodies: past the inlet, or what the background read brings. One read at a time.
   * @throws BodyError `clientGone`, or `timedOut` below the minimum rate
   */
  read(into: Uint8Array): Promise<number | null> {
    const { pace } = this;
    this.reading = true;
    pace.wait();
    return new Promise((resolve, reject) => {
      this.failRead = reject;
      const reading = this.watching ? this.readWatched(into) : readOrNull(this.conn, into);
      reading.then((count) => {
        this.reading = false;
        pace.came(count ?? 0);
        if (count === null) this.ended = true;
        resolve(count);
      }, () => {
        this.reading = false;
        pace.came(0);
        reject(new BodyError("clientGone", "client left before the end of its body"));
      });
    });
  }

  /** What the background read brings; what is more than `into` takes stays in the inlet. Rejects when broken. */
  private async readWatched(into: Uint8Array): Promise<number | null> {
    const { inlet } = this;
    const isBehind = inlet.available > 0;
    await this.unwatched();
    if (this.closed) throw new Error("broken");
    if (this.ended) return null;
    if (isBehind) {
      // `into` is the inlet's room, where the background read went.
      const count = inlet.end - this.watchedFrom;
      inlet.end = this.watchedFrom;
      return count;
    }
    const view = inlet.take(Math.min(inlet.available, into.length));
    into.set(view);
    return view.length;
  }

  /** Straight from the connection: for tunnels. */
  readDirect(into: Uint8Array): Promise<number | null> {
    return readOrNull(this.conn, into);
  }

  /** Sends all of `bytes`, which must not change meanwhile; false when the client is gone. */
  write(bytes: Uint8Array): Promise<boolean> {
    this.sendDeadline = this.table.after(this.limits.sendIdleMs);
    return this.conn.write(bytes).then(
      (count) => count < bytes.length ? this.write(bytes.subarray(count)) : this.onWritten(),
      this.writeFailed,
    );
  }

  private onWritten(): boolean {
    this.sendDeadline = Infinity;
    return true;
  }

  private onWriteFailed(): boolean {
    this.sendDeadline = Infinity;
    return false;
  }

  /** Some of `bytes`: for tunnels. */
  writeSome(bytes: Uint8Array): Promise<number> {
    return this.conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  /** Fails a body that is too slow; true when the client takes nothing of what is being sent. */
  checkDeadlines(clock: number): boolean {
    if (clock >= this.pace.deadline) {
      this.pace.deadline = Infinity;
      this.failRead?.(new BodyError("timedOut", "request body slower than its minimum rate"));
    }
    return clock >= this.sendDeadline;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeQuietly(this.conn);
  }

  /** Settles once the descriptor of one that was closed while it was watched is free. */
  freed(): Promise<void> {
    return descriptorFree(this.conn, this.unwatched(), this.wheel);
  }
}
