// Weir's own listener: a strict HTTP/1.1 server on Deno.listen with reusePort, one per worker.
//
// It has what Deno.serve cannot give: every timeout and limit, interim answers, trailers, raw tunnels, the
// PROXY protocol, a drain that loses nothing, and speed. It speaks HTTP/1.1 and 1.0 only, with TLS too.
// docs/listeners.md compares the two.

import { closeQuietly } from "../http1/close_quietly.ts";
import type { Idler } from "../http1/idler.ts";
import type { CertificateSnapshot } from "../messages.ts";
import { Door } from "./door.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import { WireConnection } from "./wire_connection.ts";
import { WireShared } from "./wire_shared.ts";
import { WireTable } from "./wire_table.ts";

/** Connections that idle and are closed when descriptors run out. */
const GIVEN_BACK = 16;
/** Whoever has idled for less may have sent a request that is not read yet, as is likely of who has just come. */
const READ_MS = 50;

/** Listens. @throws Deno.errors.AddrInUse and the like */
export function wire(options: ListenOptions): Listener {
  return new WireListener(options);
}

class WireListener implements Listener {
  readonly host: string;
  readonly port: number;
  private readonly door: Door;
  private readonly table: WireTable;
  private readonly shared: WireShared;
  private readonly empty = Promise.withResolvers<void>();
  private closed = false;

  constructor(private readonly options: ListenOptions) {
    const { config, certificate, wheel, countConnection, onFailed } = options;
    this.table = new WireTable(config, wheel, (change) => {
      countConnection(change);
      if (this.closed && this.table.size === 0) this.empty.resolve();
    });
    const scheme = certificate === undefined ? "http" : "https";
    this.shared = new WireShared(options, scheme, this.table, Math.random);
    this.door = new Door({
      host: config.host,
      port: config.port,
      alpnProtocols: ["http/1.1"],
      wheel,
      admit: (conn) => this.admit(conn),
      makeRoom: () => this.makeRoom(),
      onFailed,
    }, certificate);
    this.host = this.door.host;
    this.port = this.door.port;
  }

  get oldest(): Idler | null {
    return this.table.oldest;
  }

  /** Out of descriptors, most likely. Several at once: requests need some, too. */
  private async makeRoom(): Promise<void> {
    const { makeRoom, wheel } = this.options;
    const since = wheel.now - READ_MS;
    const freed: Promise<void>[] = [];
    while (freed.length < GIVEN_BACK) {
      const one = makeRoom(since);
      if (one === null) break;
      freed.push(one);
    }
    await Promise.all(freed);
  }

  private admit(conn: Deno.TcpConn | Deno.TlsConn): void {
    const { hostname } = conn.remoteAddr as Deno.NetAddr;
    if (!this.table.admits(this.shared.counted(hostname))) return closeQuietly(conn);
    // Nagle and delayed acknowledgements together cost 40 ms on small writes.
    if ("setNoDelay" in conn) conn.setNoDelay(true);
    new WireConnection(conn, this.shared);
  }

  renew(certificate: CertificateSnapshot): Promise<void> {
    return this.door.renew(certificate);
  }

  /** Connections that idle go after a last call, the others with their answer. */
  async drain(): Promise<void> {
    this.shared.draining = true;
    await this.door.leave();
    this.close();
    this.table.forEach((connection) => connection.drain());
    await this.empty.promise;
  }

  abort(): void {
    this.close();
    this.table.forEach((connection) => connection.close());
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.door.close();
    if (this.table.size === 0) this.empty.resolve();
  }
}
