// What checks and traffic together make of the endpoints of an upstream.

import { assertEquals } from "@std/assert";
import { EPOCH } from "../support/virtual_clock.ts";
import { Scene, UPSTREAM_ROW } from "./judge_scene.ts";

Deno.test("HealthMonitor.apply() lets a cold group serve before any check is over", async () => {
  const scene = new Scene();
  scene.apply("ab");
  assertEquals(scene.words("ab"), "a serving, b serving");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor uses at a cold start what has not failed, then what has passed", async () => {
  const scene = new Scene();
  for (const letter of "abc") scene.down.add(letter);
  scene.apply("abc");
  await scene.clock.advance(999);
  assertEquals(scene.words("abc"), "a serving, b serving, c serving");
  scene.down.delete("c");
  await scene.clock.advance(1);
  assertEquals(scene.words("abc"), "a unhealthy, b unhealthy, c serving");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor ejects within a tick what fails traffic, and ramps it up when it returns", async () => {
  const scene = new Scene();
  scene.config.ejection = { baseMs: 1_000 };
  scene.apply("ab");
  await scene.clock.advance(10_000);
  scene.fail("b", 5);
  await scene.clock.advance(200);
  assertEquals(scene.words("ab"), "a serving, b ejected");
  await scene.clock.advance(1_000);
  assertEquals(scene.words("ab"), "a serving, b serving 100");
  assertEquals(scene.said.slice(2), [
    "api b ejected: 5 gateway failures in a row",
    "api b returned: its time is over",
  ]);
  await scene.monitor.stop();
});

Deno.test("HealthMonitor returns what is ejected when nobody else serves, one that drains included", async () => {
  const scene = new Scene();
  scene.config.slowStart = { windowMs: 0 };
  scene.apply("ab");
  await scene.clock.advance(1_999);
  scene.fail("b", 5);
  await scene.clock.advance(201);
  scene.apply("ab", "a");
  await scene.clock.advance(200);
  assertEquals(scene.words("ab"), "a draining, b ejected");
  scene.down.add("a");
  await scene.clock.advance(4_000);
  assertEquals(scene.words("ab"), "a unhealthy+draining, b serving");
  assertEquals(scene.said.at(-1), "api b returned: nobody else serves");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor shows all that keeps an endpoint from serving", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(1_999);
  scene.fail("b", 5);
  scene.down.add("b");
  await scene.clock.advance(1_001);
  scene.apply("ab", "b");
  assertEquals(scene.words("ab"), "a serving, b unhealthy+ejected+draining");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor.apply() tells workers at once that an endpoint leaves", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(1_000);
  scene.apply("a");
  assertEquals(scene.words("ab"), "a serving, b leaving");
  scene.apply("ab");
  assertEquals(scene.words("ab"), "a serving, b unchecked");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor.apply() keeps health, ejection and reasons over a reload", async () => {
  const scene = new Scene();
  scene.apply("abc");
  await scene.clock.advance(1_999);
  scene.down.add("c");
  scene.fail("b", 5);
  await scene.clock.advance(1_001);
  scene.config.ejection = { baseMs: 10_000 };
  scene.apply("cbad");
  assertEquals(scene.words("abcd"), "a serving, b ejected, c unhealthy, d unchecked");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor.apply() judges by another configuration from then on", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(10_000);
  scene.config.ejection = { consecutiveFailures: 2, baseMs: 1_000 };
  scene.config.slowStart = { windowMs: 10_000, startPercent: 30 };
  scene.apply("ab");
  scene.fail("b", 2);
  await scene.clock.advance(200);
  assertEquals(scene.words("ab"), "a serving, b ejected");
  await scene.clock.advance(1_000);
  assertEquals(scene.words("ab"), "a serving, b serving 300");
  // A ramp that is over does not begin again.
  for (const windowMs of [0, 60_000]) {
    scene.config.slowStart = { windowMs };
    scene.apply("ab");
    assertEquals(scene.words("ab"), "a serving, b serving");
  }
  await scene.monitor.stop();
});

Deno.test("HealthMonitor.apply() says on an endpoint's row what is known of it, be it another row", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(1_000);
  const upstream = scene.upstream("ab");
  const endpoints = upstream.endpoints.map((endpoint) => ({ ...endpoint, row: endpoint.row + 4 }));
  scene.monitor.apply([{ ...upstream, endpoints }]);
  assertEquals(scene.words("ef"), "e serving, f serving");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor.apply() starts anew with an endpoint that left and comes back", async () => {
  const scene = new Scene();
  scene.config.health = { kind: "off" };
  scene.config.slowStart = { windowMs: 0 };
  scene.apply("ab");
  scene.fail("b", 5);
  await scene.clock.advance(200);
  assertEquals(scene.words("ab"), "a serving, b ejected");
  scene.apply("a");
  await scene.clock.advance(1_000);
  scene.apply("ab");
  await scene.clock.advance(1_000);
  assertEquals(scene.words("ab"), "a serving, b serving");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor writes a verdict only when it changed", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(0);
  const version = scene.verdicts.version(UPSTREAM_ROW);
  await scene.clock.advance(20_000);
  scene.apply("ab");
  assertEquals(scene.verdicts.version(UPSTREAM_ROW), version);
  scene.fail("b", 5);
  await scene.clock.advance(200);
  assertEquals(scene.verdicts.version(UPSTREAM_ROW), version + 1);
  await scene.monitor.stop();
});

Deno.test("HealthMonitor.describe() says what checks and traffic made of an endpoint, and why", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(1_999);
  scene.down.add("b");
  scene.fail("b", 6);
  await scene.clock.advance(1_001);
  assertEquals(scene.monitor.describe("api", "b"), {
    healthReason: "connection refused",
    lastCheck: { at: EPOCH + 3_000, passed: false, durationMs: 0, reason: "connection refused" },
    checksPassed: 1,
    checksFailed: 3,
    ejection: { until: EPOCH + 32_000, why: "6 gateway failures in a row" },
    ejections: { consecutive_failures: 1, failure_percent: 0 },
  });
  scene.apply("a");
  await scene.clock.advance(200);
  scene.apply("ab");
  const again = scene.monitor.describe("api", "b")!;
  assertEquals([again.checksPassed, again.checksFailed, again.ejections], [
    0,
    0,
    { consecutive_failures: 0, failure_percent: 0 },
  ]);
  await scene.monitor.stop();
});

Deno.test("HealthMonitor.apply() lets go of an upstream that is gone, and stop() of all", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(0);
  scene.monitor.apply([]);
  await scene.clock.advance(0);
  assertEquals([scene.monitor.describe("api", "a"), scene.clock.waiting], [undefined, 1]);
  await scene.monitor.stop();
  assertEquals(scene.clock.waiting, 0);
});

Deno.test("HealthMonitor judges an endpoint whose check is over without looking at all the others", async () => {
  const looks = async (letters: string): Promise<number> => {
    const scene = new Scene();
    let looked = 0;
    const { endpoints, ...upstream } = scene.upstream(letters);
    const watched = endpoints.map((endpoint) => ({
      ...endpoint,
      get drain() {
        looked++;
        return false;
      },
    }));
    scene.monitor.apply([{ ...upstream, endpoints: watched }]);
    await scene.clock.advance(50);
    await scene.monitor.stop();
    assertEquals(scene.said.length, letters.length);
    return looked;
  };
  const [few, some, many] = [await looks("ab"), await looks("abcd"), await looks("abcdefgh")];
  assertEquals(many - some, 2 * (some - few));
});

Deno.test("HealthMonitor judges an upstream no more that has left, and leaves nothing planned when it stops", async () => {
  const scene = new Scene();
  scene.apply("abc");
  await scene.clock.advance(1_000);
  assertEquals(scene.monitor.describe("api", "a")?.checksPassed, 1);
  scene.monitor.apply([]);
  scene.said.length = 0;
  scene.fail("a", 5);
  await scene.clock.advance(60_000);
  assertEquals([scene.said, scene.monitor.describe("api", "a")], [[], undefined]);
  await scene.monitor.stop();
  assertEquals(scene.clock.waiting, 0);
});

Deno.test("HealthMonitor.stop() waits for what open checks close, those of upstreams that left before, too", async () => {
  for (const order of ["ab", "ba"]) {
    const open = new Map<string, () => void>();
    const scene = new Scene((host) => new Promise((resolve) => open.set(host, resolve)));
    scene.monitor.apply([{ ...scene.upstream("a"), name: "gone" }, scene.upstream("b")]);
    await scene.clock.advance(0);
    scene.apply("b");
    let stopped = false;
    const stopping = scene.monitor.stop().then(() => stopped = true);
    for (const host of order) {
      await scene.clock.advance(0);
      assertEquals(stopped, false, `the check of ${host} is open`);
      open.get(host)!();
    }
    await stopping;
  }
});
