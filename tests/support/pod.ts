// A whole pod in the test's process: for stories in which a test reaches into the control plane, above all to
// give it workers that break on demand. Everything else is better told with `startWeir()`.

import { readTextFileBounded, rereadTextFile } from "../../src/config/file.ts";
import { loadConfig } from "../../src/config/load.ts";
import { systemClock } from "../../src/control/clock.ts";
import { EventBook } from "../../src/pod/event_book.ts";
import { Pod } from "../../src/pod/pod.ts";
import { until } from "./until.ts";

/** The cell of the pod that `breakable_worker.ts` looks at while it loops. */
const END_OF_LOOP = 15;

/** How a worker breaks. */
export type Fault = "throws" | "closes itself" | "loops until told";

export class RunningPod implements AsyncDisposable {
  readonly events: string[] = [];
  /** Lines of the access log. */
  readonly log: string[] = [];

  private constructor(readonly pod: Pod) {}

  /** A pod of breakable workers, given up after four and a half seconds without a heartbeat. */
  static async start(
    env: Readonly<Record<string, string>>,
    config: Readonly<Record<string, unknown>> = {},
  ): Promise<RunningPod> {
    const fixed = {
      HOST: "127.0.0.1",
      PORT: "0",
      ADMIN_HOST: "127.0.0.1",
      ADMIN_PORT: "0",
      ACCESS_LOG: "off",
      CONFIG: "weir.json",
    };
    const loaded = await loadConfig({
      args: [],
      env: { ...fixed, ...env },
      readTextFile: () => Promise.resolve(JSON.stringify(config)),
    });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.findings));
    const instance = `test-${crypto.randomUUID()}`;
    const events = new EventBook(Date.now, (line) => running.events.push(line));
    const running: RunningPod = new RunningPod(
      new Pod({
        loaded,
        clock: systemClock,
        events,
        readTextFile: readTextFileBounded,
        rereadTextFile,
        writeLog: (lines) => void running.log.push(...new TextDecoder().decode(lines).trimEnd().split("\n")),
        logLinesDropped: () => 0,
        instance,
        stickyKey: "",
        environment: {},
        workerModule: new URL("./breakable_worker.ts", import.meta.url),
        supervision: { tickMs: 150, missedTicksMax: 30 },
      }),
    );
    try {
      await running.pod.start();
      await running.allServe();
    } catch (error) {
      await running.pod.stop();
      throw error;
    }
    return running;
  }

  get url(): string {
    return `http://${this.pod.address.host}:${this.pod.address.port}`;
  }

  async allServe(): Promise<void> {
    const { supervisor } = this.pod;
    await until("every worker serves", () => supervisor.servingCount === supervisor.handles.length, 90_000);
  }

  /** Breaks the worker in this place; it does so when its event loop next turns. */
  break(index: number, fault: Fault): void {
    const channel = new BroadcastChannel(`weir-test-faults-${this.pod.inputs.instance}`);
    channel.postMessage({ index, fault });
    channel.close();
  }

  /** Ends the loop of a worker that loops until told. */
  endLoop(): void {
    const { int32, layout } = this.pod.board;
    Atomics.store(int32, layout.podCell(END_OF_LOOP), 1);
  }

  /** Times that the worker in this place was started again. */
  restarts(index: number): number {
    return this.pod.supervisor.handles[index]!.restarts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pod.stop();
  }
}
