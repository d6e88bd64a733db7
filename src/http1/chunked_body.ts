// A body in chunks (RFC 9112 7.1), read strictly: what a lenient reader of chunk lines lets pass is what
// smuggling is made of.

import { BodyError, type HeaderLines } from "../exchange.ts";
import { Http1Error } from "./error.ts";
import { parseFieldLines, withoutFields } from "./fields.ts";
import type { Inlet } from "./inlet.ts";
import { type BodyOwner, InletBody } from "./inlet_body.ts";
import { Known, knownHeader } from "./known.ts";
import { decodeLatin1 } from "./latin1.ts";
import { endOfChunks, hexDigit, joinChunks } from "./whole_chunks.ts";

const CR = 13;
const LF = 10;
/** Of a line without its LF. RFC 9112 7.1.1: a recipient limits the length of chunk extensions. */
const CHUNK_LINE_BYTES_MAX = 4_096;
const TRAILER_BYTES_MAX = 16_384;
/** Twelve digits: sizes below it are counted exactly. */
const CHUNK_BYTES_END = 2 ** 48;

/**
 * A body in chunks (RFC 9112 7.1). Extensions are dropped, trailers are checked and kept apart; those for one hop
 * stay behind.
 */
export class ChunkedBody extends InletBody {
  readonly length = null;
  /** Trailer lines, once the body was read to its end. */
  trailers: HeaderLines = [];
  /** Bytes left in the current chunk; -1 before a chunk line, -2 at the end. */
  private left = -1;
  private first = true;

  /**
   * @param strict of a request: refuses what some old origins send, and clients only to confuse
   * @param connection what the head's Connection names
   */
  constructor(
    inlet: Inlet,
    owner: BodyOwner,
    private readonly strict: boolean,
    private readonly connection: string,
  ) {
    super(inlet, owner);
  }

  /** A chunk that has begun, or a chunk line that is all here. */
  override get ready(): boolean {
    const { bytes, start, end } = this.inlet;
    if (this.left > 0) return end > start;
    const lineEnd = bytes.indexOf(LF, this.first ? start : start + 2);
    return lineEnd >= 0 && lineEnd < end;
  }

  async read(into?: Uint8Array): Promise<Uint8Array | null> {
    if (this.left === -1) await this.guard(() => this.nextChunk());
    if (this.left === -2) return null;
    const bytes = this.inlet.available > 0
      ? this.takeBuffered(this.left, into)
      : await this.readDirect(this.left, into);
    if (bytes === null) throw this.truncated();
    this.left -= bytes.length;
    if (this.left === 0) this.left = -1;
    return bytes;
  }

  override lendWhole(use: (bytes: Uint8Array<ArrayBuffer>) => void): number {
    const { inlet } = this;
    if (!this.first) return -1;
    const { bytes, start } = inlet;
    const end = endOfChunks(bytes, start, inlet.end);
    if (end < 0) return -1;
    const length = joinChunks(bytes, start, end);
    inlet.skip(end - start);
    this.first = false;
    this.left = -2;
    use(bytes.subarray(start, start + length));
    this.end(true);
    return length;
  }

  private async guard(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.end(false);
      throw error instanceof Http1Error ? new BodyError("malformed", error.message) : error;
    }
  }

  private async nextChunk(): Promise<void> {
    const line = await this.chunkLine();
    this.left = chunkSize(line, this.strict);
    if (this.left > 0) return;
    const trailers = await this.readTrailers();
    if (this.strict) refuseFraming(trailers);
    // RFC 9110 7.6.1: what Connection names is for one hop, among the trailers too.
    this.trailers = this.connection === "" ? trailers : withoutFields(trailers, namesIn(this.connection));
    this.left = -2;
    this.end(true);
  }

  /** The next chunk line without its CRLF; consumes the CRLF that ends the chunk before. */
  private async chunkLine(): Promise<string> {
    const inlet = this.inlet;
    if (!this.first) await this.expectCrlf();
    this.first = false;
    let scanned = 0;
    while (true) {
      for (let i = inlet.start + scanned; i < inlet.end; i++) {
        if (i - inlet.start > CHUNK_LINE_BYTES_MAX) throw new Http1Error("malformed", "chunk line too long");
        if (inlet.bytes[i] !== LF) continue;
        if (i === inlet.start || inlet.bytes[i - 1] !== CR) {
          throw new Http1Error("malformed", "bare LF after a chunk size");
        }
        const line = decodeLatin1(inlet.bytes, inlet.start, i - 1);
        inlet.take(i + 1 - inlet.start);
        return line;
      }
      scanned = inlet.available;
      await this.more(CHUNK_LINE_BYTES_MAX * 2);
    }
  }

  private async expectCrlf(): Promise<void> {
    while (this.inlet.available < 2) await this.more(CHUNK_LINE_BYTES_MAX);
    const bytes = this.inlet.take(2);
    if (bytes[0] !== CR || bytes[1] !== LF) throw new Http1Error("malformed", "chunk longer than its size");
  }

  private async readTrailers(): Promise<HeaderLines> {
    const inlet = this.inlet;
    while (true) {
      while (inlet.available < 2) await this.more(TRAILER_BYTES_MAX);
      if (inlet.bytes[inlet.start] === CR && inlet.bytes[inlet.start + 1] === LF) {
        inlet.take(2);
        return [];
      }
      const end = inlet.sectionEnd();
      if (end - inlet.start > TRAILER_BYTES_MAX) throw new Http1Error("tooLarge", "trailers too long");
      if (end >= 0) {
        const trailers = parseFieldLines(inlet.bytes, inlet.start, end);
        inlet.take(end - inlet.start);
        return trailers;
      }
      inlet.searched = inlet.available;
      await this.more(TRAILER_BYTES_MAX);
    }
  }

  private async more(bytesMax: number): Promise<void> {
    if (!this.inlet.makeRoom(bytesMax)) {
      throw new Http1Error("tooLarge", "chunk line or trailers too long");
    }
    if (!await this.inlet.fill()) throw this.truncated();
  }
}

/** RFC 9110 6.5.1: whoever merges trailers into the head would read another message. */
function refuseFraming(trailers: HeaderLines): void {
  for (let i = 0; i < trailers.length; i += 2) {
    const known = knownHeader(trailers[i]!);
    if (known === Known.contentLength || known === Known.transferEncoding || known === Known.host) {
      throw new Http1Error("malformed", `${trailers[i]} in trailers`);
    }
  }
}

function namesIn(list: string): ReadonlySet<string> {
  return new Set(list.toLowerCase().split(",").map((name) => name.trim()));
}

/**
 * The size in a chunk line; extensions after `;` are dropped.
 * @param strict of a request
 * @throws Http1Error `malformed`
 */
export function chunkSize(line: string, strict: boolean): number {
  let size = 0;
  let i = 0;
  for (; i < line.length; i++) {
    const digit = hexDigit(line.charCodeAt(i));
    if (digit < 0) break;
    // RFC 9112 7.1: any number of digits, so zeros may stand in front.
    if (size >= CHUNK_BYTES_END / 16) throw new Http1Error("malformed", "chunk size too large");
    size = size * 16 + digit;
  }
  if (i === 0) throw new Http1Error("malformed", "chunk without a size");
  if (strict && i < line.length && !EXTENSIONS.test(line.substring(i))) {
    throw new Http1Error("malformed", "chunk size is not a number, or its extension none");
  }
  while (line[i] === " " || line[i] === "\t") i++; // RFC 9112 7.1.1 lets bad white space stand before an extension.
  if (i < line.length && line[i] !== ";") throw new Http1Error("malformed", "chunk size is not a number");
  if (line.includes("\r")) throw new Http1Error("malformed", "bare CR in a chunk line");
  return size;
}

/** RFC 9112 7.1.1, without its bad white space. */
const EXTENSIONS =
  /^(?:;[\w!#$%&'*+.^`|~-]+(?:=(?:[\w!#$%&'*+.^`|~-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)+$/;
