// The files of an upstream's TLS, read and looked into before anybody depends on them.
//
// Deno takes a CA file without any certificate for an empty list and fails later, at every handshake; so what is
// in the files is checked here, and a start or a reload is refused with the reason.

import type { UpstreamTlsConfig } from "../config/schema.ts";
import { whyUnreadable } from "../config/file.ts";
import { CertificateError, readCertificate, readChain } from "../control/certificate.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";

/** @throws CertificateError that names the key and the file */
export async function readUpstreamTls(
  upstream: string,
  tls: UpstreamTlsConfig,
  readTextFile: (path: string) => Promise<string>,
): Promise<UpstreamTlsSnapshot> {
  const read = async (key: keyof UpstreamTlsConfig, check: (text: string) => unknown) => {
    const file = tls[key];
    if (file === undefined) return undefined;
    try {
      const text = await readTextFile(file);
      check(text);
      return text;
    } catch (error) {
      const why = whyUnreadable(error);
      throw new CertificateError(`upstreams.${upstream}.tls.${key} is ${file}, which cannot be used: ${why}`);
    }
  };
  const ca = await read("caFile", readChain);
  const cert = await read("certFile", readChain);
  const key = await read("keyFile", (text) => cert === undefined || readCertificate({ cert, key: text }));
  return {
    caCerts: ca === undefined ? [] : [ca],
    ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
