// How many of a group may be out at once, whatever fails, and how little it costs to know.

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ejectionSchema } from "../../src/config/schema.ts";
import type { GroupMember } from "../../src/control/ejection.ts";
import { OutlierDetector } from "../../src/control/outlier_detector.ts";
import { ejectedMax } from "../../src/control/outlier_shares.ts";
import { Scene } from "./ejection_scene.ts";

Deno.test("ejectedMax() rounds down, lets a group of two lose one, and never takes all", () => {
  const table: [size: number, percent: number, max: number][] = [
    [0, 50, 0],
    [1, 50, 0],
    [1, 100, 0],
    [2, 50, 1],
    [2, 10, 1],
    [2, 100, 1],
    [3, 50, 1],
    [4, 50, 2],
    [5, 50, 2],
    [10, 100, 9],
    [10, 0, 0],
    [2, 0, 0],
  ];
  for (const [size, percent, max] of table) {
    assertEquals(ejectedMax(size, percent), max, `${percent} % of ${size}`);
  }
});

Deno.test("OutlierDetector.tick() ejects the worst when not all may go", () => {
  const scene = new Scene(["a", "b", "c", "d"]);
  for (const [id, failures] of [["a", 5], ["b", 7], ["c", 6]] as const) scene.fail(id, failures);
  scene.tick(200);
  assertEquals(scene.ejected, ["b", "c"]);
});

Deno.test("OutlierDetector.tick() ejects one for which there was no room when it fails again, and not before", () => {
  const scene = new Scene(["a", "b"]);
  for (const id of ["a", "b"]) {
    scene.fail(id, 5);
    scene.tick(200);
  }
  scene.tick(30_000);
  scene.tick(1_000);
  assertEquals(scene.said.slice(1), ["a back: its time is over"]);
  scene.fail("b", 1);
  scene.tick(200);
  assertEquals(scene.said.slice(2), ["b out 30000: 6 gateway failures in a row"]);
});

Deno.test("OutlierDetector.tick() leaves the last endpoint in service alone", () => {
  const scene = new Scene(["a", "b", "c", "d"]);
  for (const id of ["b", "c", "d"]) scene.outOfService.add(id);
  scene.fail("a", 100);
  scene.fail("b", 100);
  scene.tick(1_000);
  assertEquals(scene.said, []);
});

Deno.test("OutlierDetector.tick() leaves the last one alone that others were ejected or fell beside", () => {
  const scene = new Scene(["a", "b", "c", "d"]);
  for (const id of ["c", "d"]) scene.outOfService.add(id);
  scene.fail("a", 5);
  scene.tick(200);
  scene.fail("b", 5);
  scene.tick(200);
  assertEquals(scene.ejected, ["a"]);
});

Deno.test("OutlierDetector.tick() returns those that are out when all beside them have fallen", () => {
  const scene = new Scene(["a", "b", "c", "d", "e"]);
  for (const id of ["a", "b"]) scene.fail(id, 5);
  scene.tick(200);
  // Its checks have found what traffic had.
  for (const id of ["b", "c", "d"]) scene.outOfService.add(id);
  scene.tick(200);
  assertEquals(scene.ejected, ["a", "b"]);
  scene.outOfService.add("e");
  scene.tick(200);
  assertEquals(scene.said.slice(2), ["a back: nobody else serves"]);
  scene.fail("a", 5);
  scene.tick(200);
  assertEquals(scene.ejected, ["b"]);
  scene.outOfService.delete("e");
  scene.fail("a", 1);
  scene.tick(200);
  assertEquals([scene.ejected, scene.detector.status("a").times], [["a", "b"], 2]);
});

Deno.test("OutlierDetector.tick() returns nobody early while one that drains serves", () => {
  const scene = new Scene(["a", "b"]);
  scene.fail("a", 5);
  scene.tick(200);
  scene.outOfService.add("b");
  scene.standingBy.add("b");
  scene.tick(200);
  assertEquals(scene.ejected, ["a"]);
});

Deno.test("OutlierDetector.tick() returns the first that are due when the group shrinks", () => {
  const scene = new Scene(["a", "b", "c", "d"]);
  scene.fail("b", 5);
  scene.tick(200);
  scene.fail("a", 5);
  scene.tick(200);
  scene.ids = ["a", "b"];
  scene.tick(200);
  assertEquals(scene.said.slice(2), ["b back: too much of the group would be ejected"]);
  scene.ids = ["a"];
  scene.tick(200);
  assertEquals(scene.ejected, []);
});

/** How often two ticks look at each member of a group that fails as a whole, and at how many may go. */
function looksAt(size: number): { perMember: number; atLimit: number } {
  let [looks, atLimit] = [0, 0];
  const group = Array.from({ length: size }, (_, i): GroupMember => ({
    get id() {
      looks++;
      return `http://10.0.0.${i}:80`;
    },
    get inService() {
      looks++;
      return true;
    },
    standsBy: false,
  }));
  const counts = {
    consecutiveFailures: () => 9,
    attempts: () => 9,
    gatewayFailures: () => 9,
    forgetFailures() {},
  };
  const config = {
    ...ejectionSchema.parse({}),
    get ejectedPercentMax() {
      atLimit++;
      return 50;
    },
  };
  const detector = new OutlierDetector(config, counts, { onEjected() {}, onReturned() {} });
  detector.tick(0, group);
  detector.tick(200, group);
  return { perMember: looks / size, atLimit };
}

Deno.test("OutlierDetector.tick() looks at each of a group equally often, however many of it fail", () => {
  assertEquals(looksAt(100), looksAt(10));
});

Deno.test("OutlierDetector.tick() never has more of a group out than is allowed, nor all that serve, whatever happens", () => {
  const step = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom("fail", "succeed", "leave", "fall", "rise"),
    ms: fc.nat(40_000),
  });
  const property = fc.property(
    fc.integer({ min: 0, max: 100 }),
    fc.array(step, { maxLength: 40, size: "max" }),
    (ejectedPercentMax, steps) => {
      const scene = new Scene(["0", "1", "2", "3"], { ejectedPercentMax });
      for (const { who, what, ms } of steps) {
        if (what === "fail") scene.fail(String(who), 5);
        if (what === "succeed") scene.succeed(String(who), 1);
        if (what === "leave") scene.ids = scene.ids.filter((id) => id !== String(who));
        if (what === "fall") scene.outOfService.add(String(who));
        if (what === "rise") scene.outOfService.delete(String(who));
        scene.tick(ms);
        const inService = scene.ids.filter((id) => !scene.outOfService.has(id));
        assert(inService.length === 0 || inService.some((id) => !scene.detector.isEjected(id)));
        assert(scene.ejected.length <= ejectedMax(scene.ids.length, ejectedPercentMax));
      }
    },
  );
  fc.assert(property, { seed: 4, numRuns: 500 });
});
