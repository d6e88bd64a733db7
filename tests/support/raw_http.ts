// HTTP/1.1 as the tests read it, kept as it stood on the wire and apart from Weir's own parser, so that the
// two can disagree. Text is latin-1: one character per byte. Used by the raw client and the raw origin.

import type { RawSocket } from "./raw_socket.ts";

export type Header = readonly [name: string, value: string];

/** The head of a message: its first line and its header lines in order, their case untouched. */
export interface RawHead {
  /** Every byte up to and including the empty line. */
  readonly text: string;
  readonly firstLine: string;
  readonly headers: readonly Header[];
}

export interface RawBody {
  readonly bytes: Uint8Array;
  readonly trailers: readonly Header[];
  /** False when the connection ended before the framing said so. */
  readonly complete: boolean;
}

/** How a body's end is found; see RFC 9112 6.3. */
export type Framing = { kind: "none" } | { kind: "length"; bytes: number } | { kind: "chunked" } | {
  kind: "untilClose";
};

const CRLF = "\r\n";

export function latin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function fromLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

/** First value of a header whatever its case, or undefined. */
export function header(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([candidate]) => candidate.toLowerCase() === name.toLowerCase())?.[1];
}

/** Every value of a header whatever its case, in order. */
export function headerAll(headers: readonly Header[], name: string): string[] {
  return headers.filter(([candidate]) => candidate.toLowerCase() === name.toLowerCase()).map(([, v]) => v);
}

/** Reads one message after the other off a connection. */
export class RawReader {
  #kept = new Uint8Array(0);

  constructor(private readonly socket: RawSocket) {}

  /** The next head, or null when the connection ended before its first byte or within it (see `left`). */
  async head(): Promise<RawHead | null> {
    const text = await this.#until(CRLF + CRLF);
    if (text === null) return null;
    const [firstLine = "", ...lines] = text.slice(0, -4).split(CRLF);
    return { text, firstLine, headers: lines.map(headerLine) };
  }

  /** The body that `framing` announces. `seen` is told of each piece of content as it comes. */
  async body(framing: Framing, seen: (piece: Uint8Array) => void = () => {}): Promise<RawBody> {
    const pieces: Uint8Array[] = [];
    const take = (piece: Uint8Array) => {
      pieces.push(piece);
      seen(piece);
    };
    let trailers: readonly Header[] | null = [];
    let complete = true;
    if (framing.kind === "length") complete = await this.exactly(framing.bytes, take);
    if (framing.kind === "untilClose") complete = await this.#untilEnd(take);
    if (framing.kind === "chunked") {
      trailers = await this.#chunks(take);
      complete = trailers !== null;
    }
    return { bytes: concat(pieces), trailers: trailers ?? [], complete };
  }

  /** Bytes that came after the last message and belong to none yet. */
  get left(): Uint8Array {
    return this.#kept;
  }

  /** Some bytes, as they come, or null at the end. */
  async some(): Promise<Uint8Array | null> {
    if (this.#kept.length === 0) return await this.socket.read();
    const bytes = this.#kept;
    this.#kept = new Uint8Array(0);
    return bytes;
  }

  /** Passes on `count` bytes as they come; false when the connection ended before. */
  async exactly(count: number, take: (piece: Uint8Array) => void): Promise<boolean> {
    while (count > 0) {
      const bytes = await this.some();
      if (bytes === null) return false;
      take(bytes.subarray(0, count));
      this.#kept = bytes.slice(count);
      count -= Math.min(count, bytes.length);
    }
    return true;
  }

  async #untilEnd(take: (piece: Uint8Array) => void): Promise<boolean> {
    for (let bytes = await this.some(); bytes !== null; bytes = await this.some()) take(bytes);
    return this.socket.ending === "end";
  }

  async #chunks(take: (piece: Uint8Array) => void): Promise<Header[] | null> {
    while (true) {
      const line = await this.#until(CRLF);
      if (line === null || !/^[0-9a-f]+\s*(;|\r\n$)/i.test(line)) return null;
      const size = parseInt(line, 16);
      if (size === 0) break;
      if (!await this.exactly(size, take)) return null;
      if (await this.#until(CRLF) !== CRLF) return null;
    }
    const trailers: Header[] = [];
    for (let line = await this.#until(CRLF); line !== CRLF; line = await this.#until(CRLF)) {
      if (line === null) return null;
      trailers.push(headerLine(line.slice(0, -2)));
    }
    return trailers;
  }

  /** Text up to and including `mark`; null, with what came kept, when the connection ended before. */
  async #until(mark: string): Promise<string | null> {
    for (let text = "";;) {
      text = fromLatin1(this.#kept);
      const at = text.indexOf(mark);
      if (at >= 0) {
        this.#kept = this.#kept.slice(at + mark.length);
        return text.slice(0, at + mark.length);
      }
      const bytes = await this.socket.read();
      if (bytes === null) return null;
      this.#kept = concat([this.#kept, bytes]);
    }
  }
}

/** Framing of a request with these headers; Transfer-Encoding wins (RFC 9112 6.3). */
export function requestFraming(headers: readonly Header[]): Framing {
  if (header(headers, "transfer-encoding") !== undefined) return { kind: "chunked" };
  const length = header(headers, "content-length");
  return length === undefined ? { kind: "none" } : { kind: "length", bytes: Number(length) };
}

/** Framing of an answer to `method` (RFC 9112 6.3). */
export function responseFraming(method: string, status: number, headers: readonly Header[]): Framing {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return { kind: "none" };
  const framing = requestFraming(headers);
  return framing.kind === "none" ? { kind: "untilClose" } : framing;
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function headerLine(line: string): Header {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
