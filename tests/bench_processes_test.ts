// Whatever the benchmark starts ends with it, also when it is interrupted in the middle of starting.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { isInstalled, Processes } from "../bench/processes.ts";

const options = { ignore: !isInstalled("taskset") };

Deno.test(
  "end() stops what was launched, breaks off what runs, and lets nothing new start",
  options,
  async () => {
    const processes = new Processes("0");
    const launched = processes.launch(["sleep", "100"], "0");
    const running = processes.run(["sleep", "100"]);
    await processes.end();
    assert(!launched.alive());
    assertEquals((await running).success, false);
    assertThrows(() => processes.launch(["sleep", "100"], "0"), DOMException, "aborted");
    await assertRejects(() => processes.run(["sleep", "100"]), DOMException, "aborted");
  },
);

Deno.test(
  "stopAll() leaves room for others: a scenario that broke is followed by the next",
  options,
  async () => {
    const processes = new Processes("0");
    const first = processes.launch(["sleep", "100"], "0");
    await processes.stopAll();
    assert(!first.alive());
    assertEquals(await processes.output(["echo", "on"]), "on\n");
    await processes.end();
  },
);
