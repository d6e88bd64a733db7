// One event loop of the data plane: joins a listener, the proxy and the board, and obeys the control plane.
//
// `worker.ts` runs one in each Web Worker; a test may run one in its own thread. It serves its last snapshot
// whatever the control plane does, listens again when its accept loop ends, and leaves without cutting
// anything that may still finish.

import { Board, ColumnCell } from "./board/layout.ts";
import { WorkerField } from "./board/fields.ts";
import { OwnColumn, type OwnGauge } from "./board/own.ts";
import { explain } from "./proxy/explain.ts";
import { handle } from "./proxy/handler.ts";
import { Proxy } from "./proxy/proxy.ts";
import { type Listener, type ListenOptions, openListener } from "./listener/listener.ts";
import type { CertificateSnapshot, FromWorker, ToWorker, WorkerStart } from "./messages.ts";
import { RollingMax } from "./rolling_max.ts";
import { runningWheel, Timer, type TimerWheel } from "./timer_wheel.ts";

/** How often the heartbeat on the board moves. */
const HEARTBEAT_MS = 250;
/** Stalls are told for this long; longer than the usual time between two scrapes. */
const STALLS_TOLD_MS = 60_000;
/** Beats between two looks at the heap. */
const HEAP_BEATS = 20;
const RELISTEN_FIRST_MS = 50;
const RELISTEN_MAX_MS = 2_000;
/** WebSockets under the old certificate are closed over this time; their clients come back under the new one. */
const SWAP_WINDOW_MS = 10_000;

export class EventLoop {
  private readonly proxy: Proxy;
  private readonly wheel: TimerWheel;
  private readonly own: OwnColumn;
  private readonly serving: OwnGauge;
  private listener: Listener | null = null;
  private certificate: CertificateSnapshot | undefined;
  private relistenMs = RELISTEN_FIRST_MS;
  private leaving = false;
  private readonly beat: ReturnType<typeof setInterval>;

  constructor(private readonly start: WorkerStart, private readonly post: (message: FromWorker) => void) {
    this.own = new OwnColumn(Board.open(start.board), start.column);
    this.serving = this.own.gauge(ColumnCell.serving);
    this.wheel = runningWheel();
    this.certificate = start.certificate;
    // Threads start at different times; the board is written in the pod's one time.
    const offset = performance.timeOrigin - start.timeOrigin;
    this.proxy = new Proxy({
      own: this.own,
      wheel: this.wheel,
      now: () => performance.now() + offset,
      epoch: () => Date.now(),
      random: Math.random,
      makeId: idMaker(start.instance, start.column),
      instance: start.instance,
      readyPath: start.listen.readyPath ?? null,
      writeLog: (lines) => post({ kind: "log", lines }),
      onInternalError: (error) => post({ kind: "failed", reason: describeError(error) }),
    }, start.snapshot);
    this.beat = this.startHeartbeat();
    post({ kind: "applied", version: start.snapshot.version });
    this.listen();
  }

  private startHeartbeat(): ReturnType<typeof setInterval> {
    const heartbeat = this.own.gauge(ColumnCell.heartbeat);
    const stalls = new RollingMax(STALLS_TOLD_MS);
    let expected = performance.now() + HEARTBEAT_MS;
    let beats = 0;
    return setInterval(() => {
      heartbeat.add(1);
      const now = performance.now();
      this.own.worker.set(WorkerField.loopDelayMaxMs, stalls.push(Math.max(0, now - expected), now));
      if (beats++ % HEAP_BEATS === 0) {
        this.own.worker.set(WorkerField.heapBytes, Deno.memoryUsage().heapUsed);
      }
      expected = now + HEARTBEAT_MS;
    }, HEARTBEAT_MS);
  }

  private options(): ListenOptions {
    return {
      config: this.start.listen,
      wheel: this.wheel,
      ...(this.certificate === undefined ? {} : { certificate: this.certificate }),
      handle: (exchange) => handle(exchange, this.proxy),
      onFailed: (reason) => this.onListenerFailed(reason),
    };
  }

  private listen(): void {
    if (this.leaving) return;
    try {
      this.listener = openListener(this.options());
    } catch (error) {
      return this.onListenerFailed(describeError(error));
    }
    this.relistenMs = RELISTEN_FIRST_MS;
    this.serving.add(1 - this.serving.value);
    this.post({ kind: "listening", host: this.listener.host, port: this.listener.port });
  }

  /** The accept loop ended by itself, or could not begin: connections that stand are served on. */
  private onListenerFailed(reason: string): void {
    if (this.leaving) return;
    this.serving.add(-this.serving.value);
    this.own.worker.add(WorkerField.relistens);
    this.post({ kind: "notListening", reason });
    this.wheel.arm(new Timer(() => this.listen()), this.relistenMs);
    this.relistenMs = Math.min(this.relistenMs * 2, RELISTEN_MAX_MS);
  }

  receive(message: Exclude<ToWorker, WorkerStart>): void {
    switch (message.kind) {
      case "snapshot":
        this.proxy.apply(message.snapshot);
        return this.post({ kind: "applied", version: message.snapshot.version });
      case "upstream":
        this.proxy.applyUpstream(message.upstream);
        return this.post({ kind: "applied", version: message.version });
      case "certificate":
        this.swapCertificate(message.certificate);
        return;
      case "leave":
        this.proxy.draining = true;
        return;
      case "drain":
        this.drain(message.deadlineMs);
        return;
      case "ask":
        return this.post({ kind: "answer", id: message.id, answer: explain(message.question, this.proxy) });
    }
  }

  /** New handshakes get the new certificate as soon as the new listener stands; the old one leaves quietly. */
  private async swapCertificate(certificate: CertificateSnapshot): Promise<void> {
    this.certificate = certificate;
    const before = this.listener;
    this.listen();
    if (this.listener === before) return;
    await this.proxy.openSockets.closeAll(SWAP_WINDOW_MS);
    before?.drain();
  }

  /** Lets everything finish that can; what is left at the deadline is cut and counted. */
  private async drain(deadlineMs: number): Promise<void> {
    this.leaving = true;
    this.proxy.draining = true;
    const late = Promise.withResolvers<void>();
    const timer = new Timer(late.resolve);
    this.wheel.arm(timer, deadlineMs);
    await Promise.race([this.leaveClients(deadlineMs / 2), late.promise]);
    this.wheel.remove(timer);
    const cut = this.proxy.admission.inFlight;
    this.stop();
    this.post({ kind: "drained", cut });
  }

  /** Closes WebSockets over a window, while others are still served, then waits for all requests. */
  private async leaveClients(windowMs: number): Promise<void> {
    const { openSockets } = this.proxy;
    openSockets.refusing = true;
    await openSockets.closeAll(windowMs);
    await this.listener?.drain();
  }

  /** Cuts what is left and lets go of everything. */
  stop(): void {
    this.leaving = true;
    this.listener?.abort();
    this.proxy.retire();
    clearInterval(this.beat);
    this.serving.add(-this.serving.value);
    this.wheel.stop();
  }
}

/** Ids that are unique in the pod: the instance, the column, chance for incarnations, and a counter. */
function idMaker(instance: string, column: number): () => string {
  const chance = crypto.getRandomValues(new Uint16Array(1))[0]!.toString(36);
  const prefix = `${instance}-${column.toString(36)}${chance}-`;
  let count = 0;
  return () => prefix + (count++).toString(36);
}

function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error);
}
