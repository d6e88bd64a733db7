// What the system has to give a program anew where Deno.serve listens: counted in a process of its own.

import { assertLess } from "@std/assert";

Deno.test("memory that was freed is used again: the system has not to give it anew", async () => {
  const main = new URL("../support/serve_memory_main.ts", import.meta.url).pathname;
  const args = ["run", "--allow-all", "--no-check", main];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  const [faults, pages] = new TextDecoder().decode(stdout).split(" ").map(Number);
  assertLess(faults!, pages! / 10);
});
