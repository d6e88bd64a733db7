// One port of an event loop, listened on whatever happens: again when an accept loop ends by itself, and with
// another certificate when there is one.

import { messageOf } from "../error_message.ts";
import type { Idler } from "../http1/idler.ts";
import type { CertificateSnapshot } from "../messages.ts";
import { Timer } from "../timer_wheel.ts";
import type { Listener, ListenOptions } from "./listener.ts";
import { serve } from "./serve.ts";
import { serveTls } from "./serve_tls.ts";
import { wire } from "./wire.ts";

const RELISTEN_FIRST_MS = 50;
const RELISTEN_MAX_MS = 2_000;

/** What a port is listened on with: for every listener that it has in turn. */
export interface ListeningInputs extends Omit<ListenOptions, "onFailed" | "onWornOut" | "certificate"> {
  readonly onListening: (host: string, port: number) => void;
  readonly onNotListening: (reason: string) => void;
  /** Default: what the configuration asks for. */
  readonly open?: typeof openListener;
  /** Every handshake that begins from now on gets this certificate. */
  readonly onCertificate: (fingerprint: string) => void;
}

/** Listens with SO_REUSEPORT on the configured address. @throws Deno.errors.AddrInUse and the like */
export function openListener(options: ListenOptions): Listener {
  if (options.config.listener === "wire") return wire(options);
  return options.certificate === undefined ? serve(options) : serveTls(options, options.certificate);
}

export class Listening {
  private current: Listener | null = null;
  /** Those whose place another has taken, each until it has drained. */
  private readonly worn = new Map<Listener, Promise<void>>();
  private relistenMs = RELISTEN_FIRST_MS;
  private readonly again: Timer = new Timer(() => this.renewOrOpen());
  /** Changes of the certificate that the listener is at. */
  private renewing = 0;
  /** The newest certificate that a listener has taken: it lags behind `certificate` while that cannot be had. */
  private shown: CertificateSnapshot | undefined;
  /** What the system gave for port 0: every later listener must share it. */
  private port: number;
  private over = false;

  constructor(
    private readonly inputs: ListeningInputs,
    private certificate: CertificateSnapshot | undefined = undefined,
  ) {
    this.port = inputs.config.port;
  }

  /** Listens now, or as soon as it can. */
  open(): void {
    if (this.over) return;
    let listener: Listener;
    try {
      listener = this.openOne();
    } catch (error) {
      return this.onFailed(messageOf(error));
    }
    this.current = listener;
    this.port = listener.port;
    this.inputs.wheel.remove(this.again);
    this.relistenMs = RELISTEN_FIRST_MS;
    this.inputs.onListening(listener.host, listener.port);
    this.shown = this.certificate;
    this.tellCertificate();
  }

  private openOne(): Listener {
    const { certificate } = this;
    const opened: Listener = (this.inputs.open ?? openListener)({
      config: { ...this.inputs.config, port: this.port },
      handle: this.inputs.handle,
      wheel: this.inputs.wheel,
      trusts: this.inputs.trusts,
      countConnection: this.inputs.countConnection,
      makeRoom: this.inputs.makeRoom,
      ...(certificate === undefined ? {} : { certificate }),
      onFailed: (reason) => {
        // One that was replaced meanwhile is nobody's loss.
        if (this.current !== opened) return;
        this.current = null;
        this.onFailed(reason);
      },
      onWornOut: () => this.replace(opened),
    });
    return opened;
  }

  /** Its connections end once their requests are answered; whoever comes is another's. False where there is none. */
  private replace(worn: Listener): boolean {
    if (this.over || this.current !== worn) return false;
    try {
      this.current = this.openOne();
    } catch {
      // Short of what it needs: it is tried again when more is worn.
      return false;
    }
    // One whose accept loop has ended may have nothing to shut down.
    const drained = worn.drain().catch(() => {}).finally(() => this.worn.delete(worn));
    this.worn.set(worn, drained);
    return true;
  }

  /** Connections that stand are served on, whatever became of the accept loop. */
  private onFailed(reason: string): void {
    if (this.over) return;
    if (this.current === null) this.inputs.onNotListening(reason);
    this.inputs.wheel.arm(this.again, this.relistenMs);
    this.relistenMs = Math.min(this.relistenMs * 2, RELISTEN_MAX_MS);
  }

  /** New handshakes get the new certificate; `onCertificate` tells from when on all of them do. */
  swap(certificate: CertificateSnapshot): void {
    this.certificate = certificate;
    this.renewOrOpen();
  }

  /** By the listener itself, which loses nothing; by another one where there is none. */
  private renewOrOpen(): void {
    const { current, certificate } = this;
    if (this.over) return;
    if (current === null) return this.open();
    if (certificate === undefined) return;
    this.renewing++;
    current.renew(certificate).then(
      () => this.onRenewed(certificate),
      (error) => this.onFailed(messageOf(error)),
    ).then(() => {
      this.renewing--;
      this.tellCertificate();
    });
  }

  private onRenewed(certificate: CertificateSnapshot): void {
    // An older one ends nothing: the newest is in force already, or is tried again.
    if (certificate !== this.certificate) return;
    this.shown = certificate;
    this.relistenMs = RELISTEN_FIRST_MS;
  }

  private tellCertificate(): void {
    const { shown, certificate } = this;
    if (shown === undefined || shown !== certificate || this.renewing > 0) return;
    this.inputs.onCertificate(shown.fingerprint);
  }

  /** The client's connection that idles the longest, where that is known. */
  get oldest(): Idler | null {
    return this.current?.oldest ?? null;
  }

  /** No new connections; settles when everything that began here has ended. */
  async drain(): Promise<void> {
    this.over = true;
    await Promise.all([this.current?.drain(), ...this.worn.values()]);
  }

  /** Cuts everything at once. */
  abort(): void {
    this.over = true;
    for (const listener of [this.current, ...this.worn.keys()]) listener?.abort();
  }
}
