// TLS towards an endpoint, the same for requests and for health checks: which name is verified, how a client
// certificate is shown, and what a failure means to an operator.
//
// Verification is always on. The verified name is the one that the operator wrote, also where discovery has made
// addresses of it; `serverName` replaces it.

import { firstOf } from "../config/findings.ts";
import { messageOf } from "../error_message.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";

/** An endpoint as TLS sees it: where it is, and what it goes by. */
export interface TlsTarget {
  /** Where to connect: an IP address, or a name that the system resolver answers. */
  readonly host: string;
  readonly port: number;
  /** `host[:port]` that the endpoint goes by. */
  readonly authority: string;
}

/** SNI and verified name. */
export function serverNameOf(target: TlsTarget, tls: UpstreamTlsSnapshot): string {
  return tls.serverName ?? authorityHost(target.authority);
}

/** Whether a connection that was made by one may serve where the other is asked for. */
export function isSameTls(one: UpstreamTlsSnapshot, other: UpstreamTlsSnapshot): boolean {
  return one.serverName === other.serverName && one.cert === other.cert && one.key === other.key &&
    one.caCerts.join() === other.caCerts.join();
}

/** The host of `host[:port]`, an IPv6 address without its brackets. */
function authorityHost(authority: string): string {
  const bracket = /^\[([^\]]*)\]/.exec(authority);
  return bracket?.[1] ?? authority.replace(/:\d*$/, "");
}

/** Wraps an open connection; the handshake is still to come. */
export async function startTls(
  conn: Deno.TcpConn,
  target: TlsTarget,
  tls: UpstreamTlsSnapshot,
): Promise<Deno.TlsConn> {
  return await Deno.startTls(conn, {
    hostname: serverNameOf(target, tls),
    caCerts: [...tls.caCerts],
    alpnProtocols: ["http/1.1"],
  });
}

/**
 * Not part of Deno's documented interface, but where its own node:tls says the name. Without it Deno verifies the
 * address instead: were it gone, connections would fail, not pass unverified.
 */
const SERVER_NAME = Symbol.for("unstableServerName");

/** Whether the upstream asks for a client certificate to be shown. */
export function showsCertificate({ cert, key }: UpstreamTlsSnapshot): boolean {
  return cert !== undefined && key !== undefined;
}

/**
 * Connects with a client certificate; the handshake is still to come. `Deno.startTls` takes none, and
 * `Deno.connectTls` no signal: after an abort the connection is closed when it comes. Nagle stays on: Deno has no
 * switch for it here.
 */
export async function connectWithCertificate(
  target: TlsTarget,
  tls: UpstreamTlsSnapshot,
  signal: AbortSignal,
): Promise<Deno.TlsConn> {
  const options = {
    hostname: target.host,
    port: target.port,
    caCerts: [...tls.caCerts],
    alpnProtocols: ["http/1.1"],
    cert: tls.cert,
    key: tls.key,
    [SERVER_NAME]: serverNameOf(target, tls),
  };
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  const connecting = Deno.connectTls(options as Deno.ConnectTlsOptions);
  try {
    return await Promise.race([connecting, aborted.promise]);
  } catch (error) {
    if (signal.aborted) connecting.then((conn) => conn.close(), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const OTHER_NAME = "certificate is for another name";
/** Names of a certificate that are told; further ones are counted. */
const NAMES_MAX = 3;

/** What the text of a failure shows, first match first. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/certificate expired|CertExpired|: Expired/i, "certificate expired"],
  [/not valid yet|NotValidYet/i, "certificate is not valid yet"],
  [/not valid for any names/i, "certificate has no subjectAltName, and a common name does not count"],
  [/UnsupportedCertVersion/i, "certificate is of X.509 version 1, not 3"],
  [
    /UnsupportedSignatureAlgorithm/i,
    "certificate, or one of its chain, is signed with an algorithm that is not accepted",
  ],
  [/BadSignature/i, "certificate is not signed as it says, or its RSA key has less than 2048 bits"],
  [/NotValidForName|not valid for name/i, OTHER_NAME],
  [/CaUsedAsEndEntity/i, "certificate is an authority's own, not a server's"],
  [/UnknownIssuer|unknown issuer/i, "certificate of an unknown authority"],
  [/InvalidContentType|corrupt message|InvalidMessage/i, "the endpoint does not speak TLS"],
  [/alert: CertificateRequired/i, "the endpoint asks for a client certificate"],
  [
    /alert: (Bad|Unsupported|Unknown)?(Certificate|CA)(Expired|Revoked|Unknown)?\b/i,
    "the endpoint refuses the client certificate",
  ],
  [/alert: UnrecognisedName/i, "the endpoint does not know the name"],
  [/alert: ProtocolVersion/i, "the endpoint speaks neither TLS 1.3 nor 1.2"],
  [/alert: NoApplicationProtocol/i, "the endpoint does not speak HTTP/1.1"],
  [/alert: HandshakeFailure/i, "the endpoint shares no cipher, or (TLS 1.2) misses a client certificate"],
  [/unexpected eof|close_notify|UnexpectedEof/i, "the endpoint closed during the handshake"],
];

/** The cause in words that an operator can act on. */
export function tlsCause(error: unknown): string {
  const text = messageOf(error);
  const cause = CAUSES.find(([pattern]) => pattern.test(text))?.[1] ?? text;
  return cause === OTHER_NAME ? cause + namesIn(text) : cause;
}

/**
 * ` than a.test: b.test, c.test`: the name that was looked for, and those that the certificate has, of each no more than a
 * name in DNS may have.
 */
function namesIn(text: string): string {
  const wanted = /not valid for name "([^"]+)"/.exec(text)?.[1];
  const own = [...text.matchAll(/(?:DnsName\("|IpAddress\()([^")]{1,253})/g)].map((match) => match[1]!);
  return (wanted === undefined ? "" : ` than ${wanted}`) +
    (own.length === 0 ? "" : `: ${firstOf(own, NAMES_MAX).join(", ")}`);
}

/** TLS 1.3: the endpoint may say only after the handshake that it takes no such client, before it reads a request. */
export function isClientRefused(error: unknown): boolean {
  return error instanceof Deno.errors.InvalidData && /client certificate$/.test(tlsCause(error));
}
