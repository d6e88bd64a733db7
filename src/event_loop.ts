// One event loop of the data plane: joins a listener, the proxy and the board, and obeys the control plane.
//
// `worker.ts` runs one in each Web Worker; a test may run one in its own thread. It serves its last snapshot
// whatever the control plane does, listens again when its accept loop ends, and leaves without cutting
// anything that may still finish.

import { trimBuffers } from "./http1/buffers.ts";
import { Board, ColumnCell } from "./board/layout.ts";
import { WorkerField } from "./board/fields.ts";
import { LinePages } from "./board/line_pages.ts";
import { OwnColumn, type OwnGauge } from "./board/own.ts";
import { loopClock } from "./loop_clock.ts";
import { LoopTurn } from "./loop_turn.ts";
import { BUFFER_BYTES } from "./proxy/access_log.ts";
import { explain } from "./proxy/explain.ts";
import { handle } from "./proxy/handler.ts";
import { Proxy } from "./proxy/proxy.ts";
import { redirectToTls } from "./proxy/redirect_to_tls.ts";
import { Turnstile } from "./proxy/turnstile.ts";
import { Listening, type ListeningInputs } from "./listener/listening.ts";
import { headRefusalOf } from "./listener/explain.ts";
import type { FromWorker, Question, ToWorker, WorkerStart } from "./messages.ts";
import { RollingMax } from "./rolling_max.ts";
import type { Tracer, TracerInputs } from "./tracing/tracer.ts";
import { runningWheel, type TimerWheel } from "./timer_wheel.ts";

/** How often the heartbeat on the board moves. */
const HEARTBEAT_MS = 250;
/** Stalls are told for this long; longer than the usual time between two scrapes. */
const STALLS_TOLD_MS = 60_000;
/** What is cut gets this long to end in good order, and to be logged. */
const CUT_MS = 500;
/** What was answered last gets this long to be written, where Deno tells nobody that it is. */
const WRITING_MS = 50;
/** Beats between two looks at memory: what it is, and what of it nobody needs any more. */
const HEAP_BEATS = 20;

export class EventLoop {
  private readonly proxy: Proxy;
  private readonly wheel: TimerWheel;
  private readonly loopTurn: LoopTurn;
  private readonly own: OwnColumn;
  private readonly serving: OwnGauge;
  /** Traffic, and the redirect to it. */
  private readonly ports: readonly [Listening, ...Listening[]];
  private readonly beat: ReturnType<typeof setInterval>;

  constructor(
    private readonly start: WorkerStart,
    private readonly post: (message: FromWorker) => void,
    /** From this thread's time to the pod's: threads start at different times. */
    podTimeOffsetMs: number,
    makeTracer: ((inputs: TracerInputs) => Tracer) | null = null,
  ) {
    this.own = new OwnColumn(Board.open(start.board), start.column);
    this.serving = this.own.gauge(ColumnCell.serving);
    // The board is written, and every deadline reckoned, in the pod's one time.
    this.wheel = runningWheel(loopClock(() => performance.now() + podTimeOffsetMs));
    this.loopTurn = new LoopTurn(this.wheel);
    const pages = new LinePages(BUFFER_BYTES);
    const time = { now: () => this.wheel.now, epoch: () => Date.now() };
    this.proxy = new Proxy({
      own: this.own,
      wheel: this.wheel,
      turnstile: new Turnstile(() => this.loopTurn.next(), this.wheel),
      ...time,
      tracer: makeTracer === null ? null : makeTracer(time),
      random: Math.random,
      makeId: idMaker(start.instance, start.column),
      instance: start.instance,
      scheme: start.listen.tls === undefined ? "http" : "https",
      tunnels: start.listen.listener === "wire",
      headRefusal: headRefusalOf(start.listen),
      readyPath: start.listen.readyPath ?? null,
      hstsMaxAgeS: start.listen.tls?.hstsMaxAgeS ?? 0,
      writeLog: (lines) => post({ kind: "log", lines: pages.lend(lines) }),
      onInternalError: (error) => post({ kind: "failed", reason: describeError(error) }),
    }, start.snapshot);
    this.proxy.draining = start.leaving;
    this.beat = this.startHeartbeat();
    post({ kind: "applied", version: start.snapshot.version });
    const redirect = this.redirectPort();
    this.ports = redirect === null ? [this.trafficPort()] : [this.trafficPort(), redirect];
    for (const port of this.ports) {
      this.proxy.pools.add(port);
      port.open();
    }
  }

  private startHeartbeat(): ReturnType<typeof setInterval> {
    const heartbeat = this.own.gauge(ColumnCell.heartbeat);
    // The first beat is due at once: from then on the supervisor listens.
    heartbeat.add(1);
    const stalls = new RollingMax(STALLS_TOLD_MS);
    let expected = performance.now() + HEARTBEAT_MS;
    let beats = 0;
    return setInterval(() => {
      heartbeat.add(1);
      this.proxy.ageBudgets();
      const now = performance.now();
      this.own.worker.set(WorkerField.loopDelayMaxMs, stalls.push(Math.max(0, now - expected), now));
      if (beats++ % HEAP_BEATS === 0) {
        trimBuffers();
        this.own.worker.set(WorkerField.heapBytes, Deno.memoryUsage().heapUsed);
      }
      expected = now + HEARTBEAT_MS;
    }, HEARTBEAT_MS);
  }

  private ofEveryPort(): Pick<ListeningInputs, "wheel" | "trusts" | "makeRoom"> {
    return {
      wheel: this.wheel,
      trusts: (address) => this.proxy.trusted.trusts(address),
      makeRoom: (since) => this.proxy.pools.makeRoom(since),
    };
  }

  private trafficPort(): Listening {
    const { listen, certificate } = this.start;
    const connections = this.own.gauge(ColumnCell.connections);
    return new Listening({
      config: listen,
      ...this.ofEveryPort(),
      handle: (exchange) => handle(exchange, this.proxy),
      countConnection: (change) => {
        connections.move(change);
        if (change > 0) this.own.worker.add(WorkerField.connections);
      },
      onListening: (host, port) => {
        this.serving.add(1 - this.serving.value);
        this.post({ kind: "listening", host, port });
      },
      onNotListening: (reason) => {
        this.serving.add(-this.serving.value);
        this.own.worker.add(WorkerField.relistens);
        this.post({ kind: "notListening", reason });
      },
      onCertificate: (fingerprint) => this.post({ kind: "certificateApplied", fingerprint }),
    }, certificate);
  }

  /** The plain port beside TLS, which only redirects; null without one. */
  private redirectPort(): Listening | null {
    const { listen } = this.start;
    if (listen.tls?.redirectPort === undefined) return null;
    const { redirectPort, redirectToPort } = listen.tls;
    const decide = redirectToTls(redirectToPort);
    /** Why it does not listen, as it was told last; "" while it listens. */
    let told = "";
    return new Listening({
      config: { ...listen, port: redirectPort },
      ...this.ofEveryPort(),
      handle: (exchange) => handle(exchange, this.proxy, decide),
      countConnection: () => {},
      onListening: () => told = "",
      onNotListening: (reason) => {
        if (reason === told) return;
        told = reason;
        this.post({ kind: "failed", reason: `does not listen on redirectPort ${redirectPort}: ${reason}` });
      },
      onCertificate: () => {},
    });
  }

  receive(message: Exclude<ToWorker, WorkerStart>): void {
    switch (message.kind) {
      case "snapshot":
        this.proxy.apply(message.snapshot);
        return this.post({ kind: "applied", version: message.snapshot.version });
      case "endpoints":
        this.proxy.changeEndpoints(message.change);
        return this.post({ kind: "applied", version: message.version });
      case "certificate":
        return this.ports[0].swap(message.certificate);
      case "leave":
        return void (this.proxy.draining = true);
      case "drain":
        return void this.drain(message.deadlineMs);
      case "ask":
        return this.answer(message.id, message.question);
    }
  }

  /** What goes wrong over an operator's question ends no worker, though all of them are asked: nobody is answered. */
  private answer(id: number, question: Question): void {
    try {
      this.post({ kind: "answer", id, answer: explain(question, this.proxy) });
    } catch (error) {
      this.post({ kind: "failed", reason: describeError(error) });
    }
  }

  /** Hands over the log lines that wait for their batch. */
  flushLog(): void {
    this.proxy.log.flush();
  }

  /** Lets everything finish that can; what is left at the deadline is cut and counted. */
  private async drain(deadlineMs: number): Promise<void> {
    this.proxy.draining = true;
    // Half of the time is for those who must be asked to leave, the rest for what they still do.
    await this.wheel.within(deadlineMs, this.leaveClients(deadlineMs / 2));
    const cut = this.proxy.admission.inFlight;
    this.proxy.cutting = true;
    for (const port of this.ports) port.abort();
    await this.wheel.within(CUT_MS, this.proxy.admission.empty());
    this.stop();
    this.post({ kind: "drained", cut });
  }

  /**
   * Closes WebSockets over a window, while others are still served, then waits for all requests, and for what is
   * still open.
   */
  private async leaveClients(windowMs: number): Promise<void> {
    const { openSockets } = this.proxy;
    openSockets.refusing = true;
    await this.wheel.within(windowMs, openSockets.closeAll(windowMs));
    await Promise.all(this.ports.map((port) => port.drain()));
    // A listener whose accept loop has ended has been forgotten, but not what is asked on its connections.
    await this.proxy.admission.empty();
    await this.wheel.pass(WRITING_MS);
  }

  /** Cuts what is left and lets go of everything. */
  private stop(): void {
    for (const port of this.ports) port.abort();
    this.proxy.retire();
    clearInterval(this.beat);
    this.serving.add(-this.serving.value);
    this.loopTurn.close();
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
