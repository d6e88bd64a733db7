import { assertEquals } from "@std/assert";
import { Readiness, workerCounts } from "../../src/pod/readiness.ts";

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

Deno.test("Readiness.state() is started once all serve by the configuration, and ready while one does until it leaves", () => {
  const readiness = new Readiness(() => 0);
  const state = (serving: number, applied: boolean) => {
    const { started, ready } = readiness.state({ serving, all: 2, reasons: [] }, applied, []);
    return [started, ready];
  };
  assertEquals(state(0, false), [false, false]);
  assertEquals(state(1, true), [false, false]);
  assertEquals(state(2, false), [false, false]);
  assertEquals(state(2, true), [true, true]);
  // Those that are replaced have applied nothing yet.
  assertEquals(state(1, false), [true, true]);
  assertEquals(state(0, false), [true, false]);
  assertEquals(state(1, true), [true, true]);
  readiness.leave();
  assertEquals(state(2, true), [true, false]);
  const { reasons } = readiness.state({ serving: 2, all: 2, reasons: [] }, true, []);
  assertEquals(reasons, ["draining: no new clients"]);
});

Deno.test("Readiness.state() says since when a pod is not live whose start nobody has asked about", () => {
  let now = 1_000;
  const readiness = new Readiness(() => now);
  now = 31_000;
  const { live, reasons } = readiness.state({ serving: 0, all: 1, reasons: [] }, true, []);
  assertEquals([live, reasons], [false, ["degraded: 0 of 1 workers serve", "no worker has served for 30 s"]]);
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

Deno.test("workerCounts() says of each worker that does not serve why, and how many hung threads there are", () => {
  const serving = { index: 0, serving: true, reason: null, hungThreads: 0 };
  assertEquals(workerCounts([serving]), { serving: 1, all: 1, reasons: [] });
  const out = { ...serving, serving: false };
  const hung = { ...out, index: 2, reason: "hangs", hungThreads: 2 };
  assertEquals(workerCounts([serving, { ...out, index: 1 }, hung, { ...serving, hungThreads: 1 }]), {
    serving: 2,
    all: 4,
    reasons: [
      "worker 1: starting",
      "worker 2: hangs",
      "hung threads that keep their share of new connections: 3",
    ],
  });
});
