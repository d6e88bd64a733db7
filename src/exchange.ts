// The contract between a listener and the proxy: one request, and the one answer to it.
//
// A listener (`listener/serve.ts`, `listener/wire.ts`) makes an Exchange for each request it has read the
// head of; `proxy/handler.ts` answers it. The core knows nothing of `Request`, `Response` or sockets, which
// is what lets two listeners stand in front of one proxy. Strings that come from the wire are latin-1: one
// character per byte, 0x00 to 0xFF.

/** Header lines in arrival order as one flat list: name, value, name, value, ... Names keep their case. */
export type HeaderLines = string[];

/** The HTTP version that the client spoke. */
export type HttpVersion = "1.0" | "1.1" | "2";

/** What a client asked, as it asked it. Text is latin-1: one character per byte. */
export interface RequestHead {
  /** Case-sensitive method token (RFC 9110 9.1). */
  readonly method: string;
  /** Origin-form target (`/path?query`), or `*`; the client's bytes, never normalised (RFC 9110 7.7). */
  readonly target: string;
  /** Validated `host[:port]` that the request is for: `:authority`, the absolute-form's, or `Host`. */
  readonly authority: string;
  readonly scheme: "http" | "https";
  readonly version: HttpVersion;
  /** Includes every line that the client sent, hop-by-hop ones too. */
  readonly headers: HeaderLines;
}

/** An answer's head on its way to a client. */
export interface ResponseHead {
  /** 100 to 999. */
  readonly status: number;
  /** As the origin wrote it; a listener that cannot send it sends the registered phrase. */
  readonly reason: string;
  /** Whoever asks for them may change them; from then on they alone count. */
  readonly headers: HeaderLines;
  /**
   * All lines as one text, each a `name: value` with its CRLF, while nobody has asked for `headers`: most answers pass
   * without being taken apart. They are checked, and none is for one hop. Null or absent: `headers` has the lines.
   */
  readonly text?: string | null;
  /** The one Content-Length in `text`; -1 for none. */
  readonly textLength?: number;
}

/** The bytes of one message body, pulled by whoever sends them on. One reader, one read at a time. */
export interface Body {
  /** Bytes in all when the sender declared it; null when only the end will tell. */
  readonly length: number | null;
  /**
   * The next bytes, or null at the end. The result is a view of `into` or memory of the body's own; it is
   * valid until the next read. Without `into` the result is fresh memory that the caller may keep.
   * @throws BodyError when the sender broke off or broke the framing: the message is not complete.
   */
  read(into?: Uint8Array): Promise<Uint8Array | null>;
  /**
   * To be awaited before `takeWhole` by whoever will read all of it: it may be here then. Absent where it is without.
   */
  arrive?(): Promise<void>;
  /** All that is left in memory of the caller's own, when it is here already and complete; else null. */
  takeWhole(): Uint8Array | null;
  /** The same, into `into` from `at` on: how many bytes. -1, and nothing is consumed, when it is not all here. */
  copyWhole(into: Uint8Array, at: number): number;
  /** The same without a copy: `use` is lent all that is left, until it returns. Absent where nothing is here ahead. */
  lendWhole?(use: (bytes: Uint8Array<ArrayBuffer>) => void): number;
  /** Whether the next read has something to give without waiting; absent where nobody can tell. */
  readonly ready?: boolean;
  /** Its client waits for 100 before it sends any of it; absent where the listener sees to that. */
  readonly withheld?: boolean;
  /** Trailer lines, once the body was read to its end; absent where there can be none. */
  readonly trailers?: HeaderLines;
  /** Nobody will read on. Idempotent. */
  cancel(): void;
}

/** A body that did not arrive whole. */
export class BodyError extends Error {
  override readonly name = "BodyError";
  constructor(
    /** `clientGone`: the client left; `truncated`: closed early; `malformed`: framing; `timedOut`; `tooLarge`. */
    readonly kind: "clientGone" | "truncated" | "malformed" | "timedOut" | "tooLarge",
    message: string,
  ) {
    super(message);
  }
}

/** The address of the peer at the other end of the client's connection. */
export interface PeerAddress {
  readonly hostname: string;
  readonly port: number;
}

/** How the sending of an answer ended. */
export type Delivery =
  | { readonly kind: "complete"; readonly bytes: number }
  /** The client left before the last byte. */
  | { readonly kind: "clientGone"; readonly bytes: number }
  /** The body's source failed; the client's connection was cut so that the answer does not look complete. */
  | { readonly kind: "truncated"; readonly bytes: number; readonly error: unknown };

/** A raw byte tunnel to the client, after a 101 (listeners that can). */
export interface Tunnel {
  /** How many bytes came, or null when the client sends no more. @throws when it broke off */
  read(into: Uint8Array): Promise<number | null>;
  /** Sends all of them. @throws when the client broke off */
  write(bytes: Uint8Array): Promise<void>;
  /** Tells the client that nothing more follows. */
  closeWrite(): Promise<void>;
  /** Ends both directions; what is pending rejects. */
  close(): void;
}

/** What a listener reports of a WebSocket that it frames itself; in order, and nothing before it stands. */
export interface ClientSocketEvents {
  /** A whole message: text or bytes. */
  onMessage(data: string | Uint8Array): void;
  /** Once, at the end. `code` is 1005 for a close without one, null when the connection broke without a close. */
  onClosed(code: number | null, reason: string): void;
}

/** How long the sides of a WebSocket or a tunnel may take to close once they were told. */
export const CLOSING_MS_MAX = 2_000;

/** A WebSocket to the client that the listener frames itself: messages in, messages out. */
export interface ClientSocket {
  /** Bytes of memory that messages take which were sent and which the client has not taken. */
  readonly unsentBytes: number;
  /** Queues a whole message. Does nothing once the socket closes. */
  send(data: string | Uint8Array): void;
  /** Closes after what is queued; `code` null: without one. @param reason up to 123 bytes of UTF-8 */
  close(code: number | null, reason: string): void;
}

/** Why a listener says that a request must not go further; the proxy answers it, counts it and logs it. */
export interface Unacceptable {
  readonly status: number;
  /** Error type of Proxy-Status (RFC 9209 2.3). */
  readonly error: string;
  /** One sentence for the client. */
  readonly message: string;
}

/** Who wants to know that the client has left. */
export interface ExchangeListener {
  clientLeft(): void;
}

/** One request on its way through. Made by a listener, answered exactly once by the proxy. */
export interface Exchange {
  readonly head: RequestHead;
  /** Null when the request has no body. */
  readonly body: Body | null;
  /** Not null: the request is to be refused with this; its head may be incomplete. */
  readonly unacceptable: Unacceptable | null;
  readonly peer: PeerAddress;
  /** True once the client is known to have left. */
  readonly clientGone: boolean;
  /** Highest status that the listener can send; absent: any. */
  readonly statusMax?: number;
  /** Whether an answer's trailers can reach the client; absent where they cannot. */
  readonly relaysTrailers?: boolean;
  /** Told once if the client leaves before the answer ended; null for nobody. */
  listener: ExchangeListener | null;
  /**
   * Sends the answer. Settles when the last byte left Weir's hands or the client did, at once if that is
   * already so; never rejects.
   * `body` is null for an answer that has none; the listener knows that HEAD, 204 and 304 have none.
   */
  respond(head: ResponseHead, body: Body | null): Delivery | Promise<Delivery>;
  /** Sends an interim answer (1xx); absent where the listener cannot. */
  inform?(head: ResponseHead): Promise<void>;
  /** Answers 101 and hands over the connection; absent where the listener cannot. */
  upgrade?(head: ResponseHead): Promise<Tunnel>;
  /**
   * Answers a WebSocket handshake with 101 and frames the messages from then on; absent where the listener
   * cannot. `protocol` is one that the client offered, or null. Null: the client left before it stood.
   */
  acceptWebSocket?(
    headers: HeaderLines,
    protocol: string | null,
    events: ClientSocketEvents,
  ): Promise<ClientSocket | null>;
}

/** Whether a header's name in any case is `name`, which is in lower case. */
export function isNamed(candidate: string, name: string): boolean {
  const { length } = name;
  if (candidate.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const code = candidate.charCodeAt(i);
    if (code !== name.charCodeAt(i) && (code < 65 || code > 90 || code + 32 !== name.charCodeAt(i))) {
      return false;
    }
  }
  return true;
}

/** The first value of a header, or undefined. `name` is in lower case. */
export function headerValue(headers: HeaderLines, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (isNamed(headers[i]!, name)) return headers[i + 1];
  return undefined;
}

/** The value of a header over all its lines, joined by ", " (RFC 9110 5.3); undefined for none. `name` is in lower case. */
export function joinedHeaderValue(headers: HeaderLines, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i]!, name)) value = (value === undefined ? "" : `${value}, `) + headers[i + 1]!;
  }
  return value;
}

/** The value of a header that has one line; undefined for none and for several. `name` is in lower case. */
export function onlyHeaderValue(headers: HeaderLines, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i]!, name)) continue;
    if (value !== undefined) return undefined;
    value = headers[i + 1]!;
  }
  return value;
}

/**
 * What stands for a request's Host, undefined where there is none (HTTP/1.0): over HTTP/2 no line says it
 * (RFC 9113 8.3.1), and the URL of a request line overrules the line (RFC 9112 3.2.2).
 */
export function hostOf({ authority }: Pick<RequestHead, "authority">): string | undefined {
  return authority === "" ? undefined : authority;
}

/** Every value of a header, in order. `name` is in lower case. */
export function headerValues(headers: HeaderLines, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i]!, name)) values.push(headers[i + 1]!);
  }
  return values;
}

/** The elements of a list header over all its lines, in order; empty ones count for nothing (RFC 9110 5.6.1). */
export function listOf(headers: HeaderLines, name: string): string[] {
  return headerValues(headers, name).flatMap((value) => value.split(","))
    .map((element) => element.trim()).filter((element) => element !== "");
}

/** Whether a list header has an element, in any case. `element` is in lower case. */
export function listHas(headers: HeaderLines, name: string, element: string): boolean {
  return listOf(headers, name).some((one) => one.toLowerCase() === element);
}
