// Who gets its full share of traffic bit by bit, who at once, and in which steps.

import { assert, assertEquals } from "@std/assert";
import { Scene, UPSTREAM_ROW } from "./judge_scene.ts";

Deno.test("HealthMonitor keeps one that joins a running group out until its first pass, then ramps it up", async () => {
  const scene = new Scene();
  scene.apply("a");
  await scene.clock.advance(10_000);
  scene.apply("ab");
  assertEquals(scene.words("ab"), "a serving, b unchecked");
  await scene.clock.advance(0);
  assertEquals(scene.words("ab"), "a serving, b serving 100");
  await scene.clock.advance(5_000);
  assertEquals(scene.words("ab"), "a serving, b serving 550");
  await scene.clock.advance(5_200);
  assertEquals(scene.words("ab"), "a serving, b serving");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor ramps nobody up at a cold start, in whatever order they pass", async () => {
  const scene = new Scene();
  scene.down.add("b");
  scene.apply("ab");
  await scene.clock.advance(0);
  assertEquals(scene.words("ab"), "a serving, b unchecked");
  scene.down.delete("b");
  await scene.clock.advance(500);
  assertEquals(scene.words("ab"), "a serving, b serving");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor ramps up what recovers, but not the first of a group that was all down", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(1_999);
  for (const letter of "ab") scene.down.add(letter);
  await scene.clock.advance(1_001);
  assertEquals(scene.words("ab"), "a unhealthy, b unhealthy");
  scene.down.delete("a");
  await scene.clock.advance(2_500);
  assertEquals(scene.words("ab"), "a serving, b unhealthy");
  await scene.clock.advance(8_000);
  scene.down.delete("b");
  await scene.clock.advance(2_500);
  assertEquals(scene.words("ab"), "a serving, b serving 150");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor ramps nobody up who takes over from the last one that served", async () => {
  const scene = new Scene();
  scene.apply("ba", "b");
  await scene.clock.advance(20_000);
  assertEquals(scene.words("ba"), "b draining, a serving");
  scene.apply("ba", "a");
  assertEquals(scene.words("ba"), "b serving, a draining");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor ramps nobody up who joins as the last one that served leaves", async () => {
  const scene = new Scene();
  scene.apply("a");
  await scene.clock.advance(20_000);
  scene.apply("b");
  assertEquals(scene.words("ab"), "a leaving, b serving");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor gives the first of a group that was all down its full share, however far its ramp was", async () => {
  const scene = new Scene();
  scene.apply("a");
  await scene.clock.advance(10_000);
  scene.apply("ab");
  await scene.clock.advance(1_000);
  assertEquals(scene.words("ab"), "a serving, b serving 200");
  for (const letter of "ab") scene.down.add(letter);
  await scene.clock.advance(3_000);
  assertEquals(scene.words("a"), "a unhealthy");
  scene.down.delete("b");
  await scene.clock.advance(2_500);
  assertEquals(scene.words("ab"), "a unhealthy, b serving");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor begins a ramp with the share that is configured, be it less than a step", async () => {
  const scene = new Scene();
  scene.config.slowStart = { windowMs: 60_000, startPercent: 1 };
  scene.apply("a");
  await scene.clock.advance(60_000);
  scene.apply("ab");
  await scene.clock.advance(2_900);
  assertEquals(scene.words("b"), "b serving 10");
  await scene.clock.advance(300);
  assertEquals(scene.words("b"), "b serving 100");
  await scene.monitor.stop();
});

Deno.test("HealthMonitor makes at most twenty steps of a ramp", async () => {
  const scene = new Scene();
  scene.config.slowStart = { windowMs: 60_000, startPercent: 1 };
  scene.apply("a");
  await scene.clock.advance(60_000);
  const version = scene.verdicts.version(UPSTREAM_ROW);
  scene.apply("ab");
  await scene.clock.advance(70_000);
  assertEquals(scene.words("b"), "b serving");
  assert(scene.verdicts.version(UPSTREAM_ROW) - version <= 21);
  await scene.monitor.stop();
});
