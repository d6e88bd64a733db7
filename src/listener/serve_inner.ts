// The Deno.serve behind a door of Weir's own: on loopback, for passages only, and again when it has ended.
//
// Its accept loop ends when descriptors run out. Connections that it has are served on; another one takes the new
// ones, and the door waits meanwhile, so that clients wait in the system's queue instead of in vain.

import type { PeerAddress } from "../exchange.ts";
import { Timer } from "../timer_wheel.ts";
import type { ListenOptions } from "./listener.ts";
import { ServeListener } from "./serve.ts";

/** Both ends of a passage's inner connection are in this process. */
const LOOPBACK = "127.0.0.1";
/** Pause after something failed for want of descriptors, most likely. */
const SHORT_MS = 50;
/** Times that a passage tries to connect. */
const CONNECTS_MAX = 40;

/** A passage's place at it. */
export interface InnerConnection {
  readonly conn: Deno.TcpConn;
  /** Whether Deno.serve closes it once its requests are answered. */
  readonly closes: () => boolean;
  /** To be called once, when it is closed. */
  readonly release: () => void;
}

export class InnerServe {
  private current: ServeListener | null;
  /** How many connections each has; those beside `current` accept no more. */
  private readonly connections = new Map<ServeListener, number>();
  private shortage: Promise<void> | undefined;
  private over = false;

  /** @throws Deno.errors.AddrInUse and the like */
  constructor(
    private readonly options: ListenOptions,
    /** The client of the passage that comes from this port; null when none does. */
    private readonly clientAt: (port: number) => PeerAddress | null,
    /** The port that clients know. */
    private readonly outerPort: () => number,
  ) {
    this.current = this.open();
  }

  private open(): ServeListener {
    const opened: ServeListener = new ServeListener(
      { ...this.options, onFailed: () => this.onEnded(opened), onWornOut: () => this.replace(opened) },
      {
        hostname: LOOPBACK,
        port: 0,
        reusePort: false,
        scheme: "https",
        // Anybody on this machine may connect to loopback, from any address of it; passages come from one.
        clientOf: ({ hostname, port }) => hostname === LOOPBACK ? this.clientAt(port) : null,
        outerPort: this.outerPort,
      },
    );
    this.connections.set(opened, 0);
    return opened;
  }

  private onEnded(ended: ServeListener): void {
    // One that was replaced meanwhile is nobody's loss.
    if (this.current !== ended) return;
    this.current = null;
    this.count(ended, 0);
    this.reopen();
  }

  private async reopen(): Promise<void> {
    while (this.current === null && !this.over) {
      await this.pause();
      try {
        this.current = this.over ? null : this.open();
      } catch {
        // Still short of what it needs.
      }
    }
  }

  /** Its connections end once their requests are answered. False where there is no other. */
  private replace(worn: ServeListener): boolean {
    if (this.over || this.current !== worn) return false;
    try {
      this.current = this.open();
    } catch {
      // Short of what it needs: it is tried again when more is worn.
      return false;
    }
    this.count(worn, 0);
    worn.drain().catch(() => {});
    return true;
  }

  /** What whoever accepts clients has to wait for; undefined for nothing. */
  get room(): Promise<void> | undefined {
    return this.shortage;
  }

  /** A connection to it. @throws Deno.errors.ConnectionRefused and the like, after a while */
  async connect(): Promise<InnerConnection> {
    for (let tries = 1;; tries++) {
      const { current } = this;
      try {
        const conn = await Deno.connect({ hostname: LOOPBACK, port: current?.port ?? 0 });
        this.count(current!, 1);
        return { conn, closes: () => current!.closing, release: () => this.count(current!, -1) };
      } catch (error) {
        if (tries === CONNECTS_MAX || this.over) throw error;
        await this.pause();
      }
    }
  }

  /** Forgets one that accepts no more and has no connections. */
  private count(listener: ServeListener, change: number): void {
    const count = (this.connections.get(listener) ?? 0) + change;
    if (count === 0 && listener !== this.current) this.connections.delete(listener);
    else this.connections.set(listener, count);
  }

  private pause(): Promise<void> {
    return this.shortage ??= new Promise((resolve) => {
      const timer = new Timer(() => {
        this.shortage = undefined;
        resolve();
      });
      this.options.wheel.arm(timer, SHORT_MS);
    });
  }

  /** From now on answers ask their clients to leave. */
  leave(): void {
    for (const listener of this.connections.keys()) listener.leave();
  }

  /** Ends every connection once its requests are answered. */
  drain(): void {
    this.over = true;
    // One whose accept loop has ended may have nothing to shut down.
    for (const listener of this.connections.keys()) listener.drain().catch(() => {});
  }

  abort(): void {
    this.over = true;
    for (const listener of this.connections.keys()) listener.abort();
  }
}
