// Keeps the workers alive: spawns them, watches their hearts, replaces the dead, lets them leave.
//
// Used by `pod/pod.ts`. A dead worker's totals stay on the board, its gauges vanish; its place gets a fresh
// column. Replacement is immediate at first and backs off when a place keeps dying. A place that hangs is
// filled again only if the pod is to stay all the same: only a new process takes the hung socket away.

import type { Board } from "../board/layout.ts";
import { Columns } from "../board/columns.ts";
import { givePageBack } from "../board/line_pages.ts";
import type { Answer, FromWorker, Question, ToWorker, WorkerStart } from "../messages.ts";
import type { Cancel, Clock } from "./clock.ts";
import { WorkerHandle } from "./worker_handle.ts";

export interface SupervisorEvents {
  onListening(index: number): void;
  onNotListening(index: number, reason: string): void;
  /** @param respawnMs null: it gets no successor, as the pod leaves */
  onDied(index: number, reason: string, respawnMs: number | null): void;
  /** A worker hangs and was given up; `requests` were at it. One that gets no successor is not waited for. */
  onHung(index: number, requests: number, replaced: boolean): void;
  /** The thread of a worker that hung has ended after all. */
  onHungThreadEnded(index: number): void;
  onFailed(index: number, reason: string): void;
  /** Their memory is written again afterwards. */
  onLog(lines: Uint8Array): void;
  /** Every worker has applied a newer version than before. */
  onApplied(version: number): void;
  /** A worker's handshakes all get a newer certificate from now on; its handle says which. */
  onCertificateApplied(index: number): void;
}

export interface SupervisorInputs {
  readonly board: Board;
  readonly clock: Clock;
  readonly workers: number;
  /** The worker module; a test may pass a faulty one. */
  readonly moduleUrl: URL;
  /** What a new incarnation is told first, but for its place. */
  readonly makeStart: () => Omit<WorkerStart, "kind" | "column" | "board">;
  readonly events: SupervisorEvents;
  /** Whether a worker that hangs gets a successor: `exit` leaves its place empty. */
  readonly whenWorkerHangs: () => "exit" | "stay";
  /** Whether a thread may be started now; if not, a worker waits for it. */
  readonly hasThreadRoom: () => boolean;
  /** Supervision tick, and ticks without a heartbeat after which a worker is given up. */
  readonly tickMs?: number;
  readonly missedTicksMax?: number;
}

const TICK_MS = 500;
/** Ten seconds: longer than any garbage collection or starved core, shorter than the patience of most clients. */
const MISSED_TICKS_MAX = 20;
const RESPAWN_FIRST_MS = 100;
const RESPAWN_MAX_MS = 10_000;
/** How often a worker that waits for room to start in looks for it. */
const ROOM_LOOK_MS = 500;
/** A worker that served this long starts with a clean slate when it dies. */
const STABLE_MS = 30_000;
const ANSWER_TIMEOUT_MS = 1_000;
/** How long after a drain's deadline a worker may take to cut what is left and to tell so. */
const CUTTING_MS_MAX = 3_000;

export class Supervisor {
  readonly handles: readonly WorkerHandle[];
  private readonly columns: Columns;
  private readonly deaths: number[];
  /** Requests that were cut, by the place of a worker that has drained, or ended for good. */
  private readonly cut = new Map<number, number>();
  /** Requests at each thread that hangs although its place is filled again: they end with the process. */
  private readonly stuck: number[] = [];
  private readonly questions = new Map<number, (answer: Answer) => void>();
  private nextQuestion = 0;
  /** Settles when every question so far is answered. */
  private asked: Promise<unknown> = Promise.resolve();
  private cancelTick: Cancel | null = null;
  private leaving = false;
  private onAllDrained: (() => void) | null = null;

  constructor(private readonly inputs: SupervisorInputs) {
    const { board, workers, clock } = inputs;
    this.columns = new Columns(board);
    this.deaths = new Array(workers).fill(0);
    const events = {
      onMessage: (handle: WorkerHandle, message: FromWorker) => this.receive(handle, message),
      onDied: (handle: WorkerHandle, reason: string) => this.replace(handle, reason),
      onHung: (handle: WorkerHandle, requests: number) => this.giveUp(handle, requests),
      onHungThreadEnded: (handle: WorkerHandle, requests: number) => {
        const place = this.stuck.indexOf(requests);
        if (place !== -1) this.stuck.splice(place, 1);
        inputs.events.onHungThreadEnded(handle.index);
      },
    };
    this.handles = Array.from(
      { length: workers },
      (_, index) => new WorkerHandle(index, board, events, clock),
    );
  }

  start(): void {
    for (const handle of this.handles) this.spawn(handle);
    this.planTick();
  }

  private spawn(handle: WorkerHandle): void {
    if (this.leaving) return;
    if (!this.inputs.hasThreadRoom()) {
      this.inputs.clock.after(ROOM_LOOK_MS, () => this.spawn(handle));
      return;
    }
    const column = this.columns.take();
    const { board, moduleUrl, makeStart } = this.inputs;
    handle.spawn(moduleUrl, column, () => ({ kind: "start", column, board: board.handle, ...makeStart() }));
  }

  private planTick(): void {
    this.cancelTick = this.inputs.clock.after(this.inputs.tickMs ?? TICK_MS, () => {
      this.planTick();
      this.columns.settle();
      for (const handle of this.handles) handle.checkHeart(this.inputs.missedTicksMax ?? MISSED_TICKS_MAX);
    });
  }

  private replace(handle: WorkerHandle, reason: string): void {
    const { clock, events } = this.inputs;
    const { requests } = handle;
    if (handle.column !== null) this.columns.retire(handle.column);
    if (this.leaving) {
      events.onDied(handle.index, reason, null);
      return this.noteDrained(handle, requests);
    }
    if (handle.servedMs > STABLE_MS) this.deaths[handle.index] = 0;
    const deaths = this.deaths[handle.index]!++;
    const respawnMs = deaths === 0 ? 0 : Math.min(RESPAWN_FIRST_MS * 2 ** (deaths - 1), RESPAWN_MAX_MS);
    events.onDied(handle.index, reason, respawnMs);
    clock.after(respawnMs, () => this.spawn(handle));
  }

  private giveUp(handle: WorkerHandle, requests: number): void {
    const replaced = !this.leaving && this.inputs.whenWorkerHangs() === "stay";
    this.inputs.events.onHung(handle.index, requests, replaced);
    if (replaced) {
      this.stuck.push(requests);
      handle.restart("hung");
      return this.replace(handle, "hung");
    }
    this.columns.retire(handle.column!);
    this.cut.set(handle.index, requests);
    this.endWhenDrained();
  }

  private receive(handle: WorkerHandle, message: FromWorker): void {
    const { events } = this.inputs;
    switch (message.kind) {
      case "listening":
        return events.onListening(handle.index);
      case "notListening":
        return events.onNotListening(handle.index, message.reason);
      case "applied":
        return events.onApplied(this.appliedVersion());
      case "certificateApplied":
        return events.onCertificateApplied(handle.index);
      case "drained":
        return this.noteDrained(handle, message.cut);
      case "log":
        events.onLog(message.lines);
        return givePageBack(message.lines);
      case "failed":
        return events.onFailed(handle.index, message.reason);
      case "answer":
        this.questions.get(message.id)?.(message.answer);
        return;
    }
  }

  /** The oldest version that a living worker still serves. */
  appliedVersion(): number {
    const alive = this.handles.filter((handle) => handle.alive);
    return alive.length === 0 ? 0 : Math.min(...alive.map((handle) => handle.applied));
  }

  get servingCount(): number {
    return this.handles.filter((handle) => handle.serving).length;
  }

  broadcast(message: ToWorker): void {
    for (const handle of this.handles) handle.post(message);
  }

  /**
   * Asks every living worker; those that do not answer in time are left out. One question at a time: where there are
   * thousands of endpoints each takes a worker milliseconds, and the requests of clients come in between.
   */
  ask(question: Question): Promise<Answer[]> {
    const answers = this.asked.then(() => this.askAll(question));
    this.asked = answers.catch(() => {});
    return answers;
  }

  private async askAll(question: Question): Promise<Answer[]> {
    const asked = this.handles.filter((handle) => handle.started).map((handle) =>
      this.askOne(handle, question)
    );
    return (await Promise.all(asked)).filter((answer) => answer !== undefined) as Answer[];
  }

  private async askOne(handle: WorkerHandle, question: Question): Promise<Answer | undefined> {
    const id = this.nextQuestion++;
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    const cancel = this.inputs.clock.after(ANSWER_TIMEOUT_MS, () => resolve(undefined));
    this.questions.set(id, resolve);
    handle.post({ kind: "ask", id, question });
    const answer = await promise;
    cancel();
    this.questions.delete(id);
    return answer;
  }

  /** Lets every worker finish what it has; one that hangs is not waited for. @returns how many requests were cut */
  async drain(deadlineMs: number): Promise<number> {
    this.leaving = true;
    // One that comes back meanwhile finds its worker ended.
    const stuck = [...this.stuck];
    const finished = new Promise<void>((resolve) => this.onAllDrained = resolve);
    const cancel = this.inputs.clock.after(deadlineMs + CUTTING_MS_MAX, () => {
      for (const handle of this.handles) if (handle.alive) this.noteDrained(handle, handle.requests);
    });
    for (const handle of this.handles) {
      if (!handle.drain(deadlineMs)) this.noteDrained(handle, this.cut.get(handle.index) ?? 0);
    }
    await finished;
    cancel();
    return [...this.cut.values(), ...stuck].reduce((sum, cut) => sum + cut, 0);
  }

  private noteDrained(handle: WorkerHandle, cut: number): void {
    this.cut.set(handle.index, cut);
    this.endWhenDrained();
  }

  private endWhenDrained(): void {
    if (this.leaving && this.cut.size === this.handles.length) this.onAllDrained?.();
  }

  /** Ends all workers at once. */
  stop(): void {
    this.leaving = true;
    this.cancelTick?.();
    for (const handle of this.handles) handle.terminate();
  }
}
