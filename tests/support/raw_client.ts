// A client that shows every byte: it sends what it is told and reads only when it is told to, so a test can
// pipeline, send half a request, stop reading, half close or reset. `ask()` is the short way for one request.

import {
  concat,
  fromLatin1,
  type Header,
  header,
  headerAll,
  latin1,
  type RawHead,
  RawReader,
  responseFraming,
} from "./raw_http.ts";
import { type Ending, RawSocket } from "./raw_socket.ts";

/** One answer as it stood on the wire. */
export class RawAnswer {
  readonly statusLine: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];

  constructor(
    readonly head: RawHead,
    readonly body: Uint8Array,
    readonly trailers: readonly Header[],
    /** Clean: as long as its framing promised. Cut: the connection ended before. */
    readonly ended: "clean" | "cut",
  ) {
    this.statusLine = head.firstLine;
    const [, status = "", reason = ""] = /^HTTP\/\d\.\d (\d{3}) ?(.*)$/.exec(head.firstLine) ?? [];
    this.status = Number(status);
    this.reason = reason;
    this.headers = head.headers;
  }

  /** First value of a header whatever its case. */
  header(name: string): string | undefined {
    return header(this.headers, name);
  }

  /** Every value of a header, in order. */
  headerAll(name: string): string[] {
    return headerAll(this.headers, name);
  }

  get text(): string {
    return fromLatin1(this.body);
  }
}

export class RawClient implements AsyncDisposable {
  readonly #reader: RawReader;

  private constructor(private readonly socket: RawSocket) {
    this.#reader = new RawReader(socket);
  }

  /** @param target URL of a server, or its `host:port`. */
  static async connect(target: string | URL): Promise<RawClient> {
    return new RawClient(await RawSocket.connect(target));
  }

  /** Sends bytes, or latin-1 text; false when the connection was gone before the kernel had them all. */
  send(bytes: string | Uint8Array): Promise<boolean> {
    return this.socket.write(typeof bytes === "string" ? latin1(bytes) : bytes);
  }

  /** The head of the next answer, leaving its body unread; null when the connection ended before. */
  head(): Promise<RawHead | null> {
    return this.#reader.head();
  }

  /**
   * The next answer with its body; an interim one (1xx) counts as an answer without a body.
   * @param method of the request it answers: HEAD has no body whatever the head says.
   * @throws when the connection ended before the head was complete.
   */
  async response(method = "GET"): Promise<RawAnswer> {
    const head = await this.#reader.head();
    if (head === null) {
      throw new Error(`no answer: the connection was ${this.ending}; got ${fromLatin1(this.#reader.left)}`);
    }
    const status = Number(head.firstLine.split(" ")[1]);
    const body = await this.#reader.body(responseFraming(method, status, head.headers));
    return new RawAnswer(head, body.bytes, body.trailers, body.complete ? "clean" : "cut");
  }

  /** `count` bytes of whatever comes next (fewer when the connection ends before). */
  async read(count: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    await this.#reader.exactly(count, (piece) => pieces.push(piece));
    return concat(pieces);
  }

  /** The next piece that arrives, whatever its size; null at the end. */
  some(): Promise<Uint8Array | null> {
    return this.#reader.some();
  }

  /** Everything until the server closes or resets; `ending` tells which. */
  async untilClosed(): Promise<string> {
    const { bytes } = await this.#reader.body({ kind: "untilClose" });
    return fromLatin1(bytes);
  }

  /** How the server left, as far as reading went. */
  get ending(): Ending {
    return this.socket.ending;
  }

  halfClose(): Promise<void> {
    return this.socket.closeWrite();
  }

  reset(): Promise<void> {
    return this.socket.reset();
  }

  close(): Promise<void> {
    return this.socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.socket.reset();
  }
}

export interface Ask {
  readonly method?: string;
  /** Sent raw. */
  readonly target?: string;
  /** Added to `Host` and `Connection: close`; a Host here replaces the usual one. */
  readonly headers?: readonly Header[];
  /** Sent with a Content-Length. */
  readonly body?: string;
}

/** One request on a connection of its own, and its answer. */
export async function ask(server: string | URL, request: Ask = {}): Promise<RawAnswer> {
  const { method = "GET", target = "/", headers = [], body } = request;
  await using client = await RawClient.connect(server);
  await client.send(requestText(method, target, [...headers, ["Connection", "close"]], body));
  return await client.response(method);
}

/** A request as text; Host is `weir.test` unless given. */
export function requestText(
  method: string,
  target: string,
  headers: readonly Header[] = [],
  body?: string,
): string {
  const host: Header[] = header(headers, "host") === undefined ? [["Host", "weir.test"]] : [];
  const length: Header[] = body === undefined ? [] : [["Content-Length", String(body.length)]];
  const lines = [...host, ...headers, ...length].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n${body ?? ""}`;
}
