// Runs Weir as its users do: a process of its own, with the permissions of the `weir` task in deno.json and
// an environment that holds nothing but what the test gives it. Ports are picked by the system.
//
// `startWeir()` is for a Weir that serves: `await using weir = await startWeir({ upstreams: origin.url })`.
// `runWeir()` is for one that is expected to end by itself: a check, a refusal.

import { parseMetrics, sumOf } from "./metrics.ts";
import { ask } from "./raw_client.ts";
import { TemporaryFolder } from "./temporary_folder.ts";
import { until } from "./until.ts";

const ROOT = new URL("../../", import.meta.url);

/** What Deno itself needs to find its cache of packages; Weir reads none of it. */
const DENO_ENV = ["HOME", "DENO_DIR", "XDG_CACHE_HOME", "NPM_CONFIG_REGISTRY"];

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 15_000;
const RUN_MS_MAX = 60_000;
const MAIN = "src/main.ts";

export type ListenerName = "serve" | "wire";

export interface WeirOptions {
  /** Value of UPSTREAMS; several are joined. */
  readonly upstreams?: string | readonly string[];
  /** Content of a configuration file: YAML text, or an object to write as JSON. */
  readonly config?: string | Record<string, unknown>;
  /** Further environment, and changes to what the kit sets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Default 1: a second event loop is for tests of what workers share. */
  readonly workers?: number;
  readonly listener?: ListenerName;
  /** What runs in place of `src/main.ts`; relative to the repository. */
  readonly main?: string;
  /** Most file descriptors that the process may have open. */
  readonly filesMax?: number;
  /** What a shell makes of its output: `2>/dev/full`. */
  readonly redirection?: string;
}

/** A process that ended. */
export interface WeirRun {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `weir ARGS` to its end with this environment and no other; it may read `configPath` too. */
export async function runWeir(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  configPath: string | null = null,
  /** What a shell makes of its output: `>/dev/full`. */
  redirection = "",
): Promise<WeirRun> {
  const shell = redirection === "" ? null : `exec "$@" ${redirection}`;
  const child = command(args, env, configPath, MAIN, shell).spawn();
  // One that serves where it should have ended is a failure, not a wait.
  const overdue = setTimeout(() => child.kill("SIGKILL"), RUN_MS_MAX);
  const { code, signal, stdout, stderr } = await child.output();
  clearTimeout(overdue);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, signal, stdout: text(stdout), stderr: text(stderr) };
}

/**
 * Starts Weir and waits until it is ready.
 * @throws with what it printed when it ends before that.
 */
export async function startWeir(options: WeirOptions = {}): Promise<RunningWeir> {
  const weir = await launchWeir(options);
  try {
    await weir.ready();
  } catch (error) {
    await weir.kill();
    throw error;
  }
  return weir;
}

/** Starts Weir and does not wait: for what happens before it is ready. */
export async function launchWeir(options: WeirOptions): Promise<RunningWeir> {
  const folder = options.config === undefined ? null : await TemporaryFolder.make();
  const configPath = folder && await folder.write("weir.yaml", textOf(options.config!));
  const args = ["run", ...options.args ?? []];
  const { main = MAIN, filesMax, redirection = "" } = options;
  const limit = filesMax === undefined ? "" : `ulimit -n ${filesMax} && `;
  const shell = limit === "" && redirection === "" ? null : `${limit}exec "$@" ${redirection}`;
  const child = command(args, environment(options, configPath), configPath, main, shell).spawn();
  return new RunningWeir(child, configPath, folder);
}

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

  #printed(): string {
    return ["", ...this.stdout.slice(-20), ...this.stderr.slice(-20)].join("\n");
  }
}

/**
 * The flags of `deno run` in the `weir` task: a test that needs more than users grant has found a bug. Only the
 * test's own configuration folder is added to what may be read.
 */
function runFlags(configPath: string | null): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
  const words: string[] = tasks.weir.command.split(/\s+/);
  const flags = words.slice(words.indexOf("run"), words.indexOf(MAIN));
  if (configPath === null) return flags;
  return flags.map((flag) => flag.startsWith("--allow-read=") ? `${flag},${folderOf(configPath)}` : flag);
}

function command(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  configPath: string | null,
  main: string,
  /** Shell text that starts it, with `"$@"` for its command; null where no shell is needed. */
  shell: string | null,
): Deno.Command {
  const denoEnv = DENO_ENV.map((name) => [name, Deno.env.get(name)]).filter(([, value]) =>
    value !== undefined
  );
  const deno = [Deno.execPath(), ...runFlags(configPath), main, ...args];
  const [program, ...words] = shell === null ? deno : ["sh", "-c", shell, "sh", ...deno];
  return new Deno.Command(program!, {
    args: words,
    cwd: ROOT,
    clearEnv: true,
    env: { ...Object.fromEntries(denoEnv), NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function environment(options: WeirOptions, configPath: string | null): Record<string, string> {
  const { upstreams, workers = 1, listener = "serve" } = options;
  return {
    HOST: "127.0.0.1",
    PORT: "0",
    ADMIN_HOST: "127.0.0.1",
    ADMIN_PORT: "0",
    WORKERS: String(workers),
    LISTENER: listener,
    ...(upstreams === undefined ? {} : { UPSTREAMS: [upstreams].flat().join(",") }),
    ...(configPath === null ? {} : { CONFIG: configPath }),
    ...options.env,
  };
}

function folderOf(path: string): string {
  return path.substring(0, path.lastIndexOf("/"));
}

/** JSON is YAML, too. */
function textOf(config: string | Record<string, unknown>): string {
  return typeof config === "string" ? config : JSON.stringify(config);
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
