// Where log lines are put together: bytes, ready to be written, in memory that is used again and again.
//
// A line is written for every request. As a string it would be a tree of thirty pieces that has to be made
// flat, copied to another thread and encoded there; written byte by byte it costs less than half of that.

const ENCODER = new TextEncoder();

const CONTROLS_LEFT = /[\x7f-\x9f]/g;
// deno-lint-ignore no-control-regex
const NOT_PLAIN = /["\\\x00-\x1f\x7f-\uffff]/g;

const QUOTE = 0x22;
const QUESTION = 0x3f;
const BACKSLASH = 0x5c;
const ZERO = 0x30;

/** Bytes that one character may become: `\u001f`. */
const ESCAPED_BYTES_MAX = 6;

export class LineBuffer {
  /** Bytes written so far. */
  length = 0;
  private bytes: Uint8Array<ArrayBuffer>;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** What was written: to be read before more is. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length);
    this.length = 0;
    return taken;
  }

  /** As they are. */
  put(piece: Uint8Array): void {
    this.roomFor(piece.length).set(piece, this.length);
    this.length += piece.length;
  }

  /** ASCII that needs no escape; a character that is none becomes a question mark. */
  text(text: string): void {
    const bytes = this.roomFor(text.length);
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      bytes[at++] = code < 0x80 ? code : QUESTION;
    }
    this.length = at;
  }

  /** As a JSON string. */
  quoted(text: string): void {
    const bytes = this.roomFor(text.length * ESCAPED_BYTES_MAX + 2);
    let at = this.length;
    bytes[at++] = QUOTE;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
        return this.quotedWithCare(text);
      }
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.length = at;
  }

  /** The controls that JSON allows (U+0085 is a line break to some) are escaped as well. */
  private quotedWithCare(text: string): void {
    const json = JSON.stringify(text).replace(CONTROLS_LEFT, (c) => `\\u00${hex(c)}`);
    this.length += ENCODER.encodeInto(json, this.bytes.subarray(this.length)).written;
  }

  /** As servers write the combined format: `\xNN` for what is not a plain character, `\uNNNN` above a byte. */
  plain(text: string): void {
    this.text(text.replace(NOT_PLAIN, escaped));
  }

  /** Milliseconds to three places: making a decimal fraction of a number costs ten times as much. */
  milliseconds(ms: number): void {
    const us = Math.round(ms * 1_000);
    const whole = Math.floor(us / 1_000);
    this.text(String(whole));
    this.text(".");
    this.threeDigits(us - whole * 1_000);
  }

  /** `000` to `999`. */
  threeDigits(n: number): void {
    const bytes = this.roomFor(3);
    const hundreds = Math.floor(n / 100);
    const tens = Math.floor(n / 10);
    bytes[this.length++] = ZERO + hundreds;
    bytes[this.length++] = ZERO + tens - hundreds * 10;
    bytes[this.length++] = ZERO + n - tens * 10;
  }

  private roomFor(more: number): Uint8Array {
    const needed = this.length + more;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    return this.bytes;
  }
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}

function escaped(character: string): string {
  const digits = hex(character);
  return digits.length === 2 ? `\\x${digits}` : `\\u${digits.padStart(4, "0")}`;
}
