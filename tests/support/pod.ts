// A whole pod in the test's process: for stories in which a test reaches into the control plane, above all to
// give it workers that break on demand. Everything else is better told with `startWeir()`.

import { readTextFileBounded } from "../../src/config/file.ts";
import { loadConfig } from "../../src/config/load.ts";
import { systemClock } from "../../src/control/clock.ts";
import { EventBook } from "../../src/pod/event_book.ts";
import { Pod } from "../../src/pod/pod.ts";
import { until } from "./until.ts";

/** How a worker breaks. */
export type Fault = "throws" | "closes itself";

export class RunningPod implements AsyncDisposable {
  readonly events: string[] = [];

  private constructor(readonly pod: Pod, private readonly workerModule: URL) {}

  /** A pod of breakable workers, given up after four and a half seconds without a heartbeat. */
  static async start(env: Readonly<Record<string, string>>): Promise<RunningPod> {
    const fixed = {
      HOST: "127.0.0.1",
      PORT: "0",
      ADMIN_HOST: "127.0.0.1",
      ADMIN_PORT: "0",
      ACCESS_LOG: "off",
    };
    const loaded = await loadConfig({
      args: [],
      env: { ...fixed, ...env },
      readTextFile: readTextFileBounded,
    });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.findings));
    const events = new EventBook(Date.now, (line) => running.events.push(line));
    const workerModule = new URL(`./breakable_worker.ts?pod=${crypto.randomUUID()}`, import.meta.url);
    const running: RunningPod = new RunningPod(
      new Pod({
        loaded,
        clock: systemClock,
        events,
        readTextFile: readTextFileBounded,
        writeLog: () => {},
        logLinesDropped: () => 0,
        instance: "test",
        stickyKey: "",
        environment: {},
        workerModule,
        supervision: { tickMs: 150, missedTicksMax: 30 },
      }),
      workerModule,
    );
    await running.pod.start();
    await running.allServe();
    return running;
  }

  get url(): string {
    return `http://${this.pod.address.host}:${this.pod.address.port}`;
  }

  async allServe(): Promise<void> {
    const { supervisor } = this.pod;
    await until("every worker serves", () => supervisor.servingCount === supervisor.handles.length, 30_000);
  }

  /** Breaks the worker in this place; it does so when its event loop next turns. */
  break(index: number, fault: Fault): void {
    const channel = new BroadcastChannel(this.workerModule.href);
    channel.postMessage({ index, fault });
    channel.close();
  }

  /** Times that the worker in this place was started again. */
  restarts(index: number): number {
    return this.pod.supervisor.handles[index]!.restarts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pod.stop();
  }
}
