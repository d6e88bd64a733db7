// A Kubernetes API server on loopback, over TLS, that answers as a test tells it: the lists and watches of
// EndpointSlices, and every way in which a real one breaks off, forgets, refuses or falls silent.

import { KubernetesApi } from "../../../src/control/discovery/kubernetes_api.ts";

const tls = (file: string) => Deno.readTextFileSync(new URL(`tls/${file}`, import.meta.url));

/** One request, with the way to answer it. */
export class Asked {
  readonly query: Record<string, string>;
  readonly path: string;
  readonly token: string;
  /** The client's port: requests that share it came over one connection. */
  readonly connection: number;
  readonly #answer = Promise.withResolvers<Response>();
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(request: Request, connection: number) {
    this.connection = connection;
    const url = new URL(request.url);
    this.path = url.pathname;
    this.query = Object.fromEntries(url.searchParams);
    this.token = request.headers.get("authorization") ?? "";
  }

  get response(): Promise<Response> {
    return this.#answer.promise;
  }

  get isWatch(): boolean {
    return this.query.watch === "1";
  }

  json(value: unknown, status = 200, headers: Record<string, string> = {}): void {
    this.#answer.resolve(Response.json(value, { status, headers }));
  }

  /** A Status object, as the API server refuses. */
  refuse(code: number, message = "", headers: Record<string, string> = {}): void {
    this.json({ kind: "Status", code, message }, code, headers);
  }

  list(resourceVersion: string, items: readonly unknown[] | null, next = ""): void {
    this.json({ metadata: { resourceVersion, ...(next === "" ? {} : { continue: next }) }, items });
  }

  /** Opens the stream of a watch. */
  open(): this {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#stream = controller) });
    this.#answer.resolve(new Response(body, { headers: { "content-type": "application/json" } }));
    return this;
  }

  event(type: string, object: unknown): this {
    return this.bytes(new TextEncoder().encode(JSON.stringify({ type, object }) + "\n"));
  }

  bytes(bytes: Uint8Array): this {
    this.#stream?.enqueue(bytes);
    return this;
  }

  /** The server ends the answer. */
  end(): void {
    this.#stream?.close();
  }

  /** The server goes away within the answer. */
  breakOff(): void {
    this.#stream?.error(new Error("gone"));
  }

  /** Answers what is still open, so that the server can close. */
  finish(): void {
    this.#answer.resolve(new Response(null, { status: 500 }));
    try {
      this.#stream?.close();
    } catch {
      // It has ended already.
    }
  }
}

export class ScriptedApi implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #asked: Asked[] = [];
  #awaiting: ((asked: Asked) => void)[] = [];
  readonly api: KubernetesApi;
  /** What the kubelet has put into the pod; a test may rotate it. */
  readonly files: Record<string, string> = {
    "ca.crt": tls("ca.pem"),
    "other-ca.crt": tls("other_ca.pem"),
    token: "first\n",
    namespace: "own",
  };
  /** What the cluster puts into a pod's environment. */
  readonly env: Record<string, string>;
  readonly opened: Asked[] = [];

  constructor() {
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      cert: tls("server.pem"),
      key: tls("server.key.pem"),
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
    }, (request, { remoteAddr }) => this.#handle(request, remoteAddr.port));
    const { port } = this.#server.addr;
    const env: Record<string, string> = this.env = {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String(port),
    };
    this.api = new KubernetesApi({
      env: (name) => env[name],
      readTextFile: (path) => {
        const text = this.files[path.slice(path.lastIndexOf("/") + 1)];
        return text === undefined ? Promise.reject(new Error("no such file")) : Promise.resolve(text);
      },
    });
  }

  /** The next request that nobody has taken yet. */
  next(): Promise<Asked> {
    const asked = this.#asked.shift();
    if (asked !== undefined) return Promise.resolve(asked);
    return new Promise((resolve) => this.#awaiting.push(resolve));
  }

  /** Takes the next list and answers it; then the next watch, opened. */
  async listThenWatch(resourceVersion: string, items: readonly unknown[] | null): Promise<Asked> {
    (await this.next()).list(resourceVersion, items);
    return (await this.next()).open();
  }

  /** Stop the sources first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const asked of this.opened) asked.finish();
    this.api.close();
    await this.#server.shutdown();
  }

  #handle(request: Request, connection: number): Promise<Response> {
    const asked = new Asked(request, connection);
    this.opened.push(asked);
    const waiting = this.#awaiting.shift();
    if (waiting === undefined) this.#asked.push(asked);
    else waiting(asked);
    return asked.response;
  }
}

/** An EndpointSlice as the API gives it; addresses map to what is true of them. */
export function slice(
  name: string,
  addresses: Record<string, "ready" | "notReady" | "leaving" | "gone">,
  resourceVersion = "1",
): Record<string, unknown> {
  const conditions = {
    ready: { ready: true, serving: true, terminating: false },
    notReady: { ready: false, serving: false, terminating: false },
    leaving: { ready: false, serving: true, terminating: true },
    gone: { ready: false, serving: false, terminating: true },
  };
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: { name, resourceVersion },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: Object.entries(addresses).map(([address, state]) => ({
      addresses: [address],
      conditions: conditions[state],
    })),
  };
}
