// What has an endpoint ejected, for how long, and what is forgotten when it comes back.

import { assertEquals } from "@std/assert";
import { ejectionSchema } from "../../src/config/schema.ts";
import { Scene } from "./ejection_scene.ts";

Deno.test("OutlierDetector.tick() does not eject one that comes back into service for what it failed before", () => {
  const scene = new Scene(["a", "b"]);
  // Its checks took it out before the tick that would have ejected it.
  scene.fail("a", 168);
  scene.outOfService.add("a");
  scene.tick(200);
  scene.outOfService.delete("a");
  scene.tick(200);
  scene.tick(1_000);
  assertEquals(scene.said, []);
  scene.fail("a", 5);
  scene.tick(200);
  assertEquals(scene.ejected, ["a"]);
});

Deno.test("OutlierDetector.tick() ejects after five gateway failures in a row", () => {
  const scene = new Scene(["a", "b"]);
  scene.fail("a", 4);
  scene.tick(200);
  assertEquals(scene.said, []);
  scene.fail("a", 1);
  scene.tick(200);
  assertEquals(scene.said, ["a out 30000: 5 gateway failures in a row"]);
  assertEquals(scene.detector.status("a"), {
    ...scene.detector.status("a"),
    until: 30_400,
    times: 1,
    reason: "5 gateway failures in a row",
  });
});

Deno.test("OutlierDetector.tick() starts the count of failures again after a success", () => {
  const scene = new Scene(["a", "b"]);
  scene.fail("a", 4);
  scene.succeed("a", 1);
  scene.fail("a", 4);
  scene.tick(200);
  assertEquals(scene.said, []);
});

Deno.test("OutlierDetector.tick() returns an endpoint after its time, with a clean slate", () => {
  const scene = new Scene(["a", "b"]);
  scene.fail("a", 5);
  scene.tick(200);
  scene.fail("a", 50); // Answers that were still on their way.
  scene.tick(29_900);
  assertEquals(scene.ejected, ["a"]);
  scene.tick(100);
  scene.tick(1_000);
  assertEquals(scene.said.slice(1), ["a back: its time is over"]);
});

Deno.test("OutlierDetector.tick() ejects for longer each time in a row, up to the cap", () => {
  const scene = new Scene(["a", "b"], { baseMs: 1_000, capMs: 2_500 });
  for (let round = 0; round < 4; round++) {
    scene.fail("a", 5);
    scene.tick(100);
    scene.tick(2_500);
  }
  const times = scene.said.filter((line) => line.includes("out")).map((line) => line.split(" ")[2]);
  assertEquals(times, ["1000:", "2000:", "2500:", "2500:"]);
});

Deno.test("OutlierDetector.tick() takes one off the row of ejections for each base time of good service", () => {
  const scene = new Scene(["a", "b"], { baseMs: 1_000 });
  for (const pause of [1_000, 2_000]) {
    scene.fail("a", 5);
    scene.tick(0);
    scene.tick(pause);
  }
  assertEquals(scene.detector.status("a").times, 2);
  const after = [999, 1, 999, 1, 5_000].map((ms) => {
    scene.tick(ms);
    return scene.detector.status("a").times;
  });
  assertEquals(after, [2, 1, 1, 0, 0]);
});

Deno.test("OutlierDetector.tick() forgives an endpoint that failed all day as soon as one that reached the cap", () => {
  const scene = new Scene(["a", "b"], { baseMs: 1_000, capMs: 2_500 });
  for (let round = 0; round < 100; round++) {
    scene.fail("a", 5);
    scene.tick(0);
    scene.tick(2_500);
  }
  assertEquals(scene.detector.status("a").times, 100);
  const after = [1_000, 1_000, 1_000].map((ms) => {
    scene.tick(ms);
    return scene.detector.status("a").times;
  });
  assertEquals(after, [2, 1, 0]);
});

Deno.test("OutlierDetector.tick() takes each one's time of good service by itself", () => {
  const scene = new Scene(["a", "b", "c"], { baseMs: 1_000, ejectedPercentMax: 70 });
  const times = () => scene.ids.map((id) => scene.detector.status(id).times);
  scene.fail("c", 5);
  scene.tick(0);
  scene.tick(500);
  scene.fail("b", 5);
  scene.tick(0);
  scene.tick(500);
  assertEquals([times(), scene.ejected], [[0, 1, 1], ["b"]]);
  scene.tick(500);
  scene.tick(500);
  assertEquals(times(), [0, 1, 0]);
  scene.tick(500);
  assertEquals(times(), [0, 0, 0]);
});

Deno.test("OutlierDetector.tick() ejects for a share of failures that the others do not have", () => {
  type Traffic = [id: string, failures: number, successes: number];
  const table: [string, Traffic[], string[]][] = [
    ["it fails most, they fail nothing", [["a", 18, 2], ["b", 0, 20], ["c", 0, 0]], ["a"]],
    ["just at the limit", [["a", 17, 3], ["b", 0, 20], ["c", 0, 20]], ["a"]],
    ["just below the limit", [["a", 84, 16], ["b", 0, 100], ["c", 0, 100]], []],
    ["too few requests to tell", [["a", 19, 0], ["b", 0, 20], ["c", 0, 20]], []],
    ["all fail: the cause is elsewhere", [["a", 18, 2], ["b", 18, 2], ["c", 18, 2]], []],
    ["the others fail half as often as the limit", [["a", 18, 2], ["b", 17, 23], ["c", 0, 0]], []],
    ["the others fail less than half as often", [["a", 18, 2], ["b", 16, 24], ["c", 0, 0]], ["a"]],
    ["those before it have too little to tell", [["a", 0, 1], ["b", 0, 20], ["c", 18, 2]], ["c"]],
    ["those before it are not alone", [["a", 20, 0], ["b", 0, 480], ["c", 900, 100]], ["c"]],
    ["nobody else has traffic", [["a", 18, 2], ["b", 0, 0], ["c", 0, 0]], ["a"]],
  ];
  for (const [why, traffic, expected] of table) {
    const scene = new Scene(["a", "b", "c"], { consecutiveFailures: 1_000 });
    for (const [id, failures, successes] of traffic) {
      scene.fail(id, failures);
      scene.succeed(id, successes);
    }
    scene.tick(999);
    assertEquals(scene.ejected, [], `${why}: before the interval ends`);
    scene.tick(1);
    assertEquals(scene.ejected, expected, why);
  }
});

Deno.test("OutlierDetector.tick() says which share it saw, in which time, and at whom else", () => {
  const scene = new Scene(["a", "b"], { consecutiveFailures: 1_000 });
  scene.fail("a", 46);
  scene.succeed("a", 4);
  scene.fail("b", 1);
  scene.succeed("b", 49);
  scene.tick(1_000);
  assertEquals(scene.said, ["a out 30000: 92 % of 50 requests failed in 1000 ms, 2 % at the others"]);
});

Deno.test("OutlierDetector.tick() judges every interval by its own traffic", () => {
  const scene = new Scene(["a", "b"], { consecutiveFailures: 1_000 });
  scene.succeed("a", 1_000);
  scene.tick(1_000);
  scene.fail("a", 20);
  scene.tick(1_000);
  assertEquals(scene.ejected, ["a"]);
  scene.succeed("b", 980);
  scene.fail("b", 20);
  scene.tick(1_000);
  scene.succeed("b", 20);
  scene.tick(1_000);
  assertEquals(scene.ejected, ["a"]);
});

Deno.test("OutlierDetector.tick() gathers what comes in tick by tick until an interval ends, each time", () => {
  const scene = new Scene(["a", "b"], { consecutiveFailures: 1_000 });
  const second = (failures: number) => {
    for (let tick = 0; tick < 5; tick++) {
      assertEquals(scene.said, []);
      scene.fail("a", failures);
      scene.succeed("a", 5 - failures);
      scene.tick(200);
    }
  };
  second(1);
  second(1);
  second(5);
  assertEquals(scene.said, ["a out 30000: 100 % of 25 requests failed in 1000 ms, 0 % at the others"]);
});

Deno.test("OutlierDetector.tick() judges an interval when it is over, as long as it was, and no part of the next", () => {
  const scene = new Scene(["a", "b"], { consecutiveFailures: 1_000 });
  scene.tick(1_000);
  scene.fail("a", 20);
  scene.tick(200);
  scene.tick(799);
  assertEquals(scene.said, []);
  scene.tick(101);
  assertEquals(scene.said, ["a out 30000: 100 % of 20 requests failed in 1100 ms, 0 % at the others"]);
});

Deno.test("OutlierDetector.tick() holds no failures of an interval against the next", () => {
  const scene = new Scene(["a", "b"], { consecutiveFailures: 1_000 });
  scene.fail("a", 60);
  scene.succeed("a", 40);
  scene.tick(1_000);
  scene.succeed("a", 50);
  scene.tick(1_000);
  assertEquals(scene.said, []);
});

Deno.test("OutlierDetector.tick() ejects one that is back whatever it answered while it was out", () => {
  const scene = new Scene(["a", "b"], { consecutiveFailures: 20, baseMs: 1_000, intervalMs: 10_000 });
  scene.fail("a", 20);
  scene.tick(200);
  scene.succeed("a", 500);
  scene.tick(1_000);
  scene.fail("a", 19);
  scene.succeed("a", 1);
  scene.tick(10_000);
  assertEquals(scene.said.at(-1), "a out 1000: 95 % of 20 requests failed in 11200 ms, 0 % at the others");
});

Deno.test("OutlierDetector.tick() ejects nobody who is out already", () => {
  const scene = new Scene(["a", "b", "c", "d"]);
  scene.fail("a", 5);
  scene.tick(200);
  scene.fail("a", 5);
  scene.tick(200);
  assertEquals([scene.said.length, scene.detector.status("a").times], [1, 1]);
});

Deno.test("OutlierDetector.tick() judges one that is back by its service from then on", () => {
  const scene = new Scene(["a", "b"], { baseMs: 1_000, intervalMs: 10_000 });
  scene.fail("a", 5);
  scene.tick(200);
  scene.fail("a", 500);
  scene.tick(1_000);
  scene.succeed("a", 100);
  scene.succeed("b", 100);
  scene.tick(10_000);
  assertEquals(scene.said.slice(1), ["a back: its time is over"]);
});

Deno.test("OutlierDetector.tick() holds nothing in favour of one that is back, either", () => {
  const rules = { baseMs: 1_000, intervalMs: 10_000 };
  const scene = new Scene(["a", "b"], rules);
  scene.succeed("a", 500);
  scene.fail("a", 5);
  scene.tick(200);
  scene.detector.configure(ejectionSchema.parse({ ...rules, consecutiveFailures: 1_000 }));
  scene.tick(1_000);
  scene.fail("a", 20);
  scene.tick(8_800);
  assertEquals(scene.said.slice(2), [
    "a out 1000: 100 % of 20 requests failed in 10000 ms, 0 % at the others",
  ]);
});

Deno.test("OutlierDetector.configure() returns everybody when ejection is turned off", () => {
  const scene = new Scene(["a", "b"]);
  scene.fail("a", 5);
  scene.tick(200);
  scene.detector.configure(ejectionSchema.parse({ enabled: false }));
  scene.fail("b", 5);
  scene.tick(200);
  assertEquals(scene.said.slice(1), ["a back: ejection is off"]);
});

Deno.test("OutlierDetector.configure() ejects for failures in a row, when ejection is turned on, once another follows", () => {
  const scene = new Scene(["a", "b"], { enabled: false });
  scene.fail("a", 5);
  scene.tick(200);
  scene.detector.configure(ejectionSchema.parse({}));
  scene.tick(200);
  assertEquals(scene.said, []);
  scene.fail("a", 1);
  scene.tick(200);
  assertEquals(scene.ejected, ["a"]);
});

Deno.test("OutlierDetector.configure() judges no interval that was over before ejection was turned on", () => {
  const scene = new Scene(["a", "b"], { enabled: false });
  scene.fail("a", 99);
  scene.succeed("a", 1);
  scene.succeed("b", 100);
  scene.tick(60_000);
  scene.detector.configure(ejectionSchema.parse({}));
  for (let second = 0; second < 3; second++) scene.tick(1_000);
  assertEquals(scene.ejected, []);
  scene.detector.configure(ejectionSchema.parse({ enabled: false }));
  scene.tick(1_000);
  scene.fail("a", 99);
  scene.succeed("a", 1);
  scene.tick(60_000);
  scene.detector.configure(ejectionSchema.parse({}));
  for (let second = 0; second < 3; second++) scene.tick(1_000);
  assertEquals(scene.ejected, []);
});

Deno.test("OutlierDetector.tick() starts anew with an endpoint that left and came back", () => {
  const scene = new Scene(["a", "b", "c"]);
  scene.fail("a", 5);
  scene.tick(200);
  scene.ids = ["b", "c"];
  scene.tick(200);
  scene.forgetFailures("a");
  scene.ids = ["a", "b", "c"];
  scene.tick(200);
  assertEquals([scene.ejected, scene.detector.status("a").times], [[], 0]);
});

Deno.test("OutlierDetector.tick() counts nothing when a sum runs back for a moment", () => {
  const scene = new Scene(["a", "b"], { consecutiveFailures: 1_000 });
  scene.fail("a", 500);
  scene.succeed("a", 500);
  scene.tick(1_000);
  scene.fail("a", -400);
  scene.tick(1_000);
  assertEquals(scene.said, []);
});
