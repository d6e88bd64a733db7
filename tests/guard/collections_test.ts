// What garbage collection does to Weir: in a quiet moment it must not take the code of a request's path with it, and
// under load it must not leave requests behind that are over.

import { assertGreater, assertLess } from "@std/assert";
import { SCENES } from "./counts.ts";
import { exchange, Origin } from "./exchange.ts";

const PROGRAM = new URL("./collected_weir.ts", import.meta.url).pathname;
const ROOT = new URL("../..", import.meta.url).pathname;
const SCENE = SCENES["GET 1 KB"];
/** Enough for most of the path to be compiled; a connection is asked to leave after ten thousand. */
const CONNECTIONS = 3;
const EXCHANGES = 4_000;
const COMPILED_MIN = 60;
/** Deno's own, and what belongs to a connection's end. Without exemplars it is most of what was compiled. */
const LOST_MAX = 20;
const COLLECTIONS_MIN = 6;
/** Clients beside each other, each with so many connections of one exchange. */
const CLIENTS = 32;
const SHORT_ONES = 500;
/** Measured: half a megabyte. Requests that outlive their collection make it twenty. */
const GROWTH_MB_MAX = 5;

/** Weir, and all that it and V8 say: it is read all the time, or Weir would wait for room to say more. */
class Collected implements AsyncDisposable {
  text = "";
  private wake: () => void = () => {};
  private readonly reading: Promise<void>;
  private readonly commands: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(private readonly child: Deno.ChildProcess) {
    this.commands = child.stdin.getWriter();
    this.reading = this.read();
  }

  static start(listener: string, upstream: string, flags: string): Collected {
    const v8 = `--v8-flags=--expose-gc,${flags}`;
    const permissions = ["--no-prompt", "--allow-net=127.0.0.1"];
    const args = ["run", "--quiet", "--frozen", v8, ...permissions, PROGRAM, listener, upstream];
    const pipes = { stdin: "piped", stdout: "piped" } as const;
    return new Collected(new Deno.Command(Deno.execPath(), { args, cwd: ROOT, ...pipes }).spawn());
  }

  private async read(): Promise<void> {
    for await (const words of this.child.stdout.pipeThrough(new TextDecoderStream())) {
      this.text += words;
      this.wake();
    }
  }

  async until(word: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = word.exec(this.text);
      if (match !== null) return match;
      const more = new Promise<boolean>((resolve) => this.wake = () => resolve(true));
      if (!await Promise.race([more, this.reading.then(() => false)])) {
        throw new Error(`Weir ended, and said last: ${this.text.slice(-500)}`);
      }
    }
  }

  /** Collects. @returns what was said until then; the next begins after it */
  async collect(how: "q" | "g"): Promise<string> {
    await this.commands.write(new TextEncoder().encode(how));
    await this.until(/collected/);
    const said = this.text;
    this.text = "";
    return said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.commands.close();
    await this.child.status;
    await this.reading;
  }
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

/** Megabytes of the heap after each collection of the young one. */
function leftBehind(said: string): number[] {
  return [...said.matchAll(/Scavenge [\d.]+ \([\d.]+\) -> ([\d.]+) /g)].map(([, left]) => Number(left));
}

function assertNothingPilesUp(left: readonly number[]): void {
  assertGreater(left.length, COLLECTIONS_MIN);
  // By the second half all is compiled.
  const settled = left.slice(left.length / 2);
  assertLess(Math.max(...settled) - Math.min(...settled), GROWTH_MB_MAX);
}

for (const listener of ["serve", "wire"] as const) {
  Deno.test(`${listener} keeps its compiled code when garbage is collected in a quiet moment`, async () => {
    await using origin = new Origin(SCENE.answer);
    await using weir = Collected.start(listener, origin.url, "--trace-opt,--trace-deopt");
    const port = Number((await weir.until(/port (\d+)/))[1]);
    for (let i = 0; i < CONNECTIONS; i++) await exchange(port, SCENE, EXCHANGES);
    const said = await weir.collect("q");
    assertGreater(count(said, /completed compiling/g), COMPILED_MIN);
    assertLess(count(said, /embedded weak objects cleared/g), LOST_MAX);
  });

  Deno.test(`${listener} leaves no request behind that is over, after a collection under load`, async () => {
    await using origin = new Origin(SCENE.answer);
    await using weir = Collected.start(listener, origin.url, "--trace-gc");
    const port = Number((await weir.until(/port (\d+)/))[1]);
    await exchange(port, SCENE, EXCHANGES);
    const going = exchange(port, SCENE, EXCHANGES);
    await weir.collect("g");
    await going;
    for (let i = 0; i < CONNECTIONS; i++) await exchange(port, SCENE, EXCHANGES);
    assertNothingPilesUp(leftBehind(await weir.collect("g")));
  });

  Deno.test(`${listener} leaves no connection behind that is over`, async () => {
    await using origin = new Origin(SCENE.answer);
    await using weir = Collected.start(listener, origin.url, "--trace-gc");
    const port = Number((await weir.until(/port (\d+)/))[1]);
    const comeAndGo = async () => {
      for (let i = 0; i < SHORT_ONES; i++) await exchange(port, SCENE, 1);
    };
    await Promise.all(Array.from({ length: CLIENTS }, comeAndGo));
    assertNothingPilesUp(leftBehind(await weir.collect("g")));
  });
}
