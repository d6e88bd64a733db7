// Whether a Host value may be believed to be one (RFC 9112 3.2, RFC 3986 3.2.2), and where a URL has its own.
//
// Deno.serve pastes Host into the request's URL as it came, so a value with a slash or a question mark would
// move the path. Both listeners check it here before anything else looks at the request.

/** 1: letter, digit and the other characters of a registered name; 2: needs two hex digits after it. */
const HOST = new Uint8Array(128);
for (const c of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=") {
  HOST[c.charCodeAt(0)] = 1;
}
const PERCENT = 37;
const COLON = 58;
const BRACKET = 91;
const ZERO = 48;
/** RFC 1035 2.3.4: the longest name. */
const HOST_LENGTH_MAX = 255;
const PORT_DIGITS_MAX = 5;
const PORT_MAX = 65_535;

/** Whether `value` is `host` or `host:port`, and not empty. */
export function isAuthority(value: string): boolean {
  if (value.length === 0 || value.length > HOST_LENGTH_MAX + 1 + PORT_DIGITS_MAX) return false;
  if (value.charCodeAt(0) === BRACKET) return isBracketed(value);
  let i = 0;
  for (; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === COLON) break;
    if (code === PERCENT && isHex(value, i + 1) && isHex(value, i + 2)) i += 2;
    else if (code >= 128 || HOST[code] === 0) return false;
  }
  return i > 0 && isPort(value, i);
}

function isBracketed(value: string): boolean {
  const close = value.indexOf("]");
  if (close < 0) return false;
  return /^[0-9a-fA-F:.]{2,45}$/.test(value.substring(1, close)) && isPort(value, close + 1);
}

/** Nothing, or a colon and up to five digits (an empty port is allowed by RFC 3986). */
function isPort(value: string, at: number): boolean {
  if (at === value.length) return true;
  if (value.charCodeAt(at) !== COLON || value.length > at + 1 + PORT_DIGITS_MAX) return false;
  let port = 0;
  for (let i = at + 1; i < value.length; i++) {
    const digit = value.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= PORT_MAX;
}

function isHex(value: string, at: number): boolean {
  return /^[0-9a-fA-F]$/.test(value.charAt(at));
}

/** An http or https URL cut behind its authority, which is not looked at yet; null for anything else. */
export function partsOfUrl(url: string): { readonly authority: string; readonly rest: string } | null {
  const match = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url);
  return match === null ? null : { authority: match[1]!, rest: match[2]! };
}
