// The client's side of a raw tunnel: its bytes as they come, whatever they mean.

import { BodyError, type Tunnel } from "../exchange.ts";
import type { WireConnection } from "./wire_connection.ts";

export class ClientTunnel implements Tunnel {
  constructor(private readonly connection: WireConnection) {}

  /** What came before the switch first. */
  async read(into: Uint8Array): Promise<number | null> {
    const { socket } = this.connection;
    const { inlet } = socket;
    if (inlet.available === 0) await socket.unwatched();
    if (inlet.available > 0) {
      const view = inlet.take(Math.min(inlet.available, into.length));
      into.set(view);
      return view.length;
    }
    if (socket.closed) throw new BodyError("clientGone", "client broke off");
    return socket.ended ? null : await socket.readDirect(into);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { socket } = this.connection;
    for (let sent = 0; sent < bytes.length;) sent += await socket.writeSome(bytes.subarray(sent));
  }

  closeWrite(): Promise<void> {
    return this.connection.socket.closeWrite();
  }

  close(): void {
    this.connection.close();
  }
}
