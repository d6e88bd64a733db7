// Tells when the event loop has turned: a byte goes to this process's own other end of a connection and is back
// only after the system was asked anew which sockets are ready. No timer or message does that: within one turn
// Deno runs many of them.

import { closeQuietly } from "./http1/close_quietly.ts";

const LOOPBACK = "127.0.0.1";
const BYTE = new Uint8Array(1);

interface Ends {
  readonly near: Deno.TcpConn;
  readonly far: Deno.TcpConn;
}

export class LoopTurn {
  private ends: Promise<Ends> | null = null;
  private closed = false;
  private readonly arrived = new Uint8Array(1);

  /** Resolves once the loop has turned. One at a time. @throws when the connection cannot be had, or broke */
  async next(): Promise<void> {
    const { near, far } = await (this.ends ??= this.open());
    // The reading begins first: it must not find the byte there at once.
    const [count] = await Promise.all([far.read(this.arrived), near.write(BYTE)]);
    if (count === null) throw new Error("the loop's own connection has ended");
  }

  private async open(): Promise<Ends> {
    const ends = await connectToSelf();
    if (!this.closed) return ends;
    leave(ends);
    throw new Error("the loop has ended");
  }

  /** Lets go of the connection. */
  close(): void {
    this.closed = true;
    this.ends?.then(leave, () => {});
  }
}

async function connectToSelf(): Promise<Ends> {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  try {
    const near = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
    for (;;) {
      const far = await listener.accept();
      // Anybody on this machine may connect to loopback.
      if (far.remoteAddr.port === near.localAddr.port && far.remoteAddr.hostname === LOOPBACK) {
        near.setNoDelay(true);
        return { near, far };
      }
      far.close();
    }
  } finally {
    listener.close();
  }
}

function leave({ near, far }: Ends): void {
  closeQuietly(near);
  closeQuietly(far);
}
