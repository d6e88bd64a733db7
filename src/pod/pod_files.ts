// What is read from files that the configuration names, at start and at each reload: the key of sticky cookies and
// the TLS of upstreams. A start also looks into the listener's certificate, which has a keeper of its own.
//
// All files are read before anybody depends on them, and what is wrong is told of all at once, each with its key
// and its place in the configuration.

import { type Finding, renderFinding } from "../config/findings.ts";
import type { Loaded } from "../config/loading.ts";
import { pathText } from "../config/path.ts";
import { stickyKeyFault } from "../config/sticky_key.ts";
import type { UpstreamTlsSnapshot } from "../messages.ts";
import { FileReader } from "./file_reader.ts";
import { readUpstreamTls } from "./upstream_tls.ts";

export interface PodFiles {
  /** Signs sticky cookies; empty when nothing is sticky. */
  readonly stickyKey: string;
  /** By the upstream's name: what every upstream has. */
  readonly upstreamTls: ReadonlyMap<string, UpstreamTlsSnapshot>;
}

export interface FileInputs {
  /** The variable WEIR_STICKY_KEY, which `config/validate.ts` has looked at: it wins over the file. */
  readonly stickyKey: string;
  readonly readTextFile: (path: string) => Promise<string>;
}

/** Why files that the configuration names cannot be used, for each of them. */
export class FilesRefusedError extends Error {
  override readonly name = "FilesRefusedError";

  constructor(readonly findings: readonly Finding[]) {
    super(findings.map(renderFinding).join("; "));
  }
}

/** @throws FilesRefusedError */
export async function readPodFiles(
  { config, placeOf }: Pick<Loaded, "config" | "placeOf">,
  { stickyKey, readTextFile }: FileInputs,
  { withListener }: { readonly withListener: boolean },
): Promise<PodFiles> {
  const files = new FileReader(placeOf, readTextFile);
  const fromEnvironment = stickyKey.trim();
  const keyFile = fromEnvironment === "" ? config.stickyKeyFile : undefined;
  const key = await files.read(["stickyKeyFile"], keyFile, refuseUnusableKey);
  if (withListener) await files.readPair(["listen", "tls"], config.listen.tls ?? {});
  const upstreamTls = new Map<string, UpstreamTlsSnapshot>();
  for (const [name, { tls }] of Object.entries(config.upstreams)) {
    upstreamTls.set(name, await readUpstreamTls(["upstreams", name, "tls"], tls, files));
  }
  if (files.findings.length > 0) throw new FilesRefusedError(files.findings);
  return { stickyKey: key?.trim() ?? fromEnvironment, upstreamTls };
}

/**
 * What one reading found in files and the one before did not, in words; an upstream that joins is no change of its
 * files.
 */
export function fileChanges(before: PodFiles, after: PodFiles): string[] {
  const contentsOf = (tls: UpstreamTlsSnapshot) => JSON.stringify([tls.caCerts, tls.cert, tls.key]);
  const upstreams = [...after.upstreamTls].filter(([name, tls]) => {
    const known = before.upstreamTls.get(name);
    return known !== undefined && contentsOf(known) !== contentsOf(tls);
  });
  return [
    ...upstreams.map(([name]) => `what the files of ${pathText(["upstreams", name, "tls"])} hold changed`),
    ...(before.stickyKey === after.stickyKey
      ? []
      : ["the sticky key changed: older cookies do not count any more"]),
  ];
}

function refuseUnusableKey(text: string): void {
  const key = text.trim();
  if (key === "") throw new Error("it is empty, must hold the key that signs sticky cookies");
  const fault = stickyKeyFault(key);
  if (fault !== null) throw new Error(`its key ${fault.state}, ${fault.accepted}`);
}
