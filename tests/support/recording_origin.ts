// An origin that keeps every byte of every connection, reads requests by habits of its choice, and answers each
// with the target that it has read: whoever gets another target than he asked for shares a connection that is
// out of step.

import net from "node:net";
import { latin1 } from "./raw_http.ts";
import { readAll, type ReaderName } from "./readers.ts";

export class RecordingOrigin implements AsyncDisposable {
  /** All bytes of each connection, as latin-1. */
  readonly streams: string[] = [];
  readonly #sockets = new Set<net.Socket>();
  readonly #server = net.createServer((socket) => this.#record(socket));

  private constructor(private readonly reader: ReaderName) {}

  static async start(reader: ReaderName): Promise<RecordingOrigin> {
    const origin = new RecordingOrigin(reader);
    await new Promise<void>((resolve) => origin.#server.listen(0, "127.0.0.1", resolve));
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  #record(socket: net.Socket): void {
    const at = this.streams.push("") - 1;
    let answered = 0;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      this.streams[at]! += text;
      const { requests } = readAll(this.streams[at]!, this.reader);
      for (; answered < requests.length; answered++) {
        const { target } = requests[answered]!;
        socket.write(latin1(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`));
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
