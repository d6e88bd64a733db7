// Deno.serve's own engine on a connection that Weir has accepted, by names inside Deno that are not public.
//
// They may change with any release, so they are used with the one version that they were tested with. With
// another one there is no engine, and Deno.serve accepts for itself. Why it is worth that stands in
// docs/decisions/certificates_change_without_loss.md.

/** The version whose inside this file knows. */
export const KNOWN_DENO = "2.9.6";

export type ServeHandler = (
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
) => Promise<Response>;

export interface ServedConnection {
  /** Settles when the connection has ended; rejects when it did not end in order. */
  readonly finished: Promise<void>;
  /** Ends it: at once while it idles, with the answer while it has a request. */
  shutdown(): Promise<void>;
  /** To be called when a WebSocket opens: it goes on, while the connection ends for the engine. */
  letGo(): void;
}

/** Serves HTTP on a connection until it ends. @throws when the connection is gone already */
export type ServeConnection = (
  conn: Deno.TlsConn,
  /** Aborting cuts it. Never after `shutdown()`: Deno throws where nobody catches. */
  signal: AbortSignal,
  handler: ServeHandler,
) => ServedConnection;

interface Internals {
  serveHttpOnConnection(
    conn: Deno.TlsConn,
    signal: AbortSignal,
    handler: ServeHandler,
    onError: () => Response,
    onListen: () => void,
  ): Deno.HttpServer;
  readonly core: {
    /** A new resource; its number is the next one. */
    createCancelHandle(): number;
    close(resource: number): void;
    tryClose(resource: number): void;
  };
}

/** The engine, when this Deno is the one that is known. */
export function connectionEngine(version: string = Deno.version.deno): ServeConnection | null {
  if (version !== KNOWN_DENO) return null;
  const { internal } = Deno as unknown as { internal: keyof typeof Deno };
  const { serveHttpOnConnection, core } = Deno[internal] as unknown as Internals;
  return (conn, signal, handler) => {
    // The server of a connection ends with it, and in ending it closes the WebSockets that came of it. Closing
    // its resource when a WebSocket opens, just before that end, leaves it nothing to close them by. Deno does
    // not tell the resource's number, but numbers are given in turn.
    const before = core.createCancelHandle();
    core.close(before);
    const server = serveHttpOnConnection(conn, signal, handler, failed, () => {});
    const release = () => core.tryClose(before + 1);
    return {
      // Deno keeps what belongs to a connection that failed, as every reset or broken handshake is.
      finished: server.finished.finally(release),
      shutdown: () => server.shutdown(),
      letGo: release,
    };
  };
}

function failed(): Response {
  return new Response(null, { status: 500 });
}
