// The default listener with TLS: Deno.serve's engine (HTTP/1.1, HTTP/2 by ALPN) on connections that Weir accepts.
//
// Deno.serve itself has one certificate for life, and closing one cuts connections that it has not read from. So
// the door is Weir's own: it changes its certificate beside the connections, and none of them notices.

import type { CertificateSnapshot } from "../messages.ts";
import { Timer } from "../timer_wheel.ts";
import { Door } from "./door.ts";
import type { DrainOptions, Listener, ListenOptions } from "./listener.ts";
import { Rotation } from "./rotation.ts";
import { Departures } from "./serve_departures.ts";
import type { ServeConnection, ServedConnection } from "./serve_engine.ts";
import { ServeExchange, type ServeShared } from "./serve_exchange.ts";
import { Uploads } from "./serve_uploads.ts";
import { closeQuietly } from "./wire_close.ts";

/** What a connection without a request gets for its handshake and its first one while the listener leaves. */
const FIRST_REQUEST_MS = 1_000;

/** Listens. @throws Deno.errors.AddrInUse and the like */
export function serveTls(
  options: ListenOptions,
  certificate: CertificateSnapshot,
  engine: ServeConnection,
): Listener {
  return new TlsListener(options, certificate, engine);
}

class TlsListener implements Listener {
  readonly host: string;
  readonly port: number;
  private readonly door: Door;
  private readonly uploads = new Uploads();
  private readonly shared: ServeShared;
  private readonly connections = new Set<Connection>();
  private readonly empty = Promise.withResolvers<void>();
  private closed = false;

  constructor(
    private readonly options: ListenOptions,
    certificate: CertificateSnapshot,
    private readonly engine: ServeConnection,
  ) {
    const { config, wheel, onFailed } = options;
    this.shared = {
      scheme: "https",
      uploads: this.uploads,
      rotation: new Rotation(config, { now: () => performance.now(), random: Math.random }),
      departures: new Departures(wheel),
      wheel,
    };
    this.door = new Door({
      host: config.host,
      port: config.port,
      alpnProtocols: ["h2", "http/1.1"],
      wheel,
      admit: (conn) => this.admit(conn as Deno.TlsConn),
      // Nothing is known of a connection that idles.
      onShort: () => {},
      onFailed,
    }, certificate);
    this.host = this.door.host;
    this.port = this.door.port;
  }

  private admit(conn: Deno.TlsConn): void {
    if (this.closed) return closeQuietly(conn);
    let connection: Connection;
    try {
      connection = new Connection(conn, this.engine, this.shared, this.options.handle);
    } catch {
      return closeQuietly(conn);
    }
    this.connections.add(connection);
    connection.over.then(() => {
      this.connections.delete(connection);
      if (this.closed && this.connections.size === 0) this.empty.resolve();
    });
  }

  renew(certificate: CertificateSnapshot): Promise<void> {
    return this.door.renew(certificate);
  }

  /** `shutdown()` makes request bodies in flight unreadable, so uploads end first. */
  async drain({ onDeaf, late = new Promise<void>(() => {}) }: DrainOptions = {}): Promise<void> {
    this.uploads.leaving = true;
    await Promise.race([this.uploads.none(), late]);
    if (this.closed) return;
    this.close();
    onDeaf?.();
    for (const connection of this.connections) if (connection.asked) connection.shutdown();
    const timer = new Timer(() => {
      for (const connection of this.connections) {
        if (connection.asked) connection.shutdown();
        else connection.cut();
      }
    });
    this.options.wheel.arm(timer, FIRST_REQUEST_MS);
    await this.empty.promise;
    this.options.wheel.remove(timer);
  }

  abort(): void {
    this.close();
    for (const connection of this.connections) connection.cut();
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.door.close();
    if (this.connections.size === 0) this.empty.resolve();
  }
}

/** A connection in the engine's hands. */
class Connection {
  /** It had a request. */
  asked = false;
  /** Settles when it has ended, in whatever way: a handshake that failed is nobody else's matter. */
  readonly over: Promise<void>;
  private readonly served: ServedConnection;
  private readonly abort = new AbortController();
  private leaving = false;

  /** @throws when it is gone already */
  constructor(
    conn: Deno.TlsConn,
    engine: ServeConnection,
    listener: ServeShared,
    handle: ListenOptions["handle"],
  ) {
    const shared: ServeShared = { ...listener, onWebSocketOpen: () => this.served.letGo() };
    this.served = engine(conn, this.abort.signal, (request, info) => {
      this.asked = true;
      return new ServeExchange(request, info, shared).run(handle);
    });
    this.over = this.served.finished.catch(() => {});
  }

  shutdown(): void {
    if (this.leaving) return;
    this.leaving = true;
    this.served.shutdown().catch(() => {});
  }

  /** Deno cuts nothing that is shutting down, and throws where nobody can catch it. */
  cut(): void {
    if (this.leaving) return;
    this.leaving = true;
    this.abort.abort();
  }
}
