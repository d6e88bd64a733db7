// Header names that a proxy must know, found by length first: most names cost one switch and no comparison.

/** Names that the codec or the proxy acts on; `other` is everything else. */
export const Known = {
  other: 0,
  connection: 1,
  keepAlive: 2,
  proxyConnection: 3,
  te: 4,
  trailer: 5,
  transferEncoding: 6,
  upgrade: 7,
  contentLength: 8,
  host: 9,
  via: 10,
  forwarded: 11,
  xForwardedFor: 12,
  xForwardedHost: 13,
  xForwardedProto: 14,
  /** Those of the family that Weir neither reads nor writes. */
  xForwardedOther: 15,
  xRealIp: 16,
  expect: 17,
  date: 18,
  proxyAuthorization: 19,
  http2Settings: 20,
  maxForwards: 21,
} as const;
export type KnownHeader = typeof Known[keyof typeof Known];

const NAMES: readonly (readonly [string, KnownHeader])[] = [
  ["connection", Known.connection],
  ["keep-alive", Known.keepAlive],
  ["proxy-connection", Known.proxyConnection],
  ["te", Known.te],
  ["trailer", Known.trailer],
  ["transfer-encoding", Known.transferEncoding],
  ["upgrade", Known.upgrade],
  ["content-length", Known.contentLength],
  ["host", Known.host],
  ["via", Known.via],
  ["forwarded", Known.forwarded],
  ["x-forwarded-for", Known.xForwardedFor],
  ["x-forwarded-host", Known.xForwardedHost],
  ["x-forwarded-proto", Known.xForwardedProto],
  ["x-forwarded-by", Known.xForwardedOther],
  ["x-forwarded-port", Known.xForwardedOther],
  ["x-forwarded-prefix", Known.xForwardedOther],
  ["x-forwarded-scheme", Known.xForwardedOther],
  ["x-forwarded-server", Known.xForwardedOther],
  ["x-forwarded-ssl", Known.xForwardedOther],
  ["x-real-ip", Known.xRealIp],
  ["expect", Known.expect],
  ["date", Known.date],
  ["proxy-authorization", Known.proxyAuthorization],
  ["http2-settings", Known.http2Settings],
  ["max-forwards", Known.maxForwards],
];

const LENGTH_MAX = 24;
const BY_LENGTH: readonly (readonly { readonly codes: readonly number[]; readonly known: KnownHeader }[])[] =
  Array.from(
    { length: LENGTH_MAX },
    (_, length) =>
      NAMES.filter(([name]) => name.length === length).map(([name, known]) => ({
        codes: [...name].map((character) => character.charCodeAt(0)),
        known,
      })),
  );

/** Which known header a name in any case is. */
export function knownHeader(name: string): KnownHeader {
  const { length } = name;
  if (length >= LENGTH_MAX) return Known.other;
  const candidates = BY_LENGTH[length]!;
  for (let i = 0; i < candidates.length; i++) {
    const { codes, known } = candidates[i]!;
    let at = 0;
    // Folding makes a letter of nothing else that a token may hold: `-` and digits have the bit already.
    while (at < length && (name.charCodeAt(at) | 0x20) === codes[at]) at++;
    if (at === length) return known;
  }
  return Known.other;
}

/** The same for a name in bytes. */
export function knownHeaderIn(bytes: Uint8Array, start: number, end: number): KnownHeader {
  const length = end - start;
  if (length >= LENGTH_MAX) return Known.other;
  const candidates = BY_LENGTH[length]!;
  for (let i = 0; i < candidates.length; i++) {
    const { codes, known } = candidates[i]!;
    if (isNameIn(bytes, start, codes)) return known;
  }
  return Known.other;
}

/** Whether the token that begins at `start` begins with this name, given in lower case. */
export function isNameIn(bytes: Uint8Array, start: number, codes: readonly number[]): boolean {
  let at = 0;
  // Folding: as in `knownHeader`.
  while (at < codes.length && (bytes[start + at]! | 0x20) === codes[at]) at++;
  return at === codes.length;
}

/** Whether a field says something of one connection only, and stays behind on the way to the client (RFC 9110 7.6.1). */
export function isForOneHop(known: KnownHeader): boolean {
  switch (known) {
    case Known.connection:
    case Known.keepAlive:
    case Known.proxyConnection:
    case Known.te:
    case Known.transferEncoding:
    case Known.upgrade:
      return true;
    default:
      return false;
  }
}
