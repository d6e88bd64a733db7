// The field lines of a response: checked, and read for what they say of the message's end and its connection.
//
// One pass finds which lines go to the client as they stand, so that most answers pass without being taken
// apart. Used by `response_head.ts`.

import { Http1Error } from "./error.ts";
import { FieldLine, scanFieldLine } from "./fields.ts";
import { contentLengthOf, requireChunkedAlone } from "./framing.ts";
import { isForOneHop, isNameIn, Known, type KnownHeader, knownHeaderIn } from "./known.ts";

/** RFC 9110 15.5.22: of this one Upgrade goes on: without it the client would not know what to ask for. */
export const UPGRADE_REQUIRED = 426;
/** Headers of Deno.serve look at all of their lines for each that is added: ten thousand cost 250 ms (2.9.6). */
const LINES_MAX = 1_000;
/** A longer one is none to the HTTP/2 of Deno.serve, and ends the process (2.9.6). */
const NAME_BYTES_MAX = 65_535;
const CONTENT_TYPE = [..."content-type"].map((character) => character.charCodeAt(0));

/** One pass over the field lines: checks each, finds what they say of the framing, and which of them pass. */
export class SectionScan {
  contentLength = -1;
  chunked = false;
  close = false;
  keepAliveMs = 0;
  contentType = "";
  /** What Connection says beside the usual: it may name fields. */
  connection = "";
  private saysClose = false;
  private saysKeepAlive = false;
  private kept = "";
  /** Where the lines begin that pass and are not in `kept` yet. */
  private from = 0;
  /** No line needs a closer look before it goes to the client. */
  private plain = true;
  private dated = false;
  private readonly line = new FieldLine();
  /** Of the bytes from `textAt` on, up to the end of the lines. */
  private text = "";
  private textAt = 0;

  /**
   * Reads the lines from `at` to `end`, just after their blank line.
   * @param text of the bytes up to `end`, which may begin before `at`
   * @param minor of HTTP/1.x
   * @throws Http1Error `malformed`, or `tooLarge` for more lines, or a longer name, than anybody has a use for
   */
  read(bytes: Uint8Array, at: number, end: number, text: string, minor: number): void {
    this.text = text;
    this.textAt = end - text.length;
    this.contentLength = -1;
    this.chunked =
      this.dated =
      this.saysClose =
      this.saysKeepAlive =
        false;
    this.plain = true;
    this.keepAliveMs = 0;
    this.from = at;
    this.kept = this.contentType = this.connection = "";
    const { line } = this;
    let count = 0;
    for (const last = end - 2; at < last; at = line.next) {
      if (++count > LINES_MAX) {
        throw new Http1Error("tooLarge", `response head of more than ${LINES_MAX} lines`);
      }
      scanFieldLine(bytes, at, line);
      if (line.nameEnd - at > NAME_BYTES_MAX) {
        throw new Http1Error("tooLarge", `field name of more than ${NAME_BYTES_MAX} bytes`);
      }
      if (!line.isPlainIn(bytes)) this.plain = false;
      const known = knownHeaderIn(bytes, at, line.nameEnd);
      if (known !== Known.other) this.note(known, at);
      else if (line.nameEnd - at === CONTENT_TYPE.length && isNameIn(bytes, at, CONTENT_TYPE)) {
        this.contentType ||= this.part(line.from, line.to);
      }
    }
    // RFC 9112 9.3: close wins, in whichever line it stands.
    this.close = this.saysClose || (minor === 0 && !this.saysKeepAlive);
    if (this.chunked) requireChunkedAlone(this.contentLength >= 0, minor);
  }

  private part(from: number, to: number): string {
    return this.text.substring(from - this.textAt, to - this.textAt);
  }

  private note(known: KnownHeader, at: number): void {
    const { line } = this;
    const value = this.part(line.from, line.to);
    switch (known) {
      case Known.contentLength:
        if (this.contentLength >= 0) this.plain = false;
        this.contentLength = sameLength(this.contentLength, value);
        if (String(this.contentLength) !== value) this.plain = false;
        return;
      case Known.date:
        this.dated = true;
        return;
      case Known.transferEncoding:
        if (this.chunked) throw new Http1Error("malformed", "several Transfer-Encoding fields");
        requireChunked(value);
        this.chunked = true;
        break;
      case Known.connection:
        this.noteOptions(value);
        if (value !== "keep-alive" && value !== "close") {
          this.plain = false;
          this.connection += value + ",";
        }
        break;
      case Known.keepAlive:
        this.keepAliveMs = keepAliveTimeoutMs(value);
        break;
    }
    if (!isForOneHop(known)) return;
    this.kept += this.part(this.from, at);
    this.from = line.next;
  }

  private noteOptions(value: string): void {
    const lower = value === "keep-alive" ? value : value.toLowerCase();
    if (lower === "keep-alive") this.saysKeepAlive = true;
    else if (lower === "close") this.saysClose = true;
    else {
      const options = lower.split(",").map((option) => option.trim());
      if (options.includes("close")) this.saysClose = true;
      if (options.includes("keep-alive")) this.saysKeepAlive = true;
    }
  }

  /** The lines that the client gets, as they stand; null when they must be looked at one by one. */
  passing(end: number, status: number): string | null {
    // A missing Date is added; an answer without a body of its own may say a length that it must not.
    if (!this.plain || !this.dated || status < 200 || status === 204 || status === UPGRADE_REQUIRED) {
      return null;
    }
    return this.kept + this.part(this.from, end - 2);
  }
}

/** RFC 9112 6.3: one valid length; equal repeats and a list of equal values are one, too. */
function sameLength(seen: number, value: string): number {
  let length = seen;
  for (const part of value.includes(",") ? value.split(",") : [value]) {
    const parsed = contentLengthOf(part.trim());
    if (length >= 0 && parsed !== length) {
      throw new Http1Error("malformed", "differing Content-Length values");
    }
    length = parsed;
  }
  return length;
}

/**
 * The only transfer coding that passes is `chunked`: any other would have to be undone, since the field
 * itself is for one hop (RFC 9112 6.1).
 * @throws Http1Error `malformed`
 */
function requireChunked(value: string): void {
  if (value !== "chunked" && value.toLowerCase() !== "chunked") {
    throw new Http1Error("malformed", "transfer coding other than chunked");
  }
}

function keepAliveTimeoutMs(value: string): number {
  for (const part of value.split(",")) {
    const [name, seconds] = part.trim().split("=");
    if (name?.toLowerCase() === "timeout" && seconds !== undefined && /^\d{1,6}$/.test(seconds)) {
      return Number(seconds) * 1000;
    }
  }
  return 0;
}
