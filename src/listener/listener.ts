// What a listener is to the rest of Weir, and what one is made of.

import type { ListenConfig } from "../config/schema.ts";
import type { Exchange } from "../exchange.ts";
import type { Idler } from "../http1/idler.ts";
import type { CertificateSnapshot } from "../messages.ts";
import type { TimerWheel } from "../timer_wheel.ts";

/** What every listener is made with. */
export interface ListenOptions {
  readonly config: ListenConfig;
  readonly certificate?: CertificateSnapshot;
  readonly wheel: TimerWheel;
  /** Answers an exchange; never rejects. */
  readonly handle: (exchange: Exchange) => Promise<void>;
  /** A client's connection was accepted (1), or is closed (-1); Deno.serve without TLS does not tell. */
  readonly countConnection: (change: 1 | -1) => void;
  /** The accept loop ended by itself. */
  readonly onFailed: (reason: string) => void;
  /** It serves on, but keeps what nothing but its end frees. @returns whether another has taken its place */
  readonly onWornOut: () => boolean;
  /**
   * Out of descriptors: closes the connection of this worker that idles the longest, and settles once its
   * descriptor is free. Null: none has idled since `since` at the latest, in monotonic milliseconds.
   */
  readonly makeRoom: (since: number) => Promise<void> | null;
  /** Whether an address may say who the client is (PROXY protocol). */
  readonly trusts: (address: string) => boolean;
}

/** A running listener. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** The client's connection that idles the longest; null where none does, or where that is not known. */
  readonly oldest: Idler | null;
  /** No new connections; settles when the last request and its last byte are done. */
  drain(): Promise<void>;
  /**
   * Changes the certificate of a listener that has one, and touches no connection; every handshake that begins
   * once it settles gets the new one.
   * @throws Deno.errors.AddrInUse and the like: the certificate before it stays
   */
  renew(certificate: CertificateSnapshot): Promise<void>;
  /** Cuts everything at once. */
  abort(): void;
}
