// The listener's certificate in this process: watched, published to the workers, told to people.
//
// Joins the watcher of its files to the event book, the workers and the admin server. A worker that is started
// later is given the newest certificate by its first message.

import type { CertificateInfo } from "../admin/view.ts";
import { CertificateError, outOfTime } from "../control/certificate.ts";
import {
  type CertificateFiles,
  CertificateWatcher,
  type ReadCertificate,
  tryOutTls,
} from "../control/certificate_watcher.ts";
import type { Clock } from "../control/clock.ts";
import { identifyFile } from "../control/file_watch.ts";
import type { CertificateSnapshot } from "../messages.ts";
import type { EventBook } from "./event_book.ts";
import type { Pod } from "./pod.ts";

export interface CertificateKeeperInputs {
  readonly files: CertificateFiles;
  readonly clock: Clock;
  readonly events: EventBook;
  readonly readTextFile: (path: string) => Promise<string>;
  /** Tells every worker. */
  readonly publish: (certificate: CertificateSnapshot) => void;
  /** Those that live, each with the fingerprint of what it serves. */
  readonly workers: () => readonly { readonly certificate: string }[];
}

/** The keeper of a pod's certificate, started; null without TLS. @throws CertificateError */
export async function keepCertificate(pod: Pod): Promise<CertificateKeeper | null> {
  const { tls } = pod.config.listen;
  if (tls === undefined) return null;
  const { supervisor, inputs: { clock, events, rereadTextFile } } = pod;
  const keeper = new CertificateKeeper({
    files: tls,
    clock,
    events,
    readTextFile: rereadTextFile,
    publish: (certificate) => supervisor.broadcast({ kind: "certificate", certificate }),
    workers: () => supervisor.handles.filter(({ alive }) => alive),
  });
  try {
    await keeper.start();
  } catch (error) {
    throw error instanceof CertificateError ? new CertificateError(`listen.tls: ${error.message}`) : error;
  }
  return keeper;
}

export class CertificateKeeper {
  private readonly watcher: CertificateWatcher;
  private readonly changes = { applied: 0, refused: 0 };
  private loadedAt = 0;
  /** Fingerprint that every worker has been said to serve. */
  private told = "";

  constructor(private readonly inputs: CertificateKeeperInputs) {
    const { files, clock, events, readTextFile } = inputs;
    this.watcher = new CertificateWatcher({
      files,
      clock,
      readTextFile,
      identify: identifyFile,
      tryOut: tryOutTls,
      onChanged: (certificate) => this.change(certificate),
      onRefused: (problem) => this.refuse(problem),
      onRestored: () =>
        events.add("certificate", "good", "the files hold the certificate that is served again"),
    });
  }

  /** @throws CertificateError when the pair in the files cannot be served */
  async start(): Promise<void> {
    const certificate = await this.watcher.start();
    this.loadedAt = this.inputs.clock.date();
    // What is served from the start is no change.
    this.told = certificate.fingerprint;
    const fault = outOfTime(certificate, this.loadedAt);
    if (fault !== null) {
      this.inputs.events.add("certificate", "bad", `clients refuse the certificate: ${fault}`);
    }
  }

  private change(certificate: ReadCertificate): void {
    this.changes.applied++;
    this.loadedAt = this.inputs.clock.date();
    this.inputs.events.add("certificate", "neutral", `another certificate: ${describe(certificate)}`);
    this.inputs.publish(this.snapshot);
  }

  private refuse(problem: string): void {
    this.changes.refused++;
    const text = `the certificate in the files is not served, the one before it is: ${problem}`;
    this.inputs.events.add("certificate", "bad", text);
  }

  /** Compares the files with what is served, at once: the operator asks for it by a reload. */
  look(): Promise<void> {
    return this.watcher.look();
  }

  /** A worker has applied a certificate: says so once all have. */
  tellProgress(): void {
    const { fingerprint } = this.snapshot;
    const workers = this.inputs.workers();
    if (this.told === fingerprint || workers.some(({ certificate }) => certificate !== fingerprint)) return;
    this.told = fingerprint;
    const text = `every new handshake gets certificate ${fingerprint}`;
    this.inputs.events.add("certificate", "good", text);
  }

  /** What workers are told. */
  get snapshot(): CertificateSnapshot {
    const { cert, key, fingerprint } = this.watcher.current!;
    return { cert, key, fingerprint };
  }

  info(): CertificateInfo | null {
    const { current, problem } = this.watcher;
    if (current === null) return null;
    const { names, issuer, fingerprint, notAfter } = current;
    const workers = this.inputs.workers();
    const serving = workers.filter(({ certificate }) => certificate === fingerprint).length;
    const { loadedAt, changes } = this;
    return {
      names,
      issuer,
      fingerprint,
      notAfter,
      loadedAt,
      changes: { ...changes },
      problem,
      workers: { serving, all: workers.length },
    };
  }

  stop(): Promise<void> {
    return this.watcher.stop();
  }
}

function describe(certificate: ReadCertificate): string {
  const { names, issuer, notAfter } = certificate;
  return `${names.join(", ")} by ${issuer}, expires on ${new Date(notAfter).toISOString()}`;
}
