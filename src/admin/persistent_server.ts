// A Deno.serve that comes back: when accepting breaks off (out of file descriptors), it listens again.
//
// Kept by `server.ts` for as long as the pod lives. The port stays the same, also one that the system chose.

import { messageOf } from "../error_message.ts";
import { timeout } from "../timeout.ts";
import { dropDenoSpan, isTracing } from "../tracing/deno_spans.ts";

export interface PersistentServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Never rejects. `peer` is the address that asks. */
  readonly handler: (request: Request, peer: string) => Promise<Response>;
  readonly onProblem: (problem: string) => void;
  readonly serve?: (options: Deno.ServeTcpOptions, handler: Deno.ServeHandler<Deno.NetAddr>) => TcpServer;
  /** Calls back once after so many milliseconds, unless the returned function is called first. */
  readonly later?: (ms: number, act: () => void) => () => void;
}

type TcpServer = Pick<Deno.HttpServer<Deno.NetAddr>, "addr" | "finished" | "shutdown">;

/** Most lacks are over at once; one that lasts is told of once a second. */
const RELISTEN_FIRST_MS = 50;
const RELISTEN_MAX_MS = 1_000;
/** What a reader gets to finish before it is cut. */
const CLOSE_MS = 1_000;

export class PersistentServer {
  private server: TcpServer;
  private readonly cut = new AbortController();
  private readonly later: (ms: number, act: () => void) => () => void;
  private stopWaiting = () => {};
  private relistenMs = RELISTEN_FIRST_MS;
  private closed: Promise<void> | null = null;
  port: number;

  /** @throws Deno.errors.AddrInUse and the like, when the address cannot be had. */
  constructor(private readonly options: PersistentServerOptions) {
    this.later = options.later ?? timeout;
    this.port = options.port;
    this.server = this.listen();
    this.port = this.server.addr.port;
  }

  /** Idempotent; what is still being read after a second is cut. */
  close(): Promise<void> {
    return this.closed ??= this.shutDown();
  }

  private listen(): TcpServer {
    const { host, handler, serve = Deno.serve } = this.options;
    const traced = isTracing();
    const server = serve({
      hostname: host,
      port: this.port,
      signal: this.cut.signal,
      automaticCompression: false,
      onListen: () => {},
      onError: () => new Response("something went wrong here\n", { status: 500 }),
    }, (request, info) => {
      // Probes and scrapes are no traffic.
      if (traced) dropDenoSpan();
      return handler(request, info.remoteAddr.hostname);
    });
    server.finished.catch((error) => this.broke(error));
    return server;
  }

  private broke(error: unknown): void {
    if (this.closed !== null) return;
    const ms = this.relistenMs;
    this.options.onProblem(`admin: listening broke off: ${messageOf(error)}; listening again in ${ms} ms`);
    this.relistenMs = Math.min(ms * 2, RELISTEN_MAX_MS);
    this.stopWaiting();
    this.stopWaiting = this.later(ms, () => this.listenAgain());
  }

  private listenAgain(): void {
    try {
      this.server = this.listen();
    } catch (error) {
      return this.broke(error);
    }
    // What breaks off sooner has not stood.
    this.stopWaiting = this.later(RELISTEN_MAX_MS, () => this.relistenMs = RELISTEN_FIRST_MS);
  }

  private async shutDown(): Promise<void> {
    this.stopWaiting();
    const stopCutting = this.later(CLOSE_MS, () => this.cut.abort());
    await this.server.shutdown().catch(() => {});
    stopCutting();
  }
}
