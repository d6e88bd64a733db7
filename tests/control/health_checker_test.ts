import { assert, assertEquals } from "@std/assert";
import { healthSchema } from "../../src/config/schema.ts";
import { HealthChecker } from "../../src/control/health_checker.ts";
import type { Probe, ProbeOutcome } from "../../src/control/probe.ts";
import { settled } from "../support/settled.ts";
import { EPOCH, VirtualClock } from "../support/virtual_clock.ts";

const tls = { caCerts: [] };
const passes: ProbeOutcome = { passed: true, reason: "connected" };
const fails: ProbeOutcome = { passed: false, reason: "connection refused" };

function endpoint(id: string) {
  return { id, scheme: "http", host: id, port: 80, authority: id } as const;
}

/** A checker whose probes a test answers; `probed` has the time and the endpoint of each. */
class Scene {
  readonly clock = new VirtualClock();
  readonly probed: string[] = [];
  readonly said: string[] = [];
  /** How it was probed. */
  readonly kinds = new Set<string>();
  /** By endpoint; `hang` answers when it is told to give up, `slow` not before `release`. */
  readonly answers = new Map<string, ProbeOutcome | "hang" | "slow">();
  release = () => {};
  readonly checker: HealthChecker;

  constructor() {
    const probe: Probe = (target, settings, signal) => {
      this.kinds.add(`${settings.kind} ${settings.path}`);
      this.probed.push(`${this.clock.now()} ${target.host}`);
      const answer = this.answers.get(target.host) ?? passes;
      if (typeof answer !== "string") return Promise.resolve(answer);
      const gaveUp = { passed: false, reason: "gave up" };
      return new Promise((resolve) => {
        if (answer === "slow") this.release = () => resolve(gaveUp);
        else signal.addEventListener("abort", () => resolve(gaveUp));
      });
    };
    this.checker = new HealthChecker({
      clock: this.clock,
      probe,
      onStateChange: ({ endpoint, from, to, reason }) =>
        this.said.push(`${this.clock.now()} ${endpoint} ${from} -> ${to}: ${reason}`),
    });
  }

  apply(ids: string[], config: Record<string, unknown> = {}): void {
    this.checker.apply(healthSchema.parse({ jitterPercent: 0, ...config }), tls, ids.map(endpoint));
  }

  takeProbed(): string[] {
    return this.probed.splice(0);
  }
}

Deno.test("HealthChecker checks what joins at once, then once in an interval", async () => {
  const scene = new Scene();
  scene.apply(["a", "b"]);
  await scene.clock.advance(4_000);
  assertEquals(scene.probed, ["0 a", "0 b", "2000 a", "2000 b", "4000 a", "4000 b"]);
  assertEquals(scene.said, ["0 a unchecked -> healthy: connected", "0 b unchecked -> healthy: connected"]);
  await scene.checker.stop();
});

Deno.test("HealthChecker spreads the first checks of a large group", async () => {
  const scene = new Scene();
  scene.apply(Array.from({ length: 500 }, (_, i) => `e${i}`));
  await scene.clock.advance(310);
  const atOnce = new Map<string, number>();
  for (const probe of scene.probed) {
    const at = probe.split(" ")[0]!;
    atOnce.set(at, (atOnce.get(at) ?? 0) + 1);
  }
  assertEquals([scene.probed.length, Math.max(...atOnce.values())], [500, 16]);
  await scene.checker.stop();
});

Deno.test("HealthChecker looks more often while an endpoint is between states", async () => {
  const scene = new Scene();
  scene.apply(["a"]);
  await scene.clock.advance(1_999);
  scene.takeProbed();
  scene.answers.set("a", fails);
  await scene.clock.advance(3_001);
  assertEquals(scene.takeProbed(), ["2000 a", "2500 a", "3000 a", "5000 a"]);
  scene.answers.set("a", passes);
  await scene.clock.advance(2_500);
  assertEquals(scene.takeProbed(), ["7000 a", "7500 a"]);
  assertEquals(scene.said.slice(1), [
    "3000 a healthy -> unhealthy: connection refused",
    "7500 a unhealthy -> healthy: connected",
  ]);
  await scene.checker.stop();
});

Deno.test("HealthChecker judges by no check that Weir itself could not make, and shows it", async () => {
  const scene = new Scene();
  scene.apply(["a"]);
  scene.answers.set("a", fails);
  await scene.clock.advance(500);
  scene.answers.set("a", { passed: false, reason: "Too many open files", local: true });
  await scene.clock.advance(4_000);
  const check = scene.checker.check("a")!;
  assertEquals(check.last!.reason, "Too many open files");
  assertEquals([check.counts, scene.said], [{ passed: 0, failed: 2 }, []]);
  scene.answers.set("a", fails);
  await scene.clock.advance(2_000);
  assertEquals(scene.said.length, 1);
  await scene.checker.stop();
});

Deno.test("HealthChecker moves checks by the jitter, drawn for each", async () => {
  const scene = new Scene();
  scene.clock.draws.push(0, 0.999999, 0.5);
  scene.apply(["a"], { jitterPercent: 10 });
  await scene.clock.advance(6_100);
  assertEquals(scene.probed.map((probe) => Math.round(Number(probe.split(" ")[0]))), [
    0,
    1_800,
    4_000,
    6_000,
  ]);
  await scene.checker.stop();
});

Deno.test("HealthChecker fails a check that takes too long, and keeps to the interval", async () => {
  const scene = new Scene();
  scene.answers.set("a", "hang");
  scene.apply(["a"]);
  await scene.clock.advance(4_000);
  // Unchecked is between states: an interval of 500 ms, but the check itself takes 1000 ms.
  assertEquals(scene.probed, ["0 a", "1010 a", "2020 a"]);
  assertEquals(scene.said, ["3020 a unchecked -> unhealthy: no answer within 1000 ms"]);
  assertEquals(scene.checker.check("a")!.last, {
    passed: false,
    reason: "no answer within 1000 ms",
    at: EPOCH + 3_020,
    durationMs: 1_000,
  });
  await scene.checker.stop();
});

Deno.test("HealthChecker keeps the last result, and the reason of a state", async () => {
  const scene = new Scene();
  scene.apply(["a"], { intervalMs: 100, changingIntervalMs: 100 });
  await scene.clock.advance(99);
  scene.answers.set("a", { passed: false, reason: "status 503, expected 200-399" });
  await scene.clock.advance(301);
  scene.answers.set("a", passes);
  await scene.clock.advance(100);
  const check = scene.checker.check("a")!;
  assertEquals([check.last!.passed, check.reason], [true, "status 503, expected 200-399"]);
  await scene.checker.stop();
});

Deno.test("HealthChecker says why a state is what it is, which the last check need not have seen", async () => {
  const scene = new Scene();
  scene.apply(["a"]);
  const check = scene.checker.check("a")!;
  const told = () => [check.state.health, check.reason];
  assertEquals(told(), ["unchecked", "not checked yet"]);
  scene.answers.set("a", fails);
  await scene.clock.advance(0);
  assertEquals(told(), ["unchecked", "connection refused"]);
  scene.answers.set("a", passes);
  await scene.clock.advance(500);
  assertEquals(told(), ["healthy", "connected"]);
  scene.answers.set("a", fails);
  await scene.clock.advance(2_000);
  assertEquals([check.state.failures, ...told()], [1, "healthy", "connected"]);
  scene.apply(["a"], { kind: "off" });
  assertEquals([scene.said.length, ...told()], [1, "healthy", "checks are off"]);
  await scene.checker.stop();
});

Deno.test("HealthChecker.apply() keeps the state and the rhythm of those that stay", async () => {
  const scene = new Scene();
  scene.apply(["a"]);
  await scene.clock.advance(1_000);
  scene.takeProbed();
  scene.apply(["a", "b"]);
  assertEquals(scene.checker.check("a")!.state.health, "healthy");
  await scene.clock.advance(1_500);
  assertEquals(scene.probed, ["1000 b", "2000 a"]);
  await scene.checker.stop();
});

Deno.test("HealthChecker.apply() checks no longer who has left, and forgets what was known of it", async () => {
  const scene = new Scene();
  scene.apply(["a", "b"]);
  await scene.clock.advance(1_000);
  scene.takeProbed();
  scene.apply(["a"]);
  await scene.clock.advance(3_000);
  assertEquals([scene.takeProbed(), scene.checker.check("b")], [["2000 a", "4000 a"], undefined]);
  await scene.checker.stop();
});

Deno.test("HealthChecker.apply() tries new settings at once and keeps the state meanwhile", async () => {
  const scene = new Scene();
  scene.apply(["a"]);
  await scene.clock.advance(1_000);
  scene.takeProbed();
  scene.answers.set("a", fails);
  scene.apply(["a"], { path: "/healthz", fall: 1 });
  assertEquals(scene.checker.check("a")!.state.health, "healthy");
  await scene.clock.advance(0);
  assertEquals(scene.takeProbed(), ["1000 a"]);
  assertEquals(scene.said.slice(1), ["1000 a healthy -> unhealthy: connection refused"]);
  await scene.checker.stop();
});

Deno.test("HealthChecker.apply() forgets what a check found by settings that are no more", async () => {
  const scene = new Scene();
  scene.answers.set("a", "hang");
  scene.apply(["a"], { fall: 1 });
  await scene.clock.advance(500);
  scene.answers.set("a", passes);
  scene.apply(["a"], { fall: 1, path: "/healthz" });
  await scene.clock.advance(0);
  assertEquals(scene.said, ["500 a unchecked -> healthy: connected"]);
  assertEquals(scene.checker.check("a")!.last!.reason, "connected");
  await scene.checker.stop();
});

Deno.test("HealthChecker trusts everybody where checks are off", async () => {
  const scene = new Scene();
  scene.answers.set("a", fails);
  scene.apply(["a"], { fall: 1 });
  await scene.clock.advance(0);
  scene.apply(["a", "b"], { kind: "off" });
  await scene.clock.advance(10_000);
  assertEquals(scene.probed, ["0 a"]);
  assertEquals(scene.said.slice(1), ["0 a unhealthy -> healthy: checks are off"]);
  assertEquals(scene.checker.check("b")!.state.health, "healthy");
  const { last, counts } = scene.checker.check("a")!;
  assertEquals([last, counts], [null, { passed: 0, failed: 1 }], "the last check is forgotten, but counted");
  await scene.checker.stop();
});

Deno.test("HealthChecker.stop() gives up running checks, waits for them and plans nothing", async () => {
  const scene = new Scene();
  scene.answers.set("b", "hang");
  scene.apply(["a", "b"]);
  await settled();
  await scene.clock.advance(10);
  await scene.checker.stop();
  assertEquals(scene.clock.waiting, 0);
  assert(!scene.said.some((line) => line.includes(" b ")));
});

Deno.test("HealthChecker.stop() waits for the probes of endpoints that have left, too", async () => {
  const scene = new Scene();
  scene.answers.set("a", "slow");
  scene.apply(["a"]);
  await scene.clock.advance(10);
  scene.apply([]);
  let stopped = false;
  const stopping = scene.checker.stop().then(() => stopped = true);
  await settled();
  assertEquals([stopped, scene.checker.check("a")], [false, undefined]);
  scene.release();
  await stopping;
  assertEquals(scene.said, []);
});

Deno.test("HealthChecker.apply() checks an endpoint by what the newest snapshot says of it", async () => {
  const scene = new Scene();
  const apply = (host: string) =>
    scene.checker.apply(healthSchema.parse({ jitterPercent: 0 }), tls, [{ ...endpoint("a"), host }]);
  apply("old");
  await scene.clock.advance(1_000);
  apply("new");
  await scene.clock.advance(1_000);
  assertEquals(scene.probed, ["0 old", "2000 new"]);
  await scene.checker.stop();
});

for (
  const [config, kinds] of [
    [{}, ["tcp /"]],
    [{ path: "/healthz" }, ["http /healthz"]],
    [{ kind: "http" }, ["http /"]],
    [{ kind: "tcp" }, ["tcp /"]],
    [{ kind: "off" }, []],
  ] as const
) {
  Deno.test(`HealthChecker with ${JSON.stringify(config)} checks by ${kinds[0] ?? "nothing"}`, async () => {
    const scene = new Scene();
    scene.apply(["a"], config);
    await scene.clock.advance(10);
    assertEquals([...scene.kinds], [...kinds]);
    await scene.checker.stop();
  });
}
