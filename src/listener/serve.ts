// The default listener: Deno.serve with reusePort, one per worker (HTTP/1.1, HTTP/2 and TLS by Deno).
//
// Turns each `Request` into an Exchange and the answer into a `Response`; nothing outside this room sees
// either. Its accept loop can end by itself (no descriptors left): `onFailed` tells, and the worker listens
// again. What Deno.serve cannot do is in docs/listeners.md.

import type { Listener, ListenOptions } from "./listener.ts";
import { Rotation } from "./rotation.ts";
import { Departures } from "./serve_departures.ts";
import { ServeExchange, type ServeShared } from "./serve_exchange.ts";
import { Uploads } from "./serve_uploads.ts";

/** Listens. @throws Deno.errors.AddrInUse and the like */
export function serve(options: ListenOptions): Listener {
  const { config, certificate, handle, onFailed, wheel } = options;
  const abort = new AbortController();
  const uploads = new Uploads();
  const shared: ServeShared = {
    scheme: certificate === undefined ? "http" : "https",
    uploads,
    rotation: new Rotation(config, { now: () => wheel.recent, random: Math.random }),
    departures: new Departures(wheel),
    wheel,
  };
  let leaving = false;
  let closing = false;
  const server = Deno.serve(
    {
      hostname: config.host,
      port: config.port,
      reusePort: true,
      automaticCompression: false,
      signal: abort.signal,
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
      ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
    } as Deno.ServeTcpOptions,
    (request, info) => new ServeExchange(request, info, shared).run(handle),
  );
  server.finished.catch((error) => {
    if (!leaving) onFailed(error instanceof Error ? error.message : String(error));
  });
  return {
    host: server.addr.hostname,
    port: server.addr.port,
    // shutdown() makes request bodies in flight unreadable, so uploads end first.
    drain: async ({ onDeaf, late = new Promise<void>(() => {}) } = {}) => {
      uploads.leaving = true;
      await Promise.race([uploads.none(), late, server.finished.catch(() => {})]);
      leaving = true;
      closing = true;
      const shutdown = server.shutdown();
      onDeaf?.();
      await shutdown;
      await server.finished.catch(() => {});
    },
    abort: () => {
      leaving = true;
      // Once it is closing, Deno cuts nothing more and throws where nobody can catch it.
      if (!closing) abort.abort();
    },
  };
}
