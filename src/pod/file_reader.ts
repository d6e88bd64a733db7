// Reads files that the configuration names and keeps what is wrong with them, so that all of it is said at once.

import { isTooLarge, whyUnreadable } from "../config/file.ts";
import { type Finding, findingAt } from "../config/findings.ts";
import type { Loaded } from "../config/loading.ts";
import type { Path } from "../config/path.ts";
import { type CertificatePair, readCertificate, readChain, readKey } from "../control/certificate.ts";
import { tryOutTls } from "../control/certificate_watcher.ts";

export class FileReader {
  readonly findings: Finding[] = [];

  constructor(
    private readonly placeOf: Loaded["placeOf"],
    private readonly readTextFile: (path: string) => Promise<string>,
  ) {}

  /**
   * The text of the file that the key at `path` names; undefined where it names none, or one that cannot be used.
   * @param check throws when the file does not hold what it should
   */
  async read(
    path: Path,
    file: string | undefined,
    check: (text: string) => unknown,
  ): Promise<string | undefined> {
    if (file === undefined) return undefined;
    let what = "read";
    try {
      const text = await this.readTextFile(file);
      what = "used";
      // Longer ones are read no further: what stands behind, a CA for instance, would go missing without a word.
      if (isTooLarge(text)) throw new Error("it is larger than 1 MiB");
      check(text);
      return text;
    } catch (error) {
      const state = `is ${file}, which cannot be ${what}: ${whyUnreadable(error)}`;
      this.findings.push(findingAt(path, { state }, this.placeOf(path)));
      return undefined;
    }
  }

  /** A certificate and its key, which stand under `path`, belong together and are such as TLS takes. */
  async readPair(
    path: Path,
    { certFile, keyFile }: { readonly certFile?: string | undefined; readonly keyFile?: string | undefined },
  ): Promise<Partial<CertificatePair>> {
    const cert = await this.read([...path, "certFile"], certFile, readChain);
    const key = await this.read(
      [...path, "keyFile"],
      keyFile,
      (key) => cert === undefined ? readKey(key) : requireUsable({ cert, key }),
    );
    return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  }
}

function requireUsable(pair: CertificatePair): void {
  readCertificate(pair);
  tryOutTls(pair);
}
