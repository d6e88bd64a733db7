// One port of an event loop, listened on whatever happens: again when an accept loop ends by itself, and with
// another certificate when there is one.
//
// A listener that cannot change its certificate is replaced: with SO_REUSEPORT the new one stands beside the old
// one before that closes, so the port is never deaf. The old one finishes what it has: it closes as soon as no
// request body is on its way, or at a deadline.

import type { CertificateSnapshot } from "../messages.ts";
import { Timer } from "../timer_wheel.ts";
import { type Listener, type ListenOptions, openListener } from "./listener.ts";

const RELISTEN_FIRST_MS = 50;
const RELISTEN_MAX_MS = 2_000;

export interface ListeningInputs extends Omit<ListenOptions, "onFailed" | "certificate"> {
  readonly onListening: (host: string, port: number) => void;
  readonly onNotListening: (reason: string) => void;
  /** Default: what the configuration asks for. */
  readonly open?: typeof openListener;
  /** What must end before a replaced listener may close: Deno.serve cuts WebSockets when it does. */
  readonly beforeLeaving: () => Promise<void>;
  /** No listener with an older certificate accepts any more. */
  readonly onCertificate: (fingerprint: string) => void;
  /** Milliseconds that request bodies get after a change of the certificate. */
  readonly uploadsMs: number;
}

export class Listening {
  private current: Listener | null = null;
  /** Listeners that leave, each with its drain. */
  private readonly leaving = new Map<Listener, Promise<void>>();
  /** Those of them that may still accept. */
  private readonly accepting = new Set<Listener>();
  private relistenMs = RELISTEN_FIRST_MS;
  private readonly again: Timer = new Timer(() => this.renewOrOpen());
  /** Changes of the certificate that the listener is at. */
  private renewing = 0;
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
    const before = this.current;
    let listener: Listener;
    try {
      listener = this.openOne();
    } catch (error) {
      return this.onFailed(error instanceof Error ? error.message : String(error));
    }
    this.current = listener;
    this.port = listener.port;
    this.inputs.wheel.remove(this.again);
    this.relistenMs = RELISTEN_FIRST_MS;
    this.inputs.onListening(listener.host, listener.port);
    if (before !== null) this.retire(before);
    this.tellCertificate();
  }

  private openOne(): Listener {
    const { certificate } = this;
    const opened: Listener = (this.inputs.open ?? openListener)({
      config: { ...this.inputs.config, port: this.port },
      handle: this.inputs.handle,
      wheel: this.inputs.wheel,
      trusts: this.inputs.trusts,
      ...(certificate === undefined ? {} : { certificate }),
      onFailed: (reason) => {
        // One that was replaced meanwhile is nobody's loss.
        if (this.current !== opened) return;
        this.current = null;
        this.onFailed(reason);
      },
    });
    return opened;
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

  /** By the listener itself, which loses nothing; by another one where it cannot, or where there is none. */
  private renewOrOpen(): void {
    const { current, certificate } = this;
    if (this.over) return;
    if (current?.renew === undefined || certificate === undefined) return this.open();
    this.renewing++;
    current.renew(certificate).then(() => true, (error) => {
      this.onFailed(error instanceof Error ? error.message : String(error));
      return false;
    }).then((renewed) => {
      this.renewing--;
      if (!renewed) return;
      this.relistenMs = RELISTEN_FIRST_MS;
      this.tellCertificate();
    });
  }

  private retire(listener: Listener): void {
    const { wheel, uploadsMs } = this.inputs;
    const late = Promise.withResolvers<void>();
    const timer = new Timer(late.resolve);
    wheel.arm(timer, uploadsMs);
    this.accepting.add(listener);
    const onDeaf = () => {
      wheel.remove(timer);
      if (this.accepting.delete(listener)) this.tellCertificate();
    };
    const left = Promise.race([this.inputs.beforeLeaving(), late.promise]);
    const drained = left.then(() => listener.drain({ onDeaf, late: late.promise })).then(() => {
      onDeaf();
      this.leaving.delete(listener);
    });
    this.leaving.set(listener, drained);
  }

  private tellCertificate(): void {
    const applied = this.certificate !== undefined && this.accepting.size === 0 && this.renewing === 0;
    if (applied) this.inputs.onCertificate(this.certificate!.fingerprint);
  }

  /** No new connections; settles when everything that began here has ended. */
  async drain(): Promise<void> {
    this.over = true;
    await Promise.all([this.current?.drain(), ...this.leaving.values()]);
  }

  /** Cuts everything at once. */
  abort(): void {
    this.over = true;
    this.current?.abort();
    for (const listener of this.leaving.keys()) listener.abort();
  }
}
