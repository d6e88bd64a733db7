// The control plane of one process, joined: configuration, discovery, judgement, workers, admin server.
//
// `cli/run.ts` starts one, tells it to reload or to leave, and exits when it is gone. Everything that workers
// know goes through `publish`, in one order: rows, verdicts, then the snapshot that names them.

import { type AdminServer, startAdminServer } from "../admin/server.ts";
import type { ReloadInfo } from "../admin/view.ts";
import { Board, DEFAULT_CAPACITY, PodCell, withRoomForChange } from "../board/layout.ts";
import type { Loaded } from "../config/loading.ts";
import { workersOf } from "../config/derived.ts";
import { plural } from "../config/findings.ts";
import type { Config } from "../config/schema.ts";
import { HealthMonitor } from "../control/health_monitor.ts";
import { Supervisor, type SupervisorInputs } from "../control/supervisor.ts";
import { hasThreadRoom } from "../control/thread_room.ts";
import { adminView } from "./admin_view.ts";
import { type CertificateKeeper, keepCertificate } from "./certificate_keeper.ts";
import { LeftOut } from "./left_out.ts";
import { judgeInputs } from "./judge_inputs.ts";
import { type HeldPort, holdPort, orSayWhy } from "./port_probe.ts";
import { fileChanges, type PodFiles, readPodFiles } from "./pod_files.ts";
import type { PodInputs } from "./pod_inputs.ts";
import { Publisher } from "./publisher.ts";
import { Readiness, workerCounts } from "./readiness.ts";
import { UpstreamBook } from "./upstream_book.ts";
import { discoveryInputs } from "./discovery_inputs.ts";
import { workerEvents } from "./worker_events.ts";

export class Pod {
  readonly board: Board;
  readonly supervisor: Supervisor;
  readonly monitor: HealthMonitor;
  readonly upstreams: UpstreamBook;
  readonly readiness: Readiness;
  readonly publisher: Publisher;
  private readonly leftOut: LeftOut;
  readonly startedAt: number;
  /** Settles when only a new process can help, with the reason. */
  readonly failure: Promise<string>;
  readonly fail: (reason: string) => void;
  loaded: Loaded;
  lastReload: ReloadInfo | null = null;
  draining: { readonly since: number; readonly deadlineAt: number } | null = null;
  /** The listener's certificate; null without TLS. */
  certificate: CertificateKeeper | null = null;
  private files: PodFiles = { stickyKey: "", upstreamTls: new Map() };
  private port: HeldPort | null = null;
  private admin: AdminServer | null = null;
  /** Nothing is begun any more; what waits for files or addresses comes to nothing. */
  private stopped = false;

  constructor(readonly inputs: PodInputs) {
    const { loaded, clock, events } = inputs;
    this.loaded = loaded;
    this.startedAt = clock.date();
    const failure = Promise.withResolvers<string>();
    this.failure = failure.promise;
    this.fail = failure.resolve;
    const workers = workersOf(loaded.config, navigator.hardwareConcurrency);
    // A dying worker's column rests for a while before it is used again: each worker may need two.
    this.board = Board.create({ ...withRoomForChange(DEFAULT_CAPACITY), columnsMax: workers * 2 + 2 });
    this.readiness = new Readiness(() => clock.now());
    this.supervisor = new Supervisor({
      board: this.board,
      clock,
      workers,
      moduleUrl: inputs.workerModule,
      makeStart: () => this.workerStart(),
      events: workerEvents(this),
      whenWorkerHangs: () => this.config.whenWorkerHangs,
      hasThreadRoom,
      ...inputs.supervision,
    });
    this.monitor = new HealthMonitor(judgeInputs(this.board, clock, events));
    this.publisher = new Publisher(this.board, this.supervisor, this.monitor);
    this.leftOut = new LeftOut({
      publisher: this.publisher,
      clock,
      events,
      publish: () => this.publish(),
    });
    this.upstreams = new UpstreamBook({
      discoveryInputs: (name, config) => discoveryInputs(name, config, inputs),
      onChange: (name) => this.publishUpstream(name),
      onWaiting: (awaited) => events.add("discovery", "neutral", awaited.join("; ")),
      clock,
    });
  }

  get config(): Config {
    return this.loaded.config;
  }

  /** Where clients connect. */
  get address(): { readonly host: string; readonly port: number } {
    return { host: this.config.listen.host, port: this.port!.port };
  }

  get adminPort(): number {
    return this.admin!.port;
  }

  /**
   * Starts everything, unless it is stopped meanwhile.
   * @throws FilesRefusedError, CannotListenError and others, before any worker runs
   */
  async start(): Promise<void> {
    const { listen, admin } = this.config;
    this.files = await readPodFiles(this.loaded, this.inputs, { withListener: true });
    if (this.stopped) return;
    this.port = holdPort({ ...listen, owner: "traffic" });
    const redirectPort = listen.tls?.redirectPort;
    if (redirectPort !== undefined) holdPort({ host: listen.host, port: redirectPort, owner: "redirect" });
    this.admin = orSayWhy({ ...admin, owner: "admin" }, () =>
      startAdminServer({
        ...admin,
        view: adminView(this),
        onProblem: (problem) => this.inputs.events.add("start", "bad", problem),
      }));
    this.certificate = await keepCertificate(this);
    if (this.stopped) return;
    await this.upstreams.apply(this.config, this.files.upstreamTls);
    if (this.stopped) return;
    this.publish();
    this.supervisor.start();
  }

  private workerStart(): ReturnType<SupervisorInputs["makeStart"]> {
    const { clock, instance } = this.inputs;
    return {
      listen: { ...this.config.listen, port: this.port!.port },
      ...(this.certificate === null ? {} : { certificate: this.certificate.snapshot }),
      snapshot: this.publisher.snapshot!,
      instance,
      leaving: this.draining !== null,
      sent: { now: clock.now(), date: clock.date() },
    };
  }

  /** Everything, by the configuration in force: also while another one is being taken over. */
  private publish(): void {
    this.publisher.publish(this.config, this.upstreams.all(), this.files.stickyKey);
    this.leftOut.published();
  }

  private publishUpstream(name: string): void {
    const known = this.upstreams.known(name);
    if (known !== undefined && !this.publisher.publishUpstream(known)) this.publish();
  }

  /**
   * Takes over a configuration that has been validated, and every file that it names.
   * @returns what has changed in those files, in words
   * @throws FilesRefusedError, or when the board is full or the pod is stopped; then nothing has changed
   */
  async reload(loaded: Loaded): Promise<string[]> {
    const before = this.files;
    const { stickyKey, rereadTextFile: readTextFile } = this.inputs;
    const files = await readPodFiles(loaded, { stickyKey, readTextFile }, { withListener: false });
    this.refuseWhenStopped();
    try {
      await this.takeOver(loaded, files);
    } finally {
      await this.upstreams.stopReplaced();
    }
    await this.certificate?.look();
    return fileChanges(before, files);
  }

  private async takeOver(loaded: Loaded, files: PodFiles): Promise<void> {
    await this.upstreams.apply(loaded.config, files.upstreamTls);
    this.refuseWhenStopped();
    try {
      this.publisher.publish(loaded.config, this.upstreams.all(), files.stickyKey);
    } catch (error) {
      await this.upstreams.apply(this.config, this.files.upstreamTls);
      this.publish();
      throw error;
    }
    this.files = files;
    this.loaded = loaded;
    this.leftOut.published();
  }

  private refuseWhenStopped(): void {
    if (this.stopped) throw new Error("this process has stopped meanwhile");
  }

  /** A worker accepts connections: the port is its group's from now on. */
  releasePort(): void {
    this.port?.release();
  }

  /** What the probes say; also on the board, for the probe on the traffic port. */
  probes() {
    const applied = this.supervisor.appliedVersion() > 0;
    return this.readiness.state(workerCounts(this.supervisor.handles), applied, this.upstreams.awaits());
  }

  tellReady(): void {
    const cell = this.board.layout.podCell(PodCell.ready);
    Atomics.store(this.board.int32, cell, this.probes().ready ? 1 : 0);
  }

  /** Readiness fails and answers ask clients to leave, from now on; `drain()` is to follow after `delayMs`. */
  leave(delayMs: number): void {
    const { deadlineMs } = this.config.drain;
    const since = this.inputs.clock.date();
    this.draining = { since, deadlineAt: since + delayMs + deadlineMs };
    this.readiness.leave();
    this.tellReady();
    this.supervisor.broadcast({ kind: "leave" });
    const then = delayMs === 0 ? "finishing what is in flight" : `serving on for ${delayMs} ms`;
    this.inputs.events.add("drain", "neutral", `leaving: not ready any more, ${then}`);
  }

  /** Lets what is in flight finish and stops. @returns how many requests were cut */
  async drain(): Promise<number> {
    const { deadlineMs } = this.config.drain;
    const cut = await this.supervisor.drain(deadlineMs);
    const words = cut === 0
      ? "nothing was cut"
      : `${plural(cut, "request")} had to be cut, at the deadline of ${deadlineMs} ms or with their worker`;
    this.inputs.events.add("drain", cut === 0 ? "good" : "bad", `drained: ${words}`);
    await this.stop();
    return cut;
  }

  /** Settles when nothing is left but the watch of the certificate's files, which ends with the process. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.leftOut.stop();
    this.releasePort();
    this.supervisor.stop();
    await this.monitor.stop();
    await this.upstreams.stop();
    await this.admin?.close();
  }
}
