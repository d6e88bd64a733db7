// The listener's certificate: read at start, watched, and handed on when another one stands in its files.
//
// Nothing is handed on that does not hold together: both files parse, the key belongs to the certificate, and
// Deno's TLS takes them. A pair that fails this changes nothing and is told of once, after a second look:
// two files are rarely replaced in the same instant.

import { isTooLarge, whyUnreadable } from "../config/file.ts";
import { messageOf } from "../error_message.ts";
import {
  CertificateError,
  type CertificateFacts,
  type CertificatePair,
  outOfTime,
  readCertificate,
} from "./certificate.ts";
import type { Cancel, Clock } from "./clock.ts";
import { FileWatch, type FileWatchInputs } from "./file_watch.ts";

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A pair that may be served, and what it is. */
export interface ReadCertificate extends CertificatePair, CertificateFacts {}

export interface CertificateWatcherInputs {
  readonly files: CertificateFiles;
  readonly clock: Clock;
  readonly readTextFile: (path: string) => Promise<string>;
  readonly identify: FileWatchInputs["identify"];
  /** Gives the pair to the TLS that will serve it. @throws when it refuses */
  readonly tryOut: (pair: CertificatePair) => void;
  /** Another pair stands in the files, and it is good. */
  readonly onChanged: (certificate: ReadCertificate) => void;
  /** What stands in the files cannot be used; the sentence says why. */
  readonly onRefused: (problem: string) => void;
  /** After that, the files hold again what is served. */
  readonly onRestored: () => void;
  readonly secondLookMs?: number;
  readonly quietMs?: number;
  readonly pollMs?: number;
}

const SECOND_LOOK_MS = 1_000;

export class CertificateWatcher {
  /** The pair that is served; null before `start`. */
  current: ReadCertificate | null = null;
  /** Why what stands in the files now is not served; null when it is. */
  problem: string | null = null;
  private readonly watch: FileWatch;
  /** Content that was refused on a first look. */
  private doubted = "";
  /** Content that was refused, and told of. */
  private refused = "";
  private cancelSecondLook: Cancel = () => {};
  private looking: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly inputs: CertificateWatcherInputs) {
    const { files, clock, identify, quietMs, pollMs } = inputs;
    this.watch = new FileWatch({
      files: [files.certFile, files.keyFile],
      clock,
      identify,
      onMaybeChanged: () => void this.look(),
      ...(quietMs === undefined ? {} : { quietMs }),
      ...(pollMs === undefined ? {} : { pollMs }),
    });
  }

  /** Reads the pair and watches it from now on. @throws CertificateError when it cannot be served */
  async start(): Promise<ReadCertificate> {
    this.current = this.accept(await this.read());
    this.watch.start();
    return this.current;
  }

  /** Compares the files with what is served. Never rejects; one look at a time. */
  look(): Promise<void> {
    this.looking = this.looking.then(() => this.stopped ? undefined : this.compare());
    return this.looking;
  }

  private async compare(): Promise<void> {
    let seen = "";
    try {
      const pair = await this.read();
      seen = pair.cert + pair.key;
      if (pair.cert === this.current?.cert && pair.key === this.current.key) {
        const refused = this.problem !== null;
        this.settle();
        if (refused) this.inputs.onRestored();
        return;
      }
      const certificate = this.accept(pair);
      this.refuseOutOfTime(certificate);
      this.current = certificate;
      this.settle();
      this.inputs.onChanged(certificate);
    } catch (error) {
      this.doubt(seen, messageOf(error));
    }
  }

  /** The files hold what is served. */
  private settle(): void {
    this.problem = null;
    this.doubted = this.refused = "";
    this.cancelSecondLook();
  }

  private doubt(seen: string, problem: string): void {
    const content = problem + seen;
    if (content === this.refused) return;
    if (content !== this.doubted) {
      this.doubted = content;
      this.cancelSecondLook();
      const { clock, secondLookMs = SECOND_LOOK_MS } = this.inputs;
      this.cancelSecondLook = clock.after(secondLookMs, () => void this.look());
      return;
    }
    this.refused = content;
    this.problem = problem;
    this.inputs.onRefused(problem);
  }

  private async read(): Promise<CertificatePair> {
    const { files, readTextFile } = this.inputs;
    return {
      cert: await readOne(files.certFile, readTextFile),
      key: await readOne(files.keyFile, readTextFile),
    };
  }

  private accept(pair: CertificatePair): ReadCertificate {
    const facts = readCertificate(pair);
    try {
      this.inputs.tryOut(pair);
    } catch (error) {
      throw new CertificateError(`TLS refuses it: ${messageOf(error)}`);
    }
    return { ...pair, ...facts };
  }

  /** At start a certificate whose time is not now is served, with a warning; a good one does not give way to it. */
  private refuseOutOfTime(certificate: CertificateFacts): void {
    const now = this.inputs.clock.date();
    const fault = outOfTime(certificate, now);
    if (fault !== null && outOfTime(this.current!, now) === null) throw new CertificateError(fault);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelSecondLook();
    await this.watch.stop();
    await this.looking;
  }
}

async function readOne(file: string, readTextFile: (path: string) => Promise<string>): Promise<string> {
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (error) {
    throw new CertificateError(`${file} cannot be read: ${whyUnreadable(error)}`);
  }
  // Longer ones are read no further: a chain would lose its end.
  if (isTooLarge(text)) throw new CertificateError(`${file} cannot be used: it is larger than 1 MiB`);
  return text;
}

/** Lets Deno's TLS load a pair, on a port that nobody is told of. @throws when it does not take it */
export function tryOutTls(pair: CertificatePair): void {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: pair.cert, key: pair.key }).close();
  } catch (error) {
    if (!(error instanceof Error && /failed to parse private key/.test(error.message))) throw error;
    throw new CertificateError(
      "the key is none of RSA (from 2048 bits), ECDSA (P-256, P-384, P-521) and Ed25519",
    );
  }
}
