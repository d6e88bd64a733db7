// The value of a query parameter as conditions compare it: percent-decoded, `+` as a space; of several with one name the
// first counts. An escape that is not UTF-8, or none, leaves the whole name or value as it is.
//
// Pure. A query may hold thousands of names, and a client may make each one that decoding throws at: they are compared
// byte by byte, and only what is like the name that is looked for is decoded.

const ENCODER = new TextEncoder();
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;
const EQUALS = 0x3d;

/** The decoded value of a parameter in a target; undefined where there is none of that name. */
export function queryValue(target: string, name: string): string | undefined {
  let bytes: Uint8Array | null = null;
  let at = target.indexOf("?") + 1;
  while (at > 0 && at <= target.length) {
    const ampersand = target.indexOf("&", at);
    const end = ampersand < 0 ? target.length : ampersand;
    let escaped = false;
    let nameEnd = at;
    for (let code; nameEnd < end && (code = target.charCodeAt(nameEnd)) !== EQUALS; nameEnd++) {
      escaped ||= code === PERCENT || code === PLUS;
    }
    const isLike = escaped
      ? name.includes("%") || decodesTo(target, at, nameEnd, bytes ??= ENCODER.encode(name))
      : nameEnd - at === name.length && target.startsWith(name, at);
    if (end > at && isLike && decoded(target.slice(at, nameEnd)) === name) {
      return decoded(target.slice(nameEnd + 1, end));
    }
    at = end + 1;
  }
  return undefined;
}

/** Whether a part of a target, all of whose escapes are some, decodes to these bytes. */
function decodesTo(target: string, from: number, to: number, bytes: Uint8Array): boolean {
  if (to - from < bytes.length) return false;
  let count = 0;
  for (let at = from; at < to; at++) {
    let byte = target.charCodeAt(at);
    if (byte === PLUS) byte = SPACE;
    else if (byte === PERCENT) {
      byte = parseInt(target.substring(at + 1, at + 3), 16);
      at += 2;
    }
    if (byte !== bytes[count++]) return false;
  }
  return count === bytes.length;
}

function decoded(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
