// How the end of a message body is known (RFC 9112 6.3), and what requests and responses may equally not say of it.

import { Http1Error } from "./error.ts";

/** No body; a declared length; chunks; or whatever comes until the connection closes. */
export type Framing = "none" | "length" | "chunked" | "untilClose";

/** More digits cannot be counted exactly. */
const SAFE_DIGITS = 15;

/**
 * The number in a Content-Length value.
 * @throws Http1Error `malformed` for anything but digits, or more than can be counted exactly
 */
export function contentLengthOf(value: string): number {
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) throw new Http1Error("malformed", "Content-Length is not a number");
    length = length * 10 + digit;
  }
  if (value.length === 0) throw new Http1Error("malformed", "Content-Length is empty");
  if (value.length > SAFE_DIGITS) throw new Http1Error("malformed", "Content-Length is too large");
  return length;
}

/**
 * For a message that says chunked. RFC 9112 6.1: both fields at once may be an attempt at smuggling; HTTP/1.0 has no
 * transfer codings.
 * @param declared it has a Content-Length, too
 * @param minor of HTTP/1.x
 * @throws Http1Error `malformed`
 */
export function requireChunkedAlone(declared: boolean, minor: number): void {
  if (declared) throw new Http1Error("malformed", "both Transfer-Encoding and Content-Length");
  if (minor === 0) throw new Http1Error("malformed", "Transfer-Encoding in HTTP/1.0");
}
