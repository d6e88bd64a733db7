import { assertEquals } from "@std/assert";
import { BodyPace } from "../../src/listener/body_pace.ts";

/** A clock that stands still until it is told the time. */
class Clock {
  clock = 0;

  after(ms: number): number {
    return this.clock + ms;
  }
}

function paced(bodyBytesPerSecondMin = 100) {
  const time = new Clock();
  return { time, pace: new BodyPace(time, { bodyBytesPerSecondMin, bodyGraceMs: 1_000 }) };
}

Deno.test("BodyPace counts the time in which a body is waited for, and no other", () => {
  const { time, pace } = paced();
  pace.begin(false);
  pace.wait();
  assertEquals(pace.deadline, 1_000);
  time.clock = 400;
  pace.came(50);
  assertEquals(pace.deadline, Infinity);
  time.clock = 10_000;
  pace.wait();
  // The grace and 500 ms for 50 bytes, less the 400 ms that it was waited for.
  assertEquals(pace.deadline, 11_100);
  time.clock = 10_500;
  pace.came(0);
  pace.wait();
  assertEquals(pace.deadline, 11_100);
});

Deno.test("BodyPace counts each body for itself", () => {
  const { time, pace } = paced();
  pace.begin(false);
  pace.wait();
  time.clock = 900;
  pace.came(50);
  pace.begin(false);
  pace.wait();
  assertEquals(pace.deadline, 1_900);
});

Deno.test("BodyPace without grace has no time for a first byte", () => {
  const time = new Clock();
  const pace = new BodyPace(time, { bodyBytesPerSecondMin: 100, bodyGraceMs: 0 });
  pace.begin(false);
  pace.wait();
  assertEquals(pace.deadline, 0);
  time.clock = 5;
  pace.came(0);
  pace.wait();
  assertEquals(pace.deadline, 5, "and none that is past");
});

Deno.test("BodyPace has no deadline while nobody waits, whatever the client is told", () => {
  const { time, pace } = paced();
  pace.begin(false);
  pace.wait();
  pace.came(10);
  pace.begin(true);
  time.clock = 60_000;
  pace.goOn();
  assertEquals(pace.deadline, Infinity);
  time.clock = 70_000;
  pace.wait();
  assertEquals(pace.deadline, 71_000);
});

Deno.test("BodyPace has a client's time begin when it is told 100", () => {
  const { time, pace } = paced();
  pace.begin(true);
  pace.wait();
  assertEquals([pace.withheld, pace.deadline], [true, Infinity]);
  time.clock = 60_000;
  pace.goOn();
  assertEquals([pace.withheld, pace.deadline], [false, 61_000]);
  time.clock = 60_300;
  pace.came(0);
  pace.wait();
  assertEquals(pace.deadline, 61_000);
});

Deno.test("BodyPace has a client's time begin when it does not wait for 100", () => {
  const { time, pace } = paced();
  pace.begin(true);
  pace.wait();
  time.clock = 60_000;
  pace.came(10);
  assertEquals(pace.withheld, false);
  pace.wait();
  assertEquals(pace.deadline, 61_100);
});

Deno.test("BodyPace without a minimum has no deadline", () => {
  const { pace } = paced(0);
  pace.begin(false);
  pace.wait();
  assertEquals(pace.deadline, Infinity);
});
