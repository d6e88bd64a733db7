// Runs Weir as its users do: a process of its own, with the permissions of the `weir` task in deno.json and
// an environment that holds nothing but what the test gives it. Ports are picked by the system.
//
// `startWeir()` is for a Weir that serves: `await using weir = await startWeir({ upstreams: origin.url })`.
// `runWeir()` is for one that is expected to end by itself: a check, a refusal.

import { RunningWeir } from "./running_weir.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

export { RunningWeir };

const ROOT = new URL("../../", import.meta.url);

/** What Deno itself needs to find its cache of packages; Weir reads none of it. */
const DENO_ENV = ["HOME", "DENO_DIR", "XDG_CACHE_HOME", "NPM_CONFIG_REGISTRY"];

const RUN_MS_MAX = 60_000;
const MAIN = "src/main.ts";

export type ListenerName = "serve" | "wire";

export interface WeirOptions {
  /** Default: `run`. */
  readonly command?: "run" | "start";
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
  const args = [options.command ?? "run", ...options.args ?? []];
  const { main = MAIN, filesMax, redirection = "" } = options;
  const limit = filesMax === undefined ? "" : `ulimit -n ${filesMax} && `;
  const shell = limit === "" && redirection === "" ? null : `${limit}exec "$@" ${redirection}`;
  const child = command(args, environment(options, configPath), configPath, main, shell).spawn();
  return new RunningWeir(child, configPath, folder);
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
