// How long a connection to one endpoint may idle before it is not used again, as all workers have learned it.
//
// The keep-alive race: a request on a connection that the endpoint is just closing is lost, and a POST among
// them cannot be repeated. So a connection is retired before the endpoint would close it: by what the endpoint
// says (`Keep-Alive: timeout=`), else by what resets teach. What a reset taught is forgotten bit by bit, since
// it may have been a crash.

import { type Board, EndpointCell } from "../board/layout.ts";

/** An idle connection is retired this long before the endpoint would close it. */
const MARGIN_MS = 1_000;
const LIMIT_MIN_MS = 100;
/** Servers do not close idle connections sooner: a reset before that says nothing of idling. */
const RESET_MIN_MS = 500;
/** Each use of a connection that idled for half the limit or more raises it by this. */
const GROWTH = 1.05;

export class IdleLimit {
  private readonly cell: number;

  constructor(private readonly board: Board, endpointRow: number) {
    this.cell = board.layout.endpointCell(endpointRow, EndpointCell.idleLimitSeenMs);
  }

  /** Milliseconds; 0 before anything was learned. */
  private get learned(): number {
    return Atomics.load(this.board.int32, this.cell);
  }

  private learn(ms: number): void {
    if (this.learned !== ms) Atomics.store(this.board.int32, this.cell, ms);
  }

  /** The limit: what is learned, else the configured one. */
  ms(configuredMs: number): number {
    return this.learned || configuredMs;
  }

  /** The endpoint said `Keep-Alive: timeout=`. */
  learnFromHeader(keepAliveMs: number): void {
    this.learn(Math.max(LIMIT_MIN_MS, Math.floor(keepAliveMs - Math.min(MARGIN_MS, keepAliveMs / 2))));
  }

  /** A kept connection turned out to be dead after it had idled for `idleMs`: the endpoint closes earlier. */
  learnFromReset(idleMs: number, configuredMs: number): void {
    if (idleMs < RESET_MIN_MS) return;
    this.learn(Math.max(LIMIT_MIN_MS, Math.floor(Math.min(this.ms(configuredMs), idleMs) * 0.8)));
  }

  /** A connection that had idled for `idleMs` was still good. */
  learnFromReuse(idleMs: number, configuredMs: number): void {
    const { learned } = this;
    if (learned === 0 || learned >= configuredMs || idleMs < learned / 2) return;
    this.learn(Math.min(configuredMs, Math.ceil(learned * GROWTH)));
  }
}
