// The default listener: Deno.serve with reusePort, one per worker (HTTP/1.1 and HTTP/2 by Deno).
//
// Turns each `Request` into an Exchange and the answer into a `Response`; nothing outside this room sees
// either. Its accept loop can end by itself (no descriptors left): `onFailed` tells, and the worker listens
// again. What Deno.serve cannot do is in docs/listeners.md.

import { messageOf } from "../error_message.ts";
import type { PeerAddress } from "../exchange.ts";
import { keepFreedMemory } from "../http1/buffers.ts";
import { LAST_CALL_MS } from "./closing_times.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import { Rotation } from "./rotation.ts";
import { Departures } from "./serve_departures.ts";
import { ServeExchange, type ServeShared } from "./serve_exchange.ts";
import { overOrNextWorn, StuckReads } from "./serve_stuck.ts";
import { Uploads } from "./serve_uploads.ts";

/** Where Deno.serve stands, and who it is that asks there. */
export interface ServePlace {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort: boolean;
  /** How clients speak to Weir. */
  readonly scheme: "http" | "https";
  /** The client behind a connection; null for one that has none any more, or no business here. */
  readonly clientOf: (address: Deno.NetAddr) => PeerAddress | null;
  /** The port that clients know, where it is another one. */
  readonly outerPort?: () => number;
}

/**
 * Whom Deno tells of where a client has reset its connection before Deno asked who it was. Its request can be read all
 * the same.
 */
const NOBODY = "0.0.0.0";

/** Listens where the configuration says. @throws Deno.errors.AddrInUse and the like */
export function serve(options: ListenOptions): Listener {
  const { host: hostname, port } = options.config;
  const clientOf = (address: Deno.NetAddr) => address.hostname === NOBODY ? null : address;
  return new ServeListener(options, { hostname, port, reusePort: true, scheme: "http", clientOf });
}

export class ServeListener implements Listener {
  readonly host: string;
  readonly port: number;
  /**
   * Deno does not tell who idles. So nothing is closed for newcomers, either: they could not give back for requests
   * what they take.
   */
  readonly oldest = null;
  private readonly server: Deno.HttpServer<Deno.NetAddr>;
  private readonly shared: ServeShared;
  private readonly cutting = new AbortController();
  /** Connections end once their requests are answered. */
  closing = false;
  private leaving = false;
  /** Another has its place, or is about to. */
  private worn = false;
  private drained: Promise<void> | null = null;

  /** Listens. @throws Deno.errors.AddrInUse and the like */
  constructor(private readonly options: ListenOptions, private readonly place: ServePlace) {
    const { config, wheel } = options;
    keepFreedMemory();
    this.shared = {
      scheme: place.scheme,
      authorityOf: (authority) => this.authorityOf(authority),
      uploads: new Uploads(),
      stuck: new StuckReads(() => this.wearOut()),
      rotation: new Rotation(config, { now: () => wheel.recent, random: Math.random }),
      departures: new Departures(wheel),
      wheel,
    };
    this.server = this.open();
    this.host = this.server.addr.hostname;
    this.port = this.server.addr.port;
    this.server.finished.catch((error) => {
      if (!this.leaving) options.onFailed(messageOf(error));
    });
  }

  private open(): Deno.HttpServer<Deno.NetAddr> {
    const { hostname, port, reusePort, clientOf } = this.place;
    const { handle } = this.options;
    return Deno.serve({
      hostname,
      port,
      reusePort,
      automaticCompression: false,
      signal: this.cutting.signal,
      onListen: () => {},
      onError,
    } as Deno.ServeTcpOptions, (request, info) => {
      const client = clientOf(info.remoteAddr);
      if (client === null) return new Response(null, { status: 403 });
      return new ServeExchange(request, client, this.shared, info).run(handle);
    });
  }

  /** Deno puts its own port where HTTP/1.0 has no Host; clients know another one. */
  private authorityOf(authority: string): string {
    const { outerPort } = this.place;
    return outerPort === undefined ? authority : authority.replace(`:${this.port}`, `:${outerPort()}`);
  }

  /** Deno.serve here is always plain: a certificate is the business of who stands in front of it. */
  renew(): Promise<void> {
    return Promise.resolve();
  }

  private wearOut(): void {
    this.worn = true;
    // Without another it drains as any does, and ends nobody's wait.
    this.worn = this.options.onWornOut();
  }

  /** From now on answers ask their clients to leave. */
  leave(): void {
    this.shared.uploads.leaving = true;
  }

  /**
   * `shutdown()` makes request bodies in flight unreadable, so uploads end first, also where nobody is accepted any
   * more.
   */
  drain(): Promise<void> {
    return this.drained ??= this.drainOnce();
  }

  private async drainOnce(): Promise<void> {
    const { server, shared: { uploads } } = this;
    this.leave();
    await (this.worn ? overOrNextWorn(this.lastCall()) : uploads.none());
    this.leaving = true;
    this.closing = true;
    await server.shutdown();
    await server.finished.catch(() => {});
  }

  /** Clients that ask meanwhile are not on their connections any more when those are closed. */
  private async lastCall(): Promise<void> {
    const { uploads, wheel } = this.shared;
    await wheel.pass(LAST_CALL_MS);
    await uploads.none();
  }

  abort(): void {
    this.leaving = true;
    // Once it is closing, Deno cuts nothing more and throws where nobody can catch it.
    if (!this.closing) this.cutting.abort();
    this.shared.departures.leave();
  }
}

/** What no handler was asked for: with traces on, Deno reads the URL first, and throws where Host is none. */
function onError(error: unknown): Response {
  if (!(error instanceof TypeError && error.message.startsWith("Invalid URL"))) {
    return new Response(null, { status: 500 });
  }
  return new Response("400 Bad Request: Host is not a host and port\n", { status: 400 });
}
