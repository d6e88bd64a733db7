// The default listener with TLS: Weir ends TLS, and Deno.serve reads and answers the plain bytes over loopback.
//
// Deno.serve with TLS has one certificate for life, and lets small answers wait for the client to acknowledge
// their heads (docs/decisions/tls_in_front_of_serve.md). So the door is Weir's own: it changes its certificate
// beside the connections, and what Deno.serve writes in several pieces goes out in one.

import type { PeerAddress } from "../exchange.ts";
import { closeQuietly } from "../http1/close_quietly.ts";
import type { CertificateSnapshot } from "../messages.ts";
import { LAST_CALL_MS } from "./closing_times.ts";
import { Door } from "./door.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import { Passage } from "./passage.ts";
import { InnerServe } from "./serve_inner.ts";

/** Listens. @throws Deno.errors.AddrInUse and the like */
export function serveTls(options: ListenOptions, certificate: CertificateSnapshot): Listener {
  return new TlsListener(options, certificate);
}

class TlsListener implements Listener {
  readonly host: string;
  readonly port: number;
  /** As of `ServeListener`. */
  readonly oldest = null;
  private readonly door: Door;
  private readonly inner: InnerServe;
  private readonly passages = new Set<Passage>();
  /** Those that have reached Deno.serve, by the port they come from there. */
  private readonly byPort = new Map<number, Passage>();
  private closed = false;
  /** The listener leaves, and its last passage has ended. */
  private readonly empty = Promise.withResolvers<void>();

  constructor(private readonly options: ListenOptions, certificate: CertificateSnapshot) {
    const { config, wheel, onFailed } = options;
    this.inner = new InnerServe(options, (port) => this.clientAt(port), () => this.port);
    try {
      this.door = new Door({
        host: config.host,
        port: config.port,
        alpnProtocols: ["h2", "http/1.1"],
        wheel,
        admit: (conn) => this.admit(conn as Deno.TlsConn),
        room: () => this.inner.room,
        onFailed,
      }, certificate);
    } catch (error) {
      this.inner.abort();
      throw error;
    }
    this.host = this.door.host;
    this.port = this.door.port;
  }

  private admit(conn: Deno.TlsConn): void {
    if (this.closed) return closeQuietly(conn);
    const passage: Passage = new Passage(conn, {
      connect: () => this.inner.connect(),
      onEntered: () => this.byPort.set(passage.port, passage),
      wheel: this.options.wheel,
      onOver: () => {
        this.options.countConnection(-1);
        this.passages.delete(passage);
        if (this.byPort.get(passage.port) === passage) this.byPort.delete(passage.port);
        if (this.closed && this.passages.size === 0) this.empty.resolve();
      },
    });
    this.passages.add(passage);
    this.options.countConnection(1);
  }

  private clientAt(port: number): PeerAddress | null {
    const passage = this.byPort.get(port);
    if (passage === undefined) return null;
    passage.asked = true;
    return passage.client;
  }

  renew(certificate: CertificateSnapshot): Promise<void> {
    return this.door.renew(certificate);
  }

  async drain(): Promise<void> {
    this.inner.leave();
    await this.door.leave();
    this.close();
    await this.lastCall();
    // It ends the connections of all passages; whoever else has found its way to it is not waited for.
    this.inner.drain();
    await this.empty.promise;
  }

  /** Deno.serve forgets whoever is not asking by the time it shuts down, so everybody may ask until then. */
  private async lastCall(): Promise<void> {
    await this.options.wheel.within(LAST_CALL_MS, this.empty.promise);
    for (const passage of this.passages) if (!passage.asked) passage.cut();
  }

  abort(): void {
    this.close();
    for (const passage of this.passages) passage.cut();
    this.inner.abort();
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.door.close();
    if (this.passages.size === 0) this.empty.resolve();
  }
}
