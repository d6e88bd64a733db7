// Output that goes into a file on a full disk: `/dev/full` takes nothing.

import { assertEquals } from "@std/assert";
import { runWeir, startWeir } from "../support/weir.ts";

const UPSTREAMS = "http://127.0.0.1:3000";

Deno.test("a command whose answer nothing takes says so in one line and ends with 1", async () => {
  for (const command of ["help", "version", "check"]) {
    const { code, stderr } = await runWeir([command], { UPSTREAMS }, null, ">/dev/full");
    assertEquals([code, stderr], [1, "cannot print: No space left on device (os error 28)\n"], command);
  }
});

Deno.test("a command whose reader has left is silent", async () => {
  const { code, stderr } = await runWeir(["help"], {}, null, "| true");
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("a refusal that nothing takes is told by the exit code", async () => {
  for (const args of [["chek"], ["check", "--port", "x"], ["run"], ["explain"]]) {
    const { code, stdout } = await runWeir(args, {}, null, "2>/dev/full");
    assertEquals([code, stdout], [64, ""], args.join(" "));
  }
});

Deno.test("a pod serves even where nothing takes what it has to warn of", async () => {
  const warned = { TRUSTED_PROXIES: "0.0.0.0/0,::/0" };
  await using weir = await startWeir({ upstreams: UPSTREAMS, env: warned, redirection: "2>/dev/full" });
  await weir.stop();
  assertEquals((await weir.exit).code, 0);
});
