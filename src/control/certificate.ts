// What a certificate file and its key file say, read before anybody is told of them.
//
// Pure but for the cryptography: text in, facts out, or one sentence that says what is wrong. Called by the
// watcher of the listener's certificate, and for every other file of TLS; nothing that fails here reaches a worker.

import type { KeyObject, X509Certificate } from "node:crypto";
import { nodeCrypto } from "../node_crypto.ts";

/** A certificate and its key as they stand in their files (PEM). */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What an operator wants to know of a certificate. Times are milliseconds since 1970. */
export interface CertificateFacts {
  /** SHA-256 of the certificate, as browsers and openssl show it. */
  readonly fingerprint: string;
  /** Host names and addresses that it is for. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Why a pair cannot be used: one sentence for the operator. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

/** One whose end is missing is a block too: a file that is half written must not lose its last certificate. */
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g;
const KEY_BLOCK = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----(?:[^]*?-----END \1-----)?/;

/** The facts of a pair that fits together. @throws CertificateError */
export function readCertificate({ cert, key }: CertificatePair): CertificateFacts {
  const chain = readChain(cert);
  const own = chain[0]!;
  const privateKey = readKey(key);
  if (!own.checkPrivateKey(privateKey)) {
    const place = chain.findIndex((other) => other.checkPrivateKey(privateKey));
    throw new CertificateError(
      place < 0
        ? "the key does not belong to the certificate"
        : `the server's certificate must come first: the key belongs to certificate ${place + 1} of the file`,
    );
  }
  return {
    fingerprint: own.fingerprint256,
    names: namesOf(own),
    issuer: commonName(own.issuer),
    notBefore: Date.parse(own.validFrom),
    notAfter: Date.parse(own.validTo),
  };
}

/** Why clients refuse it at `now`, in words about "it"; null when its time is now. */
export function outOfTime({ notBefore, notAfter }: CertificateFacts, now: number): string | null {
  if (notAfter <= now) return `it expired on ${new Date(notAfter).toISOString()}`;
  return notBefore > now ? `it is not valid before ${new Date(notBefore).toISOString()}` : null;
}

/** Certificates of a PEM text, in order, at least one. @throws CertificateError */
export function readChain(pem: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE_BLOCK);
  if (blocks === null) throw new CertificateError("the certificate file holds no PEM certificate");
  return blocks.map((block, i) => {
    try {
      return new (nodeCrypto().X509Certificate)(block);
    } catch {
      throw new CertificateError(`certificate ${i + 1} of the file cannot be read`);
    }
  });
}

/** The first private key of a PEM text, whatever stands around it: certificates, mostly. @throws CertificateError */
export function readKey(pem: string): KeyObject {
  const block = KEY_BLOCK.exec(pem)?.[0];
  if (block === undefined) throw new CertificateError("the key file holds no PEM private key");
  if (/ENCRYPTED/.test(block)) {
    throw new CertificateError("the key is encrypted: Weir has no passphrase for it");
  }
  try {
    // Deno reads no text that begins with anything else.
    return nodeCrypto().createPrivateKey(block);
  } catch {
    throw new CertificateError("the key cannot be read");
  }
}

/** From `DNS:a.example, IP Address:10.0.0.1`; without any, the common name. */
function namesOf({ subject, subjectAltName }: X509Certificate): string[] {
  const written = subjectAltName ?? "";
  const names = written.split(", ").flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
  return names.length > 0 ? names : [commonName(subject)];
}

/** `CN` of a distinguished name, or all of it on one line. */
function commonName(distinguished: string): string {
  return /^CN=(.*)$/m.exec(distinguished)?.[1] ?? distinguished.replaceAll("\n", ", ");
}
