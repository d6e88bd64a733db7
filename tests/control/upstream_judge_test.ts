import { assert, assertEquals } from "@std/assert";
import { Board, EndpointCell, RETIRED_COLUMN } from "../../src/board/layout.ts";
import { EndpointField } from "../../src/board/fields.ts";
import { EndpointState, stateWords, Verdicts } from "../../src/board/verdicts.ts";
import { ejectionSchema, healthSchema, slowStartSchema } from "../../src/config/schema.ts";
import { boardInputs, HealthMonitor } from "../../src/control/health_monitor.ts";
import type { JudgedUpstream } from "../../src/control/judgement.ts";
import type { Probe } from "../../src/control/probe.ts";
import { weightPermille } from "../../src/control/slow_start.ts";
import { EPOCH, VirtualClock } from "../support/virtual_clock.ts";

const UPSTREAM_ROW = 1;
const capacity = { columnsMax: 3, upstreamsMax: 2, endpointsMax: 8, routesMax: 1, rateSlotsMax: 1 };

/** A monitor of one upstream over a real board; endpoints are named by letters, `a` has row 0. */
class Scene {
  readonly clock = new VirtualClock();
  readonly board = Board.create(capacity);
  readonly verdicts = new Verdicts(this.board);
  readonly down = new Set<string>();
  readonly said: string[] = [];
  readonly monitor: HealthMonitor;
  config: Record<"health" | "ejection" | "slowStart", Record<string, unknown>> = {
    health: {},
    ejection: {},
    slowStart: {},
  };

  constructor() {
    const probe: Probe = (target) =>
      Promise.resolve(
        this.down.has(target.host)
          ? { passed: false, reason: "connection refused" }
          : { passed: true, reason: "connected" },
      );
    this.monitor = new HealthMonitor({
      ...boardInputs(this.board),
      clock: this.clock,
      probe,
      weightPermille,
      events: {
        onHealthChange: ({ upstream, endpoint, to, reason }) =>
          this.said.push(`${upstream} ${endpoint} ${to}: ${reason}`),
        onEjected: ({ upstream, endpoint, reason }) =>
          this.said.push(`${upstream} ${endpoint} ejected: ${reason}`),
        onReturned: ({ upstream, endpoint, reason }) =>
          this.said.push(`${upstream} ${endpoint} returned: ${reason}`),
      },
    });
  }

  upstream(letters: string, drained = ""): JudgedUpstream {
    const { health, ejection, slowStart } = this.config;
    return {
      name: "api",
      row: UPSTREAM_ROW,
      health: healthSchema.parse({ jitterPercent: 0, ...health }),
      ejection: ejectionSchema.parse(ejection),
      slowStart: slowStartSchema.parse(slowStart),
      tls: { caCerts: [] },
      endpoints: [...letters].map((letter) => ({
        id: letter,
        row: letter.charCodeAt(0) - 97,
        scheme: "http",
        host: letter,
        port: 80,
        authority: letter,
        weight: 1,
        backup: false,
        drain: drained.includes(letter),
      })),
    };
  }

  apply(letters: string, drained = ""): void {
    this.monitor.apply([this.upstream(letters, drained)]);
  }

  /** What the board says of each, in words; the weight where it is not full. */
  words(letters: string): string {
    return [...letters].map((letter) => {
      const row = letter.charCodeAt(0) - 97;
      const weight = this.verdicts.weightPermille(row);
      const words = stateWords(this.verdicts.state(row)).join("+");
      return `${letter} ${words}${weight === 1_000 ? "" : ` ${weight}`}`;
    }).join(", ");
  }

  fail(letter: string, times: number): void {
    const row = letter.charCodeAt(0) - 97;
    const { int32, float64, layout } = this.board;
    Atomics.add(int32, layout.endpointCell(row, EndpointCell.consecutiveFailures), times);
    float64[layout.endpointTotal(RETIRED_COLUMN + 1, row, EndpointField.attempts)]! += times;
    float64[layout.endpointTotal(RETIRED_COLUMN + 1, row, EndpointField.gatewayFailures)]! += times;
  }
}

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

Deno.test("HealthMonitor.describe() says what Weir believes of an endpoint, since when, and why", async () => {
  const scene = new Scene();
  scene.apply("ab");
  await scene.clock.advance(1_999);
  scene.down.add("b");
  scene.fail("b", 6);
  await scene.clock.advance(1_001);
  const [status] = scene.monitor.describe();
  const b = status!.endpoints[1]!;
  assertEquals([status!.name, b.id, b.row, b.state], ["api", "b", 1, ["unhealthy", "ejected"]]);
  assertEquals({ ...b.health, checks: b.health.checks.length }, {
    state: "unhealthy",
    since: EPOCH + 3_000,
    reason: "connection refused",
    checks: 4,
    counts: { passed: 1, failed: 3 },
  });
  assertEquals(b.ejection, {
    until: EPOCH + 32_000,
    times: 1,
    reason: "6 gateway failures in a row",
    counts: { consecutive_failures: 1, failure_percent: 0 },
  });
  scene.apply("a");
  await scene.clock.advance(200);
  scene.apply("ab");
  const [, again] = scene.monitor.describe()[0]!.endpoints;
  assertEquals([again!.health.counts, again!.ejection.counts], [
    { passed: 0, failed: 0 },
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
  assertEquals([scene.monitor.describe(), scene.clock.waiting], [[], 1]);
  await scene.monitor.stop();
  assertEquals(scene.clock.waiting, 0);
});

Deno.test("stateWords() has a word for every state", () => {
  const every = Object.values(EndpointState).reduce((bits, bit) => bits | bit, 0);
  assertEquals(stateWords(every).sort(), Object.keys(EndpointState).sort());
  assertEquals(stateWords(0), ["serving"]);
});

Deno.test("HealthMonitor judges an endpoint whose check is over without looking at all the others", async () => {
  const looks = async (letters: string): Promise<number> => {
    const scene = new Scene();
    let looked = 0;
    const { clock } = scene;
    const now = clock.now;
    clock.now = () => {
      looked++;
      return now.call(clock);
    };
    scene.apply(letters);
    await clock.advance(50);
    await scene.monitor.stop();
    assertEquals(scene.said.length, letters.length);
    return looked;
  };
  const [few, some, many] = [await looks("ab"), await looks("abcd"), await looks("abcdefgh")];
  assertEquals(many - some, 2 * (some - few));
});
