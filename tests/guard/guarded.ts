// Starts `guarded_weir.ts` in a process of its own, with or without a trace, and speaks with it.

import type { ListenerName } from "../support/weir.ts";
import { requireTool } from "../support/tools.ts";
import { type LoopCounts, MARK } from "./guarded_weir.ts";

const PROGRAM = new URL("./guarded_weir.ts", import.meta.url).pathname;
const ROOT = new URL("../..", import.meta.url).pathname;
const COMMANDS = { heap: "h", buffers: "b" } as const;

export class Guarded implements AsyncDisposable {
  readonly #commands: WritableStreamDefaultWriter<Uint8Array>;
  readonly #words: ReadableStreamDefaultReader<string>;
  #text = "";
  port = 0;

  private constructor(private readonly child: Deno.ChildProcess) {
    this.#commands = child.stdin.getWriter();
    this.#words = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** @param trace the file for its system calls; null for none. */
  static async start(listener: ListenerName, upstream: string, trace: string | null): Promise<Guarded> {
    const permissions = ["--no-prompt", "--allow-net=127.0.0.1", `--allow-read=${MARK}`];
    const run = ["run", "--quiet", "--frozen", ...permissions, PROGRAM, listener, upstream];
    const [program, args] = trace === null
      ? [Deno.execPath(), run]
      : [requireTool("strace"), ["-f", "-qq", "-o", trace, Deno.execPath(), ...run]];
    const child = new Deno.Command(program, { args, cwd: ROOT, stdin: "piped", stdout: "piped" }).spawn();
    const guarded = new Guarded(child);
    guarded.port = Number(new URL(await guarded.#line()).port);
    return guarded;
  }

  /** Begins to count. */
  async begin(what: keyof typeof COMMANDS): Promise<void> {
    await this.#say(COMMANDS[what]);
    await this.#line();
  }

  /** What it counted since it began. */
  async end(): Promise<LoopCounts> {
    await this.#say("e");
    return JSON.parse(await this.#line());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commands.close();
    await this.child.status;
    await this.#words.cancel();
  }

  async #say(command: string): Promise<void> {
    await this.#commands.write(new TextEncoder().encode(command));
  }

  async #line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#words.read();
      if (done) throw new Error(`Weir ended, and said last: ${this.#text}`);
      this.#text += value;
    }
    const [line = "", ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return line;
  }
}
