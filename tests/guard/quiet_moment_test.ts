// Garbage that is collected in a quiet moment must not take the code of a request's path with it.

import { assertGreater, assertLess } from "@std/assert";
import { exchange, Origin } from "./exchange.ts";
import { SCENES } from "./counts.ts";

const PROGRAM = new URL("./quiet_weir.ts", import.meta.url).pathname;
const ROOT = new URL("../..", import.meta.url).pathname;
/** Enough for most of the path to be compiled; a connection is asked to leave after ten thousand. */
const CONNECTIONS = 3;
const EXCHANGES = 4_000;
const COMPILED_MIN = 60;
/** Deno's own, and what belongs to a connection's end. Without exemplars it is most of what was compiled. */
const LOST_MAX = 20;

for (const listener of ["serve", "wire"] as const) {
  Deno.test(`${listener} keeps its compiled code when garbage is collected in a quiet moment`, async () => {
    await using origin = new Origin(SCENES["GET 1 KB"].answer);
    const flags = "--v8-flags=--expose-gc,--trace-opt,--trace-deopt";
    const permissions = ["--no-prompt", "--allow-net=127.0.0.1"];
    await using weir = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--frozen", flags, ...permissions, PROGRAM, listener, origin.url],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const commands = weir.stdin.getWriter();
    const words = weir.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (word: RegExp) => {
      while (!word.test(text)) {
        const { value, done } = await words.read();
        if (done) throw new Error(`Weir ended, and said last: ${text.slice(-500)}`);
        text += value;
      }
      return word.exec(text)!;
    };
    const port = Number((await until(/port (\d+)/))[1]);
    const collected = until(/collected/);
    for (let i = 0; i < CONNECTIONS; i++) await exchange(port, SCENES["GET 1 KB"], EXCHANGES);
    await commands.write(new Uint8Array(1));
    await collected;
    await commands.close();
    await weir.status;
    await words.cancel();
    const count = (pattern: RegExp) => [...text.matchAll(pattern)].length;
    assertGreater(count(/completed compiling/g), COMPILED_MIN);
    assertLess(count(/embedded weak objects cleared/g), LOST_MAX);
  });
}
