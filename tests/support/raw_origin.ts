// An origin that plays a script, one scene for each request in order of arrival, and keeps every byte that
// it was sent. It is what scenarios put behind Weir: `await using origin = await startOrigin([reply(200)])`.
//
// Tests wait for what happens here (`request(n)`, `connection(n)`) and never for time to pass. Connections are
// kept alive and pipelined requests are answered in order, unless a step closes.

import net from "node:net";
import { reply, type Stage, type Step } from "./origin_steps.ts";
import {
  fromLatin1,
  type Header,
  header,
  headerAll,
  type RawHead,
  RawReader,
  requestFraming,
} from "./raw_http.ts";
import { type Ending, RawSocket } from "./raw_socket.ts";

export * from "./origin_steps.ts";

/** A request as it arrived. `body` grows until `arrived` settles. */
export class RawRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  /** True: all of it came. False: the peer left, or its framing broke, before the end. */
  readonly arrived: Promise<boolean>;
  bodyBytes = 0;
  trailers: readonly Header[] = [];
  #body = new Uint8Array();
  #settle!: (complete: boolean) => void;

  constructor(readonly head: RawHead, readonly connection: RawConnection) {
    [this.method = "", this.target = ""] = head.firstLine.split(" ") as [string?, string?];
    this.headers = head.headers;
    this.arrived = new Promise((resolve) => this.#settle = resolve);
  }

  /** First value of a header whatever its case. */
  header(name: string): string | undefined {
    return header(this.headers, name);
  }

  /** Every value of a header, in order. */
  headerAll(name: string): string[] {
    return headerAll(this.headers, name);
  }

  /** The whole body, once it is there. */
  async body(): Promise<Uint8Array> {
    await this.arrived;
    return this.#body;
  }

  async text(): Promise<string> {
    return fromLatin1(await this.body());
  }

  /** The origin's own: the body is in. */
  finish(body: Uint8Array, trailers: readonly Header[], complete: boolean): void {
    this.#body = new Uint8Array(body);
    this.trailers = trailers;
    this.#settle(complete);
  }
}

/** One connection that brought the origin a request. */
export interface RawConnection {
  /** 1 for the first. */
  readonly number: number;
  readonly requests: readonly RawRequest[];
  /** How the peer left, once it has; a reading origin (one that waits for a request or hangs) notices. */
  readonly left: Promise<Exclude<Ending, "open">>;
  /** Bytes that the kernel took. */
  readonly bytesSent: number;
}

/** Steps by request, in order of arrival over all connections, or one step for every request. */
export type Script = Step | readonly Step[];

export async function startOrigin(script: Script = reply(200)): Promise<RawOrigin> {
  const origin = new RawOrigin(script);
  await origin.listen();
  return origin;
}

export class RawOrigin implements AsyncDisposable {
  readonly requests: RawRequest[] = [];
  readonly connections: RawConnection[] = [];
  readonly #server = net.createServer(
    { allowHalfOpen: true },
    (socket) => this.#serve(new RawSocket(socket)),
  );
  readonly #sockets = new Set<RawSocket>();
  readonly #waiting: { ready: () => boolean; resolve: () => void }[] = [];
  #port = 0;

  constructor(public script: Script) {}

  /** Listens, on the port it had before if there was one: a restart keeps its address. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", () => {
        this.#port = (this.#server.address() as net.AddressInfo).port;
        resolve();
      });
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** The nth request, 1 for the first, once its head has arrived. */
  async request(n: number): Promise<RawRequest> {
    await this.#until(() => this.requests.length >= n);
    return this.requests[n - 1]!;
  }

  /** The nth connection, 1 for the first, once it brought a request. */
  async connection(n: number): Promise<RawConnection> {
    await this.#until(() => this.connections.length >= n);
    return this.connections[n - 1]!;
  }

  /** Stops listening and breaks off what is open, as a killed process does. `listen()` brings it back. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#sockets].map((socket) => socket.reset()));
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  async #serve(socket: RawSocket): Promise<void> {
    const reader = new RawReader(socket);
    const requests: RawRequest[] = [];
    const connection = {
      number: 0,
      requests,
      left: socket.ended.then(() => socket.ending === "reset" ? "reset" as const : "end" as const),
      get bytesSent() {
        return socket.bytesSent;
      },
    };
    this.#sockets.add(socket);
    socket.closed.then(() => this.#sockets.delete(socket));
    for (let head = await reader.head(); head !== null; head = await reader.head()) {
      // A connection that asks for nothing is a health check, and no scenario means to count those.
      if (connection.number === 0) connection.number = this.connections.push(connection);
      const request = new RawRequest(head, connection);
      requests.push(request);
      this.requests.push(request);
      const scene = this.#scene(this.requests.length);
      this.#notify();
      await this.#play(scene, request, socket, reader);
    }
    await socket.close();
  }

  async #play(scene: Step, request: RawRequest, socket: RawSocket, reader: RawReader): Promise<void> {
    let read: Promise<void> | undefined;
    const readBody = () => read ??= receiveBody(request, reader);
    const some = () => {
      read ??= Promise.resolve();
      return reader.some();
    };
    const untilPeerLeaves = async () => {
      await readBody();
      while (await reader.some() !== null);
    };
    const { method, headers } = request;
    const stage: Stage = { method, headers, socket, readBody, some, untilPeerLeaves };
    if (!scene.early) await readBody();
    await scene.play(stage);
    await readBody();
  }

  #scene(n: number): Step {
    if (!Array.isArray(this.script)) return this.script as Step;
    const over = reply(500, { body: `the script ends before request ${n}` });
    return (this.script as readonly Step[])[n - 1] ?? over;
  }

  #until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }));
  }

  #notify(): void {
    for (const waiter of this.#waiting.filter(({ ready }) => ready())) {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve();
    }
  }
}

async function receiveBody(request: RawRequest, reader: RawReader): Promise<void> {
  const framing = requestFraming(request.headers);
  const body = await reader.body(framing, (piece) => request.bodyBytes += piece.length);
  request.finish(body.bytes, body.trailers, body.complete);
}
