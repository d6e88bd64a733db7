// Tells when the event loop has turned: a byte goes to this process's own other end of a connection and is back
// only after the system was asked anew which sockets are ready. No timer or message does that: within one turn
// Deno runs many of them.

import { closeQuietly } from "./http1/close_quietly.ts";
import { readSome } from "./http1/read_some.ts";
import type { TimerWheel } from "./timer_wheel.ts";

const LOOPBACK = "127.0.0.1";
/** The byte is lost when it is not back within twice this: a loop that stood still finds the first time over. */
const PATIENCE_MS = 500;
const BYTE = new Uint8Array(1);

interface Ends {
  readonly near: Deno.TcpConn;
  readonly far: Deno.TcpConn;
}

export class LoopTurn {
  private ends: Promise<Ends> | null = null;
  private closed = false;
  private readonly arrived = new Uint8Array(1);

  constructor(private readonly wheel: Pick<TimerWheel, "within">) {}

  /**
   * Resolves once the loop has turned. One at a time.
   * @throws when the connection cannot be had, broke or is stuck; the next turn gets another one
   */
  async next(): Promise<void> {
    const round = this.goRound();
    if (await this.wheel.within(PATIENCE_MS, round) || await this.wheel.within(PATIENCE_MS, round)) return;
    this.letGo();
    throw new Error("the loop's own connection is stuck");
  }

  private async goRound(): Promise<void> {
    if (this.closed) throw new Error("the loop has ended");
    const ends = this.ends ??= this.open();
    try {
      const { near, far } = await ends;
      // The reading begins first: it must not find the byte there at once.
      const [count] = await Promise.all([readSome(far, this.arrived), near.write(BYTE)]);
      if (count === 0) throw new Error("the loop's own connection has ended");
    } catch (error) {
      if (this.ends === ends) this.letGo();
      throw error;
    }
  }

  private async open(): Promise<Ends> {
    const ends = await connectToSelf();
    if (!this.closed) return ends;
    leave(ends);
    throw new Error("the loop has ended");
  }

  private letGo(): void {
    this.ends?.then(leave, () => {});
    this.ends = null;
  }

  /** Lets go of the connection for good. */
  close(): void {
    this.closed = true;
    this.letGo();
  }
}

async function connectToSelf(): Promise<Ends> {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  let near: Deno.TcpConn | null = null;
  try {
    near = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
    near.setNoDelay(true);
    return { near, far: await acceptFrom(near.localAddr, listener) };
  } catch (error) {
    if (near !== null) closeQuietly(near);
    throw error;
  } finally {
    listener.close();
  }
}

/** Anybody on this machine may connect to loopback: the others are sent away. */
async function acceptFrom({ port }: Deno.NetAddr, listener: Deno.TcpListener): Promise<Deno.TcpConn> {
  for (;;) {
    const conn = await listener.accept();
    if (conn.remoteAddr.port === port && conn.remoteAddr.hostname === LOOPBACK) return conn;
    conn.close();
  }
}

function leave({ near, far }: Ends): void {
  closeQuietly(near);
  closeQuietly(far);
}
