// `weir help`: of all commands, and of one.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runWeir } from "../support/weir.ts";

const COMMANDS = ["start", "run", "check", "explain", "probe", "version"];

Deno.test("weir help names every command, and --help and no command at all say the same", async () => {
  const { code, stdout } = await runWeir(["help"]);
  assertEquals(code, 0);
  for (const command of COMMANDS) assertMatch(stdout, new RegExp(`^  ${command} `, "m"));
  assertStringIncludes(stdout, "--upstream ADDRESS");
  assertEquals(await runWeir(["--help"]), { code: 0, signal: null, stdout, stderr: "" });
  assertEquals(await runWeir([]), { code: 64, signal: null, stdout, stderr: "" });
});

Deno.test("weir help COMMAND and weir COMMAND --help tell of that command alone, with the flags that it takes", async () => {
  for (const command of COMMANDS) {
    const { code, stdout } = await runWeir(["help", command]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, `\n\nUsage: weir ${command}`);
    for (const other of COMMANDS) assert(other === command || !stdout.includes(`weir ${other}`), stdout);
    assertEquals(stdout.includes("--upstream ADDRESS"), ["start", "run", "check"].includes(command));
    assertEquals((await runWeir([command, "--help"])).stdout, stdout);
  }
});

Deno.test("help on a command that there is not is refused with the nearest one", async () => {
  for (const args of [["help", "chek"], ["chek", "--help"]]) {
    const { code, stdout, stderr } = await runWeir(args);
    assertEquals([code, stdout], [64, ""]);
    assertStringIncludes(stderr, "unknown command: chek, ");
    assertStringIncludes(stderr, "did you mean check?");
  }
});
