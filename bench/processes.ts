// Starts every program of the benchmark, and sees to it that none outlives it.
//
// Each program is started through `taskset`, on the cores that it is given, so that is the one program that
// Deno has to allow. `launch` is for servers, `output` for commands that end by themselves. `stopAll` stops what was
// launched: first SIGTERM, then SIGKILL. `end`, at the end and on Ctrl-C, also keeps anything new from starting.

/** Of the repository: where its tasks run. */
const ROOT = new URL("..", import.meta.url).pathname;
const STOP_GRACE_MS = 3000;
/** No turn is half as long. */
const RUN_WITHIN_MS = 150_000;
const ERROR_TAIL_CHARS = 2000;

export interface Launched {
  readonly pid: number;
  /** False once it has ended. */
  alive(): boolean;
  /** The end of what it wrote to standard error. */
  errorTail(): string;
  stop(): Promise<void>;
}

export interface CommandResult {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export class Processes {
  readonly #running = new Set<Launched>();
  readonly #ending = new AbortController();

  /** @param helperCores where commands run that are not given a core. */
  constructor(readonly helperCores: string) {}

  /** @throws after `end`. */
  launch(command: readonly string[], cores: string, env: Record<string, string> = {}): Launched {
    this.throwIfEnded();
    const child = new Deno.Command("taskset", {
      args: ["-c", cores, ...command],
      cwd: ROOT,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const launched = follow(child, () => this.#running.delete(launched));
    this.#running.add(launched);
    return launched;
  }

  /** A command that has not ended after RUN_WITHIN_MS is killed, and has failed. @throws after `end`. */
  async run(command: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
    this.throwIfEnded();
    const taskset = new Deno.Command("taskset", {
      args: ["-c", this.helperCores, ...command],
      env,
      stdin: "null",
      signal: AbortSignal.any([AbortSignal.timeout(RUN_WITHIN_MS), this.#ending.signal]),
    });
    const { success, stdout, stderr } = await taskset.output();
    const decoder = new TextDecoder();
    return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  async output(command: readonly string[]): Promise<string> {
    return (await this.run(command)).stdout;
  }

  throwIfEnded(): void {
    this.#ending.signal.throwIfAborted();
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.stopAll();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((launched) => launched.stop()));
  }
}

function follow(child: Deno.ChildProcess, onEnded: () => void): Launched {
  let ended = false;
  let tail = "";
  child.status.then(() => {
    ended = true;
    onEnded();
  });
  const drained = child.stderr.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write: (text) => {
        tail = (tail + text).slice(-ERROR_TAIL_CHARS);
      },
    }),
  ).catch(() => {});
  return {
    pid: child.pid,
    alive: () => !ended,
    errorTail: () => tail.trim(),
    stop: async () => {
      if (!ended) await end(child);
      await drained;
    },
  };
}

async function end(child: Deno.ChildProcess): Promise<void> {
  signal(child, "SIGTERM");
  const killer = setTimeout(() => signal(child, "SIGKILL"), STOP_GRACE_MS);
  await child.status;
  clearTimeout(killer);
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended by itself in between.
  }
}

/** Is there a program of this name in one of the directories of PATH? */
export function isInstalled(program: string): boolean {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if (Deno.statSync(`${directory}/${program}`).isFile) return true;
    } catch {
      // Not in this directory.
    }
  }
  return false;
}
