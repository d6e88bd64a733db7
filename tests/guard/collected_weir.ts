// One event loop of Weir in a process of its own, which collects garbage when it is told to: run by
// `collections_test.ts`. It obeys bytes on standard input, and answers each with a line.

import { startLoop } from "../support/loop.ts";
import type { ListenerName } from "../support/weir.ts";

if (import.meta.main) {
  const [listener, upstreams = ""] = Deno.args;
  const loop = await startLoop({
    listener: listener as ListenerName,
    upstreams,
    config: { accessLog: "off" },
  });
  console.log(`port ${new URL(loop.url).port}`);
  const { gc } = globalThis as unknown as { gc(): void };
  const command = new Uint8Array(1);
  while (await Deno.stdin.read(command) !== null) {
    // `q` collects in a quiet moment: kept connections would keep their objects. `g` collects as things are.
    if (String.fromCharCode(command[0]!) === "q") await loop[Symbol.asyncDispose]();
    gc();
    gc();
    console.log("collected");
  }
  Deno.exit();
}
