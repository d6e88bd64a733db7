// Clients that come over TLS again and again, each time on a new connection, and count what became of them.

import { readCertificate } from "../../src/control/certificate.ts";
import type { Identity } from "./certificates.ts";
import type { RawOrigin } from "./raw_origin.ts";
import { TlsClient } from "./tls_client.ts";
import { until } from "./until.ts";

const CLIENTS = 6;
/** Requests of every second client before it comes by another connection; the others make one. */
const REQUESTS_KEPT = 5;
const MORE_MS_MAX = 20_000;
/** How every answer must end. */
export const END_OF_ANSWER = "end of answer";

export class TlsLoad {
  answered = 0;
  /** Without a handshake to its end: what waits in a listener's queue when it closes. */
  noHandshake = 0;
  /** Sent after a handshake, closed without an answer, and no origin knows of it. */
  unread = 0;
  /** What must not happen. */
  readonly wrong: string[] = [];
  /** Index of the certificate that all handshakes get that begin from now on. */
  complete = 0;
  private over = false;
  private readonly prints: readonly string[];
  private readonly clients: Promise<void>[];

  constructor(
    private readonly url: string,
    private readonly ca: string,
    identities: readonly Identity[],
    private readonly origin: RawOrigin,
  ) {
    this.prints = identities.map((identity) => readCertificate(identity).fingerprint);
    this.clients = Array.from({ length: CLIENTS }, (_, index) => this.drive(index));
  }

  private async drive(index: number): Promise<void> {
    for (let i = 0; !this.over; i++) {
      await this.visit(`/${index}/${i}`, index % 2 === 0 ? 1 : REQUESTS_KEPT);
    }
  }

  private async visit(path: string, requests: number): Promise<void> {
    const least = this.complete;
    let client: TlsClient;
    try {
      client = await TlsClient.connect(this.url, this.ca);
    } catch {
      this.noHandshake++;
      return;
    }
    await using _ = client;
    if (this.prints.indexOf(client.fingerprint) < least) this.wrong.push(`${path}: one before ${least}`);
    for (let n = 1; n <= requests; n++) {
      client.send(`GET ${path}/${n} HTTP/1.1\r\nHost: app.test\r\n\r\n`);
      const ended = await client.until(new RegExp(`(?:${END_OF_ANSWER}[^]*){${n}}`)).catch(String);
      if (ended.startsWith("HTTP/1.1 200")) this.answered++;
      else return this.lost(`${path}/${n}`, ended);
    }
  }

  private lost(path: string, ended: string): void {
    if (this.origin.requests.some(({ target }) => target === path)) this.wrong.push(`${path}: ${ended}`);
    else this.unread++;
  }

  /** Waits until `count` more requests have been answered. */
  async more(count: number): Promise<void> {
    const enough = this.answered + count;
    await until(`${count} more are answered`, () => this.answered >= enough, MORE_MS_MAX);
  }

  async stop(): Promise<void> {
    this.over = true;
    await Promise.all(this.clients);
  }
}
