import { assertEquals } from "@std/assert";
import { Readiness } from "../../src/pod/readiness.ts";

Deno.test("Readiness.state() is live until nobody has served for 30 s, however seldom it is asked", () => {
  let now = 0;
  const readiness = new Readiness(() => now);
  const table: [at: number, serving: number, live: boolean][] = [
    [0, 0, true],
    [29_999, 0, true],
    [30_000, 0, false],
    [40_000, 1, true],
    // Served all the time, and nobody asked.
    [100_000, 0, true],
    [129_999, 0, true],
    [130_000, 0, false],
  ];
  for (const [at, serving, live] of table) {
    now = at;
    assertEquals([at, readiness.state({ serving, all: 1, reasons: [] }, true, []).live], [at, live]);
  }
});

Deno.test("Readiness.state() names whose answers the start waits for, and no longer once the pod was ready", () => {
  const readiness = new Readiness(() => 0);
  const awaited = ["api: k8s://api:http: no answer yet from the Kubernetes API at https://10.0.0.1:443"];
  const { reasons } = readiness.state(
    { serving: 0, all: 1, reasons: ["worker 0: starting"] },
    false,
    awaited,
  );
  assertEquals(reasons, [
    ...awaited,
    "degraded: 0 of 1 workers serve",
    "worker 0: starting",
    "the configuration is not applied by every worker yet",
  ]);
  assertEquals(readiness.state({ serving: 1, all: 1, reasons: [] }, true, awaited).reasons, []);
});
