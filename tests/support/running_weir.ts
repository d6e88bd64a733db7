// A Weir in a process of its own, from its start to its end: what it printed, what it answers operators, and how it
// is told to leave. `weir.ts` starts it.

import { parseMetrics, sumOf } from "./metrics.ts";
import { ask } from "./raw_client.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";
import { until } from "./until.ts";

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 15_000;

export class RunningWeir implements AsyncDisposable {
  /** Lines of stdout (start-up, access log) and of stderr, as far as they came. */
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  /** Where clients connect: `http://127.0.0.1:port`. */
  url = "";
  /** Where operators look. */
  adminUrl = "";
  readonly exit: Promise<{ readonly code: number; readonly signal: Deno.Signal | null }>;
  #ended = false;
  #held: Promise<void> = Promise.resolve();
  readonly #output: Promise<unknown>;

  constructor(
    private readonly child: Deno.ChildProcess,
    /** The configuration file, when there is one: rewrite it to reload. */
    readonly configPath: string | null,
    /** Its own, which Weir watches. */
    private readonly folder: TemporaryFolder | null,
  ) {
    this.#output = Promise.all([
      collect(child.stdout, this.stdout, () => this.#held),
      collect(child.stderr, this.stderr),
    ]);
    this.exit = child.status.then((status) => {
      this.#ended = true;
      return status;
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Waits for the two addresses in the start-up lines, then for /readyz. */
  async ready(): Promise<void> {
    await this.#until("the addresses it listens on", () => {
      const lines = [...this.stdout, ...this.stderr].join("\n");
      this.url = /\blistening on (http\S+)/.exec(lines)?.[1] ?? "";
      this.adminUrl = /\badmin on (http\S+)/.exec(lines)?.[1] ?? "";
      return this.url !== "" && this.adminUrl !== "";
    });
    await this.#until("readiness", async () => await this.status("/readyz") === 200);
  }

  /** Status of an admin path; 0 when nobody answers there. */
  async status(path: string): Promise<number> {
    return await ask(this.adminUrl, { target: path }).then(({ status }) => status, () => 0);
  }

  /** Body of an admin path. */
  async admin(path: string): Promise<string> {
    return new TextDecoder().decode((await ask(this.adminUrl, { target: path })).body);
  }

  /** Sum of a metric's series with these labels; 0 when there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return sumOf(parseMetrics(await this.admin("/metrics")), name, labels) ?? 0;
  }

  /** The first line of stdout or stderr that matches, once it is there. */
  async line(pattern: RegExp): Promise<string> {
    let found: string | undefined;
    await this.#until(`a line like ${pattern}`, () => {
      found = [...this.stdout, ...this.stderr].find((line) => pattern.test(line));
      return found !== undefined;
    });
    return found!;
  }

  /** Leaves its stdout unread from now on, until the returned function is called. */
  holdStdout(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }

  /** Resident memory in bytes. */
  async residentBytes(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  /** Resident memory that is this process's alone, in bytes: the mapped program is shared by all on the machine. */
  async ownBytes(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  /** File descriptors that it holds. */
  async openFiles(): Promise<number> {
    let count = 0;
    for await (const _ of Deno.readDir(`/proc/${this.pid}/fd`)) count++;
    return count;
  }

  signal(name: Deno.Signal): void {
    this.child.kill(name);
  }

  /** Ends it without the drain delay and waits. @throws when it does not end in time. */
  async stop(): Promise<void> {
    if (this.#ended) return await this.#cleanUp();
    this.signal("SIGINT");
    let overdue = false;
    const timer = setTimeout(() => {
      overdue = true;
      this.signal("SIGKILL");
    }, STOP_MS_MAX);
    await this.exit;
    clearTimeout(timer);
    await this.#cleanUp();
    if (overdue) throw new Error(`did not end within ${STOP_MS_MAX} ms of SIGINT:${this.#printed()}`);
  }

  async kill(): Promise<void> {
    if (!this.#ended) this.signal("SIGKILL");
    await this.exit;
    await this.#cleanUp();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #cleanUp(): Promise<void> {
    await this.#output;
    await this.folder?.[Symbol.asyncDispose]();
  }

  async #until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const holdsOrEnded = async () => {
      if (await holds()) return true;
      if (this.#ended) throw new Error(`ended before ${what}:${this.#printed()}`);
      return false;
    };
    await until(what, holdsOrEnded, START_MS_MAX);
  }

  /** The last lines of both outputs, and whether there will be more. */
  lastWords(): string {
    return `\n${this.#ended ? "ended" : "runs"}, and printed last:${this.#printed()}`;
  }

  #printed(): string {
    return ["", ...this.stdout.slice(-20), ...this.stderr.slice(-20)].join("\n");
  }
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  lines: string[],
  held: () => Promise<void> | undefined = () => undefined,
): Promise<void> {
  let partial = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const [first = "", ...rest] = text.split("\n");
    partial += first;
    for (const line of rest) {
      lines.push(partial);
      partial = line;
    }
    await held();
  }
  if (partial !== "") lines.push(partial);
}
