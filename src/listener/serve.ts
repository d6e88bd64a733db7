// The default listener: Deno.serve with reusePort, one per worker (HTTP/1.1, HTTP/2 and TLS by Deno).
//
// Turns each `Request` into an Exchange and the answer into a `Response`; nothing outside this room sees
// either. Its accept loop can end by itself (no descriptors left): `onFailed` tells, and the worker listens
// again. What Deno.serve cannot do is in docs/listeners.md.

import type {
  Body,
  Delivery,
  Exchange,
  PeerAddress,
  RequestHead,
  ResponseHead,
  Unacceptable,
} from "../exchange.ts";
import { headerValue } from "../exchange.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import { Rotation } from "./rotation.ts";
import { responseStream, ServeBody } from "./serve_body.ts";
import { readHead } from "./serve_request.ts";

/** Listens. @throws Deno.errors.AddrInUse and the like */
export function serve(options: ListenOptions): Listener {
  const { config, certificate, handle, onFailed } = options;
  const scheme = certificate === undefined ? "http" : "https";
  const abort = new AbortController();
  const uploads = new Uploads();
  const rotation = new Rotation(config, { now: () => performance.now(), random: Math.random });
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
    (request, info) => new ServeExchange(request, info, scheme, uploads, rotation).run(handle),
  );
  server.finished.catch((error) => {
    if (!leaving) onFailed(error instanceof Error ? error.message : String(error));
  });
  return {
    host: server.addr.hostname,
    port: server.addr.port,
    // shutdown() makes request bodies in flight unreadable, so uploads end first.
    drain: async () => {
      await Promise.race([uploads.none(), server.finished.catch(() => {})]);
      leaving = true;
      closing = true;
      await server.shutdown();
      await server.finished.catch(() => {});
    },
    abort: () => {
      leaving = true;
      // Once it is closing, Deno cuts nothing more and throws where nobody can catch it.
      if (!closing) abort.abort();
    },
  };
}

/** Request bodies that are being read. */
class Uploads {
  private count = 0;
  private waiting: (() => void)[] = [];

  begin(): () => void {
    this.count++;
    return () => {
      if (--this.count === 0) { for (const resolve of this.waiting.splice(0)) resolve(); }
    };
  }

  /** Settles when there is none. */
  none(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** Statuses whose Response may not have a body. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Deno.serve does not close: the client does. */
function askToLeave(headers: [string, string][]): void {
  if (!headers.some(([name]) => name.toLowerCase() === "connection")) headers.push(["connection", "close"]);
}

class ServeExchange implements Exchange {
  head!: RequestHead;
  body: Body | null = null;
  unacceptable: Unacceptable | null = null;
  onClientGone: (() => void) | null = null;
  clientGone = false;
  private resolve!: (response: Response) => void;
  private answered = false;

  constructor(
    private readonly request: Request,
    private readonly info: Deno.ServeHandlerInfo<Deno.NetAddr>,
    private readonly scheme: "http" | "https",
    private readonly uploads: Uploads,
    private readonly rotation: Rotation,
  ) {}

  get peer(): PeerAddress {
    return this.info.remoteAddr;
  }

  run(handle: (exchange: Exchange) => Promise<void>): Promise<Response> {
    const read = readHead(this.request, this.scheme);
    this.head = read.head;
    const response = new Promise<Response>((resolve) => this.resolve = resolve);
    this.request.signal.addEventListener("abort", this.onAbort);
    this.unacceptable = read.unacceptable;
    if (!read.hasBody || this.request.body === null) handle(this).then(this.letGo);
    else this.runWithBody(handle, this.request.body, read.contentLength).then(this.letGo);
    return response;
  }

  /** A client that left gets no answer, but Deno holds the request, and `shutdown()`, until there is one. */
  private readonly letGo = (): void => {
    if (!this.answered) this.answer(new Response(null, { status: 500 }));
  };

  private answer(response: Response): void {
    this.answered = true;
    this.resolve(response);
  }

  private async runWithBody(
    handle: (exchange: Exchange) => Promise<void>,
    stream: ReadableStream<Uint8Array>,
    length: number | null,
  ): Promise<void> {
    const body = new ServeBody(stream, length, this.uploads.begin());
    this.body = body;
    if (this.head.version === "2" && length === null) {
      try {
        if (!await body.begins()) this.body = null;
      } catch {
        this.onAbort();
      }
    }
    await handle(this);
  }

  private readonly onAbort = (): void => {
    if (this.clientGone) return;
    this.clientGone = true;
    this.onClientGone?.();
  };

  respond(head: ResponseHead, body: Body | null): Promise<Delivery> {
    const headers: [string, string][] = [];
    for (let i = 0; i < head.headers.length; i += 2) headers.push([head.headers[i]!, head.headers[i + 1]!]);
    if (this.head.version !== "2" && this.rotation.isDue(this.peer)) askToLeave(headers);
    if (head.status > 599) return this.respondImpossible(head.status, body);
    const init = { status: head.status, headers };
    if (this.head.method === "HEAD" && body === null) return this.respondToHead(head, init);
    if (body === null || isBodiless(head.status)) {
      body?.cancel();
      this.answer(new Response(null, init));
      return Promise.resolve({ kind: "complete", bytes: 0 });
    }
    const whole = body.takeWhole();
    if (whole !== null) {
      this.answer(new Response(whole as Uint8Array<ArrayBuffer>, init));
      return Promise.resolve({ kind: this.clientGone ? "clientGone" : "complete", bytes: whole.length });
    }
    return new Promise<Delivery>((settle) => {
      this.answer(new Response(responseStream(body, null, settle), init));
    });
  }

  /** A HEAD answer without Content-Length must not get one: a stream that Deno cancels keeps it away. */
  private respondToHead(head: ResponseHead, init: ResponseInit): Promise<Delivery> {
    const sized = headerValue(head.headers, "content-length") !== undefined;
    const dummy = sized || isBodiless(head.status) ? null : new ReadableStream();
    this.answer(new Response(dummy, init));
    return Promise.resolve({ kind: "complete", bytes: 0 });
  }

  /** Deno cannot send statuses above 599. */
  private respondImpossible(status: number, body: Body | null): Promise<Delivery> {
    body?.cancel();
    this.answer(new Response(`502 the origin's status ${status} cannot be relayed\n`, { status: 502 }));
    return Promise.resolve({ kind: "complete", bytes: 0 });
  }
}
