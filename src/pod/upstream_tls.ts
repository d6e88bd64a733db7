// The files of an upstream's TLS, read and looked into before anybody depends on them.
//
// Deno takes a CA file without any certificate for an empty list and fails later, at every handshake; so what is
// in the files is checked here, and a start or a reload is refused with the reason.

import type { Path } from "../config/path.ts";
import type { UpstreamTlsConfig } from "../config/schema.ts";
import { readChain } from "../control/certificate.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";
import type { FileReader } from "./file_reader.ts";

/** What workers are told of the TLS at `path`; whole only where `files` has found nothing wrong. */
export async function readUpstreamTls(
  path: Path,
  tls: UpstreamTlsConfig,
  files: FileReader,
): Promise<UpstreamTlsSnapshot> {
  const ca = await files.read([...path, "caFile"], tls.caFile, readChain);
  return {
    caCerts: ca === undefined ? [] : [ca],
    ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
    ...await files.readPair(path, tls),
  };
}
