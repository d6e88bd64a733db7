// A TCP connection as the raw client and the raw origin of the tests need it: reads only when asked to,
// writes what it is given, and can leave in each of the three ways a peer can: half close, close, reset.
//
// Stands on node:net, because Deno's own connections cannot send a reset: `resetAndDestroy()` sets SO_LINGER.

import net from "node:net";

/** How the other side of a connection left. */
export type Ending = "open" | "end" | "reset";

export class RawSocket {
  /** What the peer did last: still there, closed its side in order (FIN), or reset (RST). */
  ending: Ending = "open";
  /** Bytes handed to the kernel. */
  bytesSent = 0;
  /** Settles when the peer has ended or reset, as far as reading went, or nothing of the connection is left. */
  readonly ended: Promise<void>;
  /** Settles when nothing of the connection is left. */
  readonly closed: Promise<void>;
  #settleEnded!: () => void;
  #wake: (() => void) | null = null;

  constructor(private readonly socket: net.Socket) {
    socket.setNoDelay(true);
    socket.on("readable", () => this.#notify());
    socket.on("end", () => this.#end("end"));
    socket.on("error", () => this.#end("reset"));
    this.ended = new Promise((resolve) => this.#settleEnded = resolve);
    this.closed = new Promise((resolve) =>
      socket.on("close", () => {
        this.#end("end");
        resolve();
      })
    );
  }

  /** @param target URL of a server, or its `host:port`. */
  static connect(target: string | URL): Promise<RawSocket> {
    const url = new URL(String(target).replace(/^(?!\w+:\/\/)/, "http://"));
    const host = url.hostname.replace(/^\[|\]$/g, "");
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host, port: Number(url.port || 80), allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawSocket(socket));
      });
    });
  }

  /** The next bytes, or null once the peer has ended or reset (see `ending`). One read at a time. */
  async read(): Promise<Uint8Array | null> {
    while (true) {
      const bytes: Uint8Array | null = this.socket.read();
      if (bytes !== null) return bytes;
      if (this.ending !== "open") return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Settles when the kernel took all of `bytes`; false when the connection was gone before. */
  write(bytes: Uint8Array): Promise<boolean> {
    if (this.socket.destroyed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const gone = () => resolve(false);
      // A write that a reset overtakes may never be called back.
      this.socket.once("close", gone);
      this.socket.write(bytes, (error) => {
        this.socket.off("close", gone);
        if (!error) this.bytesSent += bytes.length;
        resolve(!error);
      });
    });
  }

  /** Nothing more will be sent; reading goes on. */
  closeWrite(): Promise<void> {
    return new Promise((resolve) => {
      this.closed.then(resolve);
      this.socket.end(() => resolve());
    });
  }

  /** Sends what is left, then closes both directions. */
  async close(): Promise<void> {
    await this.closeWrite();
    this.socket.destroy();
    await this.closed;
  }

  /** Sends RST: the peer's next read or write fails with "connection reset". */
  async reset(): Promise<void> {
    if (!this.socket.destroyed) this.socket.resetAndDestroy();
    await this.closed;
  }

  #end(how: "end" | "reset"): void {
    if (this.ending === "open") this.ending = how;
    this.#settleEnded();
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
