// One place among the workers: the living incarnation in it, and how it is doing.
//
// The supervisor spawns into it, watches it and replaces it. A worker throws (an `error` event), ends without a
// word (its lifeline is released), or hangs: its heart stops and its lifeline is held. Only the first two are
// deaths; a thread that hangs cannot be ended from here, and its socket keeps its share of new connections.

import { type Board, ColumnCell } from "../board/layout.ts";
import type { FromWorker, ToWorker, WorkerStart } from "../messages.ts";
import type { Cancel, Clock } from "./clock.ts";
import { whenReleased } from "./lifeline.ts";

/** How many times longer a worker may take to its first heartbeat than between two: cores can be scarce. */
const LOADING_PATIENCE = 12;

export type WorkerState =
  | "starting"
  | "serving"
  | "notListening"
  | "restarting"
  | "hung"
  | "draining"
  | "drained";

export interface WorkerHandleEvents {
  /** A message that the handle does not keep to itself. */
  onMessage(handle: WorkerHandle, message: FromWorker): void;
  /** The incarnation is dead. */
  onDied(handle: WorkerHandle, reason: string): void;
  /** The incarnation hangs and was given up; `requests` were at it. */
  onHung(handle: WorkerHandle, requests: number): void;
  /** The thread of an incarnation that hung has ended after all, and let go of its socket. */
  onHungThreadEnded(handle: WorkerHandle, requests: number): void;
}

export class WorkerHandle {
  state: WorkerState = "starting";
  /** Milliseconds since 1970. */
  since: number;
  reason: string | null = null;
  restarts = 0;
  /** Incarnations that hung. */
  hangs = 0;
  /** Threads of such incarnations that still run. */
  hungThreads = 0;
  /** How long its event loop had not turned at the last tick, or when it was given up; 0 while it turns. */
  stalledMs = 0;
  /** Board column of the living incarnation. */
  column: number | null = null;
  /** Newest snapshot version that it applied. */
  applied = 0;
  /** Fingerprint of the certificate that all its handshakes get; empty before it said so. */
  certificate = "";
  /** It has been told what to serve, and hears what is posted to it: before, nothing does. */
  started = false;
  private worker: Worker | null = null;
  /** Monotonic milliseconds since which the incarnation accepts connections; null while it does not. */
  private listeningSince: number | null = null;
  private lastBeat = 0;
  private lastBeatAt = 0;
  private missedTicks = 0;
  private ended = false;
  private lifeline: string | null = null;
  private unwatch: Cancel | null = null;

  constructor(
    readonly index: number,
    private readonly board: Board,
    private readonly events: WorkerHandleEvents,
    private readonly clock: Pick<Clock, "now" | "date">,
  ) {
    this.since = clock.date();
  }

  private become(state: WorkerState, reason: string | null): void {
    this.state = state;
    this.reason = reason;
    this.since = this.clock.date();
  }

  /**
   * Starts an incarnation in `column`; `makeStart` is asked once it is loaded, for what holds then. Workers may use
   * the network and nothing else.
   */
  spawn(moduleUrl: URL, column: number, makeStart: () => WorkerStart): void {
    const worker = new Worker(moduleUrl, {
      type: "module",
      name: `weir-${this.index}`,
      deno: {
        permissions: {
          net: "inherit",
          read: false,
          write: false,
          env: false,
          run: false,
          sys: false,
          ffi: false,
        },
      },
    } as WorkerOptions);
    this.worker = worker;
    this.column = column;
    this.applied = 0;
    this.certificate = "";
    this.listeningSince = null;
    this.missedTicks = this.lastBeat = 0;
    this.ended = false;
    this.lifeline = null;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      // The news of its end may overtake what it said before: what it logged counts all the same.
      if (this.worker !== worker && data.kind !== "log") return;
      if (data.kind !== "loaded") return this.receive(data);
      this.watch(data.lifeline);
      worker.postMessage(makeStart());
      this.started = true;
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.worker !== worker) return;
      // It has ended by itself. One that is terminated is not heard to its last word.
      this.worker = null;
      this.died(`threw: ${event.message}`);
    };
    worker.onmessageerror = () => {
      if (this.worker === worker) this.died("sent what cannot be read");
    };
  }

  private watch(lifeline: string): void {
    this.lifeline = lifeline;
    this.unwatch = whenReleased(lifeline, () => {
      if (this.lifeline === lifeline) this.ended = true;
    });
  }

  private receive(message: FromWorker): void {
    switch (message.kind) {
      case "listening":
        this.listeningSince = this.clock.now();
        if (this.state !== "draining") this.become("serving", null);
        break;
      case "notListening":
        this.listeningSince = null;
        if (this.state !== "draining") this.become("notListening", message.reason);
        break;
      case "applied":
        this.applied = message.version;
        break;
      case "certificateApplied":
        this.certificate = message.fingerprint;
        break;
      case "drained":
        this.become("drained", null);
        this.terminate();
        break;
    }
    this.events.onMessage(this, message);
  }

  post(message: ToWorker): void {
    if (this.started) this.worker?.postMessage(message);
  }

  /**
   * Called at each tick of the supervisor. Ticks are counted, not time: when the whole process stalls no
   * tick passes, and nobody is given up for it.
   */
  checkHeart(missedTicksMax: number): void {
    if (this.worker === null) return;
    // Judged at a tick, so that an `error` event, which says more, has come first if there is one.
    if (this.ended) return this.died("ended without a word");
    const beat = this.cell(ColumnCell.heartbeat);
    if (beat !== this.lastBeat) {
      this.lastBeat = beat;
      this.lastBeatAt = this.clock.now();
      this.missedTicks = this.stalledMs = 0;
      return;
    }
    if (beat > 0) this.stalledMs = this.clock.now() - this.lastBeatAt;
    if (++this.missedTicks < missedTicksMax * (beat > 0 ? 1 : LOADING_PATIENCE)) return;
    if (beat > 0 && this.lifeline !== null) this.hung(this.lifeline);
    else this.died("did not begin to work");
  }

  private hung(lifeline: string): void {
    const { requests } = this;
    // Takes effect when the thread comes back from where it hangs, if it ever does.
    this.terminate();
    whenReleased(lifeline, () => {
      this.hungThreads--;
      this.events.onHungThreadEnded(this, requests);
    });
    this.hungThreads++;
    this.hangs++;
    this.become("hung", "hangs: its event loop does not turn any more");
    this.events.onHung(this, requests);
  }

  /** Given up, and the place is to be filled again. */
  restart(reason: string): void {
    this.become("restarting", reason);
    this.stalledMs = 0;
    this.restarts++;
  }

  private died(reason: string): void {
    this.terminate();
    this.restart(reason);
    this.events.onDied(this, reason);
  }

  /** Lets it finish what it has; one that has not begun ends at once. @returns whether it will say `drained` */
  drain(deadlineMs: number): boolean {
    if (!this.started) this.terminate();
    if (!this.alive) return false;
    this.become("draining", this.reason);
    this.post({ kind: "drain", deadlineMs });
    return true;
  }

  /** Requests at the incarnation, or at the one that just ended. */
  get requests(): number {
    return this.cell(ColumnCell.inFlight);
  }

  private cell(cell: number): number {
    const { board, column } = this;
    return column === null ? 0 : Atomics.load(board.int32, board.layout.columnCell(column, cell));
  }

  /** How long the incarnation, or the one that just ended, has served without a break. */
  get servedMs(): number {
    return this.listeningSince === null ? 0 : this.clock.now() - this.listeningSince;
  }

  get alive(): boolean {
    return this.worker !== null;
  }

  get serving(): boolean {
    return this.worker !== null && (this.state === "serving" || this.state === "draining");
  }

  terminate(): void {
    this.unwatch?.();
    this.unwatch = null;
    this.worker?.terminate();
    this.worker = null;
    this.started = false;
  }
}
