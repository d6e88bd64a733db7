// The requests of one worker that wait for an endpoint of an upstream, because all are at their limit, or because
// their own is.
//
// `selection.ts` queues a request up here; the bell on the board wakes the queue when room is made in any
// worker. Within a worker the first to come is the first to go; between workers chance decides. How many
// wait is limited pod-wide, how long each waits by its own timer.

import { Bell } from "../board/bell.ts";
import type { OwnColumn, OwnGauge } from "../board/own.ts";
import { Timer, type TimerWheel } from "../timer_wheel.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { Lease } from "../upstream/lease.ts";
import { Place, WaitingLines } from "./waiting_lines.ts";

/**
 * Why there is no lease: nobody may take the request; the queue was full; it waited too long; its own time is up; its
 * client has left.
 */
export type NoLease = "noEndpoint" | "queueFull" | "queueTimeout" | "outOfTime" | "clientGone";

/** A claim on an endpoint, or why there will be none; `full` while there is no room. */
export type Claim = Lease | NoLease | "full";

/** What claims one after the other have seen: each would look at all endpoints, and most for what others saw. */
export interface Round {
  /** Those that were looked at; null before anybody has, and once somebody has taken what room there was. */
  endpoints: readonly Endpoint[] | null;
  /** Of them, those with room. What is made meanwhile rings. */
  room: readonly Endpoint[];
}

/** A request that wants a place. */
export interface Waiter {
  /** @param round absent for a claim by itself */
  claim(round?: Round): Claim;
  /** It may not go everywhere (it tried some endpoints before, or waits for one), so others may pass it. */
  readonly particular: boolean;
  /** The one endpoint that it waits for, as its last claim found; null while it would take another. */
  readonly waitsFor: Endpoint | null;
}

/** What bounds a queue, as the upstream is configured. */
export interface QueueLimits {
  /** Requests that may wait, pod-wide. */
  readonly queueMax: number;
  readonly timeoutMs: number;
}

export class PendingQueue {
  private readonly lines = new WaitingLines();
  /** Requests that have waited so far, and those that do. */
  private came = 0;
  private readonly bell: Bell;
  private readonly gauge: OwnGauge;
  private listening = false;

  constructor(
    private readonly own: OwnColumn,
    private readonly upstreamRow: number,
    private readonly wheel: TimerWheel,
  ) {
    this.bell = new Bell(own.board, upstreamRow);
    this.gauge = own.upstreamWaiting(upstreamRow);
  }

  /** Requests that wait in this worker. */
  get size(): number {
    return this.lines.size;
  }

  /** Requests that wait in the pod. */
  get sizeInPod(): number {
    return this.own.board.upstreamWaiting(this.upstreamRow);
  }

  /** Whether what room there is is for one that comes now: those that wait came before, and are asked first. */
  letsPass(): boolean {
    return this.size === 0 || this.serve();
  }

  /** Waits for a place. Never rejects. */
  wait(waiter: Waiter, { queueMax, timeoutMs }: QueueLimits): Promise<Lease | NoLease> {
    this.gauge.add(1);
    // Add, then sum: two workers that check first could both pass.
    if (this.sizeInPod > queueMax) {
      this.gauge.add(-1);
      return Promise.resolve("queueFull");
    }
    return new Promise((resolve) => {
      const timer = new Timer(() => this.giveUp(place, "queueTimeout"));
      const place = new Place(this.came++, waiter, (result) => {
        this.wheel.remove(timer);
        this.gauge.add(-1);
        resolve(result);
      });
      this.lines.add(place);
      this.wheel.arm(timer, timeoutMs);
      this.listen();
    });
  }

  /** Its client left: takes the request out of the queue; nothing happens if it is not in it. */
  leave(waiter: Waiter): void {
    const place = this.lines.placeOf(waiter);
    if (place !== undefined) this.giveUp(place, "clientGone");
  }

  private giveUp(place: Place, why: NoLease): void {
    this.end(place, why);
    // Those behind one that may go everywhere were not asked while it stood there.
    if (!place.waiter.particular) this.serve();
  }

  /** Something changed that may make room, and what made some before may not have told: all workers look again. */
  poke(): void {
    this.bell.ringIfAwaited();
  }

  private async listen(): Promise<void> {
    // The loop that runs has read the count before, so whatever is missed now will wake it.
    if (this.listening) return void this.serve();
    this.listening = true;
    while (this.size > 0) {
      // Read before looking: room that is made from here on rings again.
      const seen = this.bell.count;
      this.serve();
      if (this.size > 0) await this.bell.rungSince(seen);
    }
    this.listening = false;
  }

  /** Gives out what room there is, first come, first served. True when what is left, if any, is for whoever comes. */
  private serve(): boolean {
    const { firsts } = this.lines;
    const round: Round = { endpoints: null, room: [] };
    for (let at = 0; at < firsts.length;) {
      const place = firsts[at]!;
      const result = place.waiter.claim(round);
      if (result !== "full") {
        this.end(place, result);
        round.endpoints = null;
        continue;
      }
      this.lines.sort(place);
      if (!place.waiter.particular) return false;
      // Where it joined a line that has been asked, another stands here now.
      if (firsts[at] === place) at++;
    }
    return true;
  }

  private end(place: Place, result: Lease | NoLease): void {
    this.lines.remove(place);
    place.settle(result);
  }
}
