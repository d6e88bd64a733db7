// The listening socket of a listener that accepts its connections itself, and how one with another certificate
// takes its place: beside it on the same port, until the old one's queue has been let in.
//
// Connections are not the door's: those that came in through a socket that closed go on as they are. Accepting
// goes on whatever a single accept fails with; only closing ends it.

import { closeQuietly } from "../http1/close_quietly.ts";
import type { CertificateSnapshot } from "../messages.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import { isPending } from "./pending.ts";

/** Pause after an accept that failed for want of something: descriptors, memory. */
const ACCEPT_PAUSE_MS = 50;
/** A socket that leaves, and to which nobody has come for this long, has nobody in its queue. */
const QUEUE_QUIET_MS = 100;
/** A turn of the event loop, at least. */
const LAST_TURN_MS = 20;

/** Where to listen, and who takes what comes in. */
export interface DoorInputs {
  readonly host: string;
  readonly port: number;
  readonly alpnProtocols: string[];
  readonly wheel: TimerWheel;
  /** Takes a connection; never throws. */
  readonly admit: (conn: Deno.TcpConn | Deno.TlsConn) => void;
  /** An accept failed for want of something that somebody might give back; settles when they have. */
  readonly makeRoom?: () => Promise<void>;
  /** What the next accept has to wait for; undefined for nothing. */
  readonly room?: () => Promise<void> | undefined;
  /** Nobody can be accepted any more. */
  readonly onFailed: (reason: string) => void;
}

export class Door {
  readonly host: string;
  readonly port: number;
  private entrance: Entrance;
  /** Entrances that only let in who waits there. */
  private readonly leaving = new Set<Entrance>();

  /** Listens. @throws Deno.errors.AddrInUse and the like */
  constructor(private readonly inputs: DoorInputs, certificate: CertificateSnapshot | undefined) {
    this.entrance = new Entrance(listen(inputs, inputs.port, certificate), inputs);
    const { hostname, port } = this.entrance.socket.addr as Deno.NetAddr;
    this.host = hostname;
    this.port = port;
  }

  /**
   * Every handshake that begins once this settles gets `certificate`.
   * @throws Deno.errors.AddrInUse and the like: the certificate before it stays
   */
  async renew(certificate: CertificateSnapshot): Promise<void> {
    const before = this.entrance;
    this.entrance = new Entrance(listen(this.inputs, this.port, certificate), this.inputs);
    this.leaving.add(before);
    await before.leave();
    this.leaving.delete(before);
  }

  /** Lets in who waits, then accepts nobody any more. */
  async leave(): Promise<void> {
    await Promise.all([this.entrance, ...this.leaving].map((entrance) => entrance.leave()));
  }

  /** Accepts nobody any more, at once. */
  close(): void {
    for (const entrance of [this.entrance, ...this.leaving]) entrance.close();
  }
}

function listen(
  { host, alpnProtocols }: DoorInputs,
  port: number,
  certificate: CertificateSnapshot | undefined,
): Deno.TcpListener | Deno.TlsListener {
  const place = { hostname: host, port, reusePort: true };
  if (certificate === undefined) return Deno.listen(place);
  return Deno.listenTls({ ...place, cert: certificate.cert, key: certificate.key, alpnProtocols });
}

/** Whether whoever was to be accepted had left the queue already: nothing is wanting, and the next may come in. */
function hasLeft(error: unknown): boolean {
  const { NotConnected, ConnectionAborted, ConnectionReset } = Deno.errors;
  return error instanceof NotConnected || error instanceof ConnectionAborted ||
    error instanceof ConnectionReset;
}

/** One listening socket and its accept loop. */
class Entrance {
  private closed = false;
  private leaves = false;
  private readonly shut = Promise.withResolvers<void>();
  private readonly quiet: Timer = new Timer(() => this.onQuiet());
  /** Nobody has come for a while; whoever is in the queue all the same is let in before the next turn. */
  private lastTurn = false;

  constructor(
    readonly socket: Deno.TcpListener | Deno.TlsListener,
    private readonly inputs: DoorInputs,
  ) {
    this.acceptAll();
  }

  private async acceptAll(): Promise<void> {
    while (!this.closed) {
      const room = this.inputs.room?.();
      if (room !== undefined) await room;
      if (this.closed) return;
      const next: Promise<Deno.TcpConn | Deno.TlsConn> = this.socket.accept();
      // Right after one that was accepted, an accept asks the kernel at once: pending means that the queue is
      // empty now. Closing resets whoever is in it, so this is the moment.
      if (this.leaves && await isPending(next)) this.close();
      try {
        this.inputs.admit(await next);
      } catch (error) {
        if (this.closed) return;
        if (error instanceof Deno.errors.BadResource) return this.inputs.onFailed(error.message);
        if (hasLeft(error)) continue;
        await Promise.all([this.inputs.makeRoom?.(), this.pause()]);
      }
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => this.inputs.wheel.arm(new Timer(resolve), ACCEPT_PAUSE_MS));
  }

  /** Closes once nobody waits; settles when it has. */
  leave(): Promise<void> {
    this.leaves = true;
    if (!this.closed) this.inputs.wheel.arm(this.quiet, QUEUE_QUIET_MS);
    return this.shut.promise;
  }

  /** A loop that was busy learns only now who has come meanwhile. */
  private onQuiet(): void {
    if (this.lastTurn) return this.close();
    this.lastTurn = true;
    this.inputs.wheel.arm(this.quiet, LAST_TURN_MS);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.inputs.wheel.remove(this.quiet);
    closeQuietly(this.socket);
    this.shut.resolve();
  }
}
