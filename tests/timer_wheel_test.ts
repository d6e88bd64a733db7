import { assertEquals, assertRejects } from "@std/assert";
import { sparing, Timer, TimerWheel } from "../src/timer_wheel.ts";

const TICK_MS = 10;
const SLOTS = 8;

/** A wheel of eight slots, in virtual time. */
class Stage {
  nowMs: number;
  readonly wheel: TimerWheel;
  /** What fired, and when. */
  readonly fired: [name: string, atMs: number][] = [];
  private tick: (() => void) | null = null;

  constructor(startMs = 1_000) {
    this.nowMs = startMs;
    this.wheel = new TimerWheel(
      {
        now: () => this.nowMs,
        every: (ms, callback) => {
          assertEquals([ms, this.tick], [TICK_MS, null]);
          this.tick = callback;
          return () => this.tick = null;
        },
      },
      TICK_MS,
      SLOTS,
    );
  }

  timer(name: string, then = () => {}): Timer {
    return new Timer(() => {
      this.fired.push([name, this.nowMs]);
      then();
    });
  }

  armed(name: string, ms: number): Timer {
    const timer = this.timer(name);
    this.wheel.arm(timer, ms);
    return timer;
  }

  get ticks(): boolean {
    return this.tick !== null;
  }

  /** Time passes, tick by tick. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= TICK_MS) this.stall(Math.min(left, TICK_MS));
  }

  /** Time passes, and the wheel hears of it once. */
  stall(ms: number): void {
    this.nowMs += ms;
    this.tick?.();
  }

  /** Whether the wheel ticks on once it has looked around: something is in it. */
  get populated(): boolean {
    this.stall(0);
    return this.ticks;
  }
}

for (
  const [startMs, ms, atMs] of [
    [1_000, 10, 1_010],
    [1_000, 15, 1_020],
    [1_000, 11, 1_020],
    [1_005, 10, 1_025],
    [1_005, 5, 1_015],
    [1_000, 0, 1_010],
    [1_000, 70, 1_070],
    // The furthest slot is seven ticks away.
    [1_000, 80, 1_080],
    [1_000, 90, 1_090],
    [1_000, 1_000, 2_000],
  ] as const
) {
  Deno.test(`TimerWheel armed at ${startMs} for ${ms} ms fires once, at the tick of ${atMs}`, () => {
    const stage = new Stage(startMs);
    stage.armed("a", ms);
    stage.pass(3_000);
    assertEquals(stage.fired, [["a", atMs]]);
  });
}

Deno.test("TimerWheel.arm() moves a timer to later where it stands, and to earlier", () => {
  const stage = new Stage();
  const [late, soon] = [stage.armed("late", 20), stage.armed("soon", 60)];
  stage.wheel.arm(late, 40);
  stage.wheel.arm(soon, 10);
  stage.pass(100);
  assertEquals(stage.fired, [["soon", 1_010], ["late", 1_040]]);
});

Deno.test("TimerWheel.arm() reckons from the time that its caller has asked for", () => {
  const stage = new Stage();
  const timer = stage.timer("a");
  stage.wheel.arm(timer, 50, stage.nowMs - 30);
  stage.pass(100);
  assertEquals(stage.fired, [["a", 1_020]]);
});

Deno.test("TimerWheel fires a timer once for each arming, and none that is disarmed or removed", () => {
  const stage = new Stage();
  const again = stage.armed("again", 10);
  const [disarmed, removed] = [stage.armed("disarmed", 10), stage.armed("removed", 10)];
  stage.wheel.disarm(disarmed);
  stage.wheel.remove(removed);
  stage.wheel.remove(removed);
  stage.pass(50);
  stage.wheel.arm(again, 10);
  stage.wheel.arm(removed, 20);
  stage.pass(50);
  assertEquals(stage.fired, [["again", 1_010], ["again", 1_060], ["removed", 1_070]]);
});

Deno.test("TimerWheel.remove() leaves the others of its slot", () => {
  const stage = new Stage();
  const [first] = ["first", "second", "third"].map((name) => stage.armed(name, 10));
  stage.wheel.remove(first!);
  stage.pass(10);
  assertEquals(stage.fired.map(([name]) => name).sort(), ["second", "third"]);
});

Deno.test("TimerWheel.remove() lets go of a timer wherever it was moved", () => {
  const stage = new Stage();
  const timer = stage.armed("a", 60);
  stage.wheel.arm(timer, 10);
  assertEquals(stage.populated, true);
  stage.wheel.remove(timer);
  assertEquals(stage.populated, false);
});

Deno.test("TimerWheel passes over nobody when another is armed before it hears of the time", () => {
  const stage = new Stage();
  stage.armed("a", 10);
  stage.nowMs += 30;
  stage.armed("b", 10);
  stage.pass(20);
  assertEquals(stage.fired, [["a", 1_040], ["b", 1_040]]);
});

Deno.test("TimerWheel fires everything once after a stall of more than a turn, and nothing early", () => {
  const stage = new Stage();
  for (const ms of [10, 30, 70, 75, 300]) stage.armed(`${ms}`, ms);
  stage.stall(205);
  assertEquals(stage.fired.map(([name]) => name).sort(), ["10", "30", "70", "75"]);
  stage.pass(200);
  assertEquals(stage.fired.at(-1), ["300", 1_305]);
  assertEquals(stage.fired.length, 5);
});

Deno.test("TimerWheel ticks while timers are in it, and fires on time after it stood still", () => {
  const stage = new Stage();
  assertEquals(stage.ticks, false);
  stage.wheel.disarm(stage.armed("disarmed", 30));
  stage.pass(20);
  assertEquals(stage.ticks, true);
  stage.pass(10);
  assertEquals(stage.ticks, false);
  stage.pass(475);
  stage.armed("a", 20);
  assertEquals(stage.ticks, true);
  stage.pass(25);
  assertEquals(stage.fired, [["a", 1_530]]);
  assertEquals(stage.ticks, false);
});

Deno.test("a callback of TimerWheel may remove what is due with it, and arm it anew", () => {
  const stage = new Stage();
  const [removed, rearmed] = [stage.timer("removed"), stage.timer("rearmed")];
  const first = stage.timer("first", () => {
    stage.wheel.remove(removed);
    stage.wheel.arm(rearmed, 0);
    stage.wheel.arm(first, 80);
  });
  for (const timer of [first, removed, rearmed]) stage.wheel.arm(timer, 10);
  stage.pass(85);
  assertEquals(stage.fired, [["first", 1_010], ["rearmed", 1_020]]);
  stage.wheel.remove(first);
  assertEquals(stage.populated, false);
});

Deno.test("TimerWheel.within() tells what settles in time, and leaves no timer behind", async () => {
  const stage = new Stage();
  const never = new Promise<void>(() => {});
  assertEquals(await stage.wheel.within(50, Promise.resolve("value")), true);
  await assertRejects(
    () => stage.wheel.within(50, Promise.reject(new Error("it failed"))),
    Error,
    "it failed",
  );
  assertEquals(stage.populated, false);
  const late = stage.wheel.within(50, never);
  stage.pass(50);
  assertEquals(await late, false);
  assertEquals(stage.populated, false);
});

Deno.test("TimerWheel.stop() lets nothing fire any more, nor what is armed later", () => {
  for (const armedBefore of [true, false]) {
    const stage = new Stage();
    if (armedBefore) stage.armed("a", 10);
    stage.wheel.stop();
    stage.armed("b", 10);
    stage.pass(100);
    assertEquals([stage.fired, stage.ticks], [[], false]);
  }
});

Deno.test("TimerWheel.now remembers what the clock said", () => {
  const stage = new Stage();
  stage.nowMs += 3;
  assertEquals([stage.wheel.recent, stage.wheel.now, stage.wheel.recent], [1_000, 1_003, 1_003]);
});

Deno.test("sparing() leaves out ticks that come after a stall, but no more than three in a row", () => {
  const table: [gaps: number[], ticked: boolean[]][] = [
    [[10, 200, 10], [true, true, true]],
    [[10, 201, 10], [true, false, true]],
    [[3_000, 10, 10, 3_000, 10], [false, true, true, false, true]],
    [[300, 300, 10], [false, false, true]],
    [[300, 300, 300, 300, 300], [false, false, false, true, false]],
  ];
  for (const [gaps, expected] of table) {
    let now = 5_000;
    let ticks = 0;
    const tick = sparing(() => ticks++, () => now);
    const ticked = gaps.map((gap) => {
      const before = ticks;
      now += gap;
      tick();
      return ticks > before;
    });
    assertEquals(ticked, expected, `${gaps}`);
  }
});
