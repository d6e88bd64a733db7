// A client's way through TLS to Deno.serve: one connection on each side, and the bytes between them.
//
// Towards the client everything that is there goes out in one write: of two small ones the system would hold back
// the second until the client has acknowledged the first, which takes it 40 ms (Nagle's algorithm against delayed
// acknowledgements; Deno cannot set TCP_NODELAY on a connection with TLS). A slow side holds the other one back.

import type { PeerAddress } from "../exchange.ts";
import { PIECES } from "../http1/buffers.ts";
import { closeQuietly } from "../http1/close_quietly.ts";
import { readSome } from "../http1/read_some.ts";
import { writeAll } from "../http1/write_all.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { LINGER_MS } from "./closing_times.ts";
import { Gatherer } from "./gatherer.ts";
import type { InnerConnection } from "./serve_inner.ts";

/** Holds most heads of requests; more gets a larger buffer for as long as it comes. */
const REQUEST_BYTES = 2_048;
/** No answer has come for so long: there is none on its way. */
const ANSWERED_MS = 10;

/** What is on the other side, and who is told of what becomes of it. */
export interface PassageInputs {
  /** Connects to Deno.serve. */
  readonly connect: () => Promise<InnerConnection>;
  /** It is connected and has its port; nothing is sent yet. */
  readonly onEntered: () => void;
  readonly wheel: TimerWheel;
  /** Both connections are closed. Called once. */
  readonly onOver: () => void;
}

export class Passage {
  /** Deno.serve has read a request of it. */
  asked = false;
  readonly client: PeerAddress;
  private inner: InnerConnection | null = null;
  private over = false;
  private clientEnded = false;
  /** A piece of an answer has come and is not all sent. */
  private answering = false;
  /** A piece of an answer was sent since `answered()` looked last. */
  private sent = false;
  /** Monotonic milliseconds: when the last piece of an answer came. */
  private answeredAt = 0;
  private readonly linger: Timer = new Timer(() => this.cut());

  constructor(private readonly conn: Deno.TlsConn, private readonly inputs: PassageInputs) {
    this.client = conn.remoteAddr as Deno.NetAddr;
    this.run();
  }

  /** The port it has on Deno.serve's side; 0 before it has one. */
  get port(): number {
    return this.inner?.conn.localAddr.port ?? 0;
  }

  /** Connects once the client has said something, so that a client without a request costs Deno.serve nothing. */
  private async run(): Promise<void> {
    const buffer = new Uint8Array(REQUEST_BYTES);
    try {
      const count = await readSome(this.conn, buffer);
      if (count === 0) return this.cut();
      const inner = this.inner = await this.inputs.connect();
      if (this.over) return leave(inner);
      const inside = inner.conn;
      inside.setNoDelay(true);
      this.inputs.onEntered();
      this.passAnswers(inside);
      await this.passRequests(inside, buffer, count);
    } catch {
      this.cut();
    }
  }

  /** Until the client ends its side. @throws when it breaks off */
  private async passRequests(inside: Deno.TcpConn, small: Uint8Array, first: number): Promise<void> {
    let large: Uint8Array<ArrayBuffer> | null = null;
    let count = first;
    try {
      while (count > 0) {
        const buffer: Uint8Array = large ?? small;
        if (this.inner!.closes()) await this.answered();
        // Deno.serve may be done with this connection; what the client still sends is read all the same.
        await writeAll(inside, buffer.subarray(0, count)).catch(() => {});
        if (count < buffer.length && large !== null) {
          PIECES.give(large);
          large = null;
        } else if (count === buffer.length) large ??= PIECES.take();
        count = await readSome(this.conn, large ?? small);
      }
    } finally {
      if (large !== null) PIECES.give(large);
    }
    this.clientEnded = true;
    if (this.linger.deadline !== Infinity) return this.cut();
    // Deno.serve has closed: what it said last is still on its way.
    await inside.closeWrite().catch(() => {});
  }

  /**
   * Until no answer is on its way. A Deno.serve that shuts down closes over HTTP/2 right after its last byte; if more
   * came from the client then, window updates mostly, the system would drop what is not read yet of the answer.
   */
  private async answered(): Promise<void> {
    const { wheel } = this.inputs;
    do {
      this.sent = false;
      await new Promise<void>((resolve) => wheel.arm(new Timer(resolve), ANSWERED_MS));
    } while (!this.over && (this.answering || this.sent));
  }

  /** Until Deno.serve ends the connection, in whatever way. Never rejects. */
  private async passAnswers(inside: Deno.TcpConn): Promise<void> {
    const answers = new Gatherer(inside);
    for (;;) {
      // Deno.serve resets when it closes over bytes that it has not read; what it said before that has come.
      const piece = await answers.next().catch(() => null);
      if (piece === null) break;
      this.answeredAt = this.inputs.wheel.recent;
      this.answering = true;
      if (!await writeAll(this.conn, piece).then(() => true, () => false)) {
        answers.release();
        return this.cut();
      }
      this.answering = false;
      this.sent = true;
    }
    answers.release();
    await this.part();
  }

  /** The last answer is out; the client may read it. */
  private async part(): Promise<void> {
    const { wheel } = this.inputs;
    const read = this.clientEnded || wheel.now - this.answeredAt >= LINGER_MS;
    try {
      await this.conn.closeWrite();
    } catch {
      return this.cut();
    }
    if (read) this.cut();
    else if (!this.over) wheel.arm(this.linger, LINGER_MS);
  }

  /** Ends both sides at once. */
  cut(): void {
    if (this.over) return;
    this.over = true;
    this.inputs.wheel.remove(this.linger);
    closeQuietly(this.conn);
    if (this.inner !== null) leave(this.inner);
    this.inputs.onOver();
  }
}

function leave({ conn, release }: InnerConnection): void {
  closeQuietly(conn);
  release();
}
