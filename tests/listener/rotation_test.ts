import { assertEquals } from "@std/assert";
import { CONNECTIONS_REMEMBERED_MAX, Rotation } from "../../src/listener/rotation.ts";

const peer = { hostname: "192.0.2.1", port: 40_000 };

function stage(connectionLifetimeMs: number, connectionRequestsMax: number, random = 0) {
  const clock = { now: 0 };
  const inputs = { now: () => clock.now, random: () => random };
  return { clock, rotation: new Rotation({ connectionLifetimeMs, connectionRequestsMax }, inputs) };
}

Deno.test("Rotation.isDue() asks to leave at the last request of a connection, and goes on asking", () => {
  const { rotation } = stage(0, 3);
  assertEquals([1, 2, 3, 4].map(() => rotation.isDue(peer)), [false, false, true, true]);
  assertEquals(rotation.isDue({ ...peer, port: 40_001 }), false);
});

Deno.test("Rotation.isDue() asks to leave after a lifetime", () => {
  const { clock, rotation } = stage(1_000, 0);
  const asked = [0, 500, 999, 1_000, 1_100].map((now) => {
    clock.now = now;
    return rotation.isDue(peer);
  });
  assertEquals(asked, [false, false, false, true, true]);
});

Deno.test("Rotation.isDue() takes a port that was silent for a lifetime for a new connection", () => {
  const { clock, rotation } = stage(1_000, 0);
  rotation.isDue(peer);
  clock.now = 1_001;
  assertEquals(rotation.isDue(peer), false);
});

Deno.test("Rotation.isDue() spreads connections over the last fifth of both limits", () => {
  const { clock, rotation } = stage(1_000, 10, 0.999);
  clock.now = 0;
  const asked = Array.from({ length: 10 }, () => rotation.isDue(peer));
  assertEquals(asked.indexOf(true), 8);
  const other = { ...peer, port: 1 };
  rotation.isDue(other);
  clock.now = 801;
  assertEquals(rotation.isDue(other), false, "silent for longer than its lifetime of 800 ms");
});

Deno.test("Rotation.isDue() is off with both limits at 0, and remembers nothing", () => {
  const { rotation } = stage(0, 0);
  for (let i = 0; i < 10; i++) assertEquals(rotation.isDue(peer), false);
  assertEquals(rotation.remembered, 0);
});

Deno.test("Rotation.isDue() remembers a bounded number of connections", () => {
  const { rotation } = stage(1_000, 0);
  for (let i = 0; i < CONNECTIONS_REMEMBERED_MAX + 100; i++) {
    rotation.isDue({ hostname: `192.0.2.${i % 7}`, port: i });
  }
  assertEquals(rotation.remembered, CONNECTIONS_REMEMBERED_MAX);
});

Deno.test("Rotation.isDue() keeps hosts apart that ask in turns", () => {
  const { rotation } = stage(0, 2);
  const other = { hostname: "192.0.2.2", port: 1 };
  const asked = [peer, other, peer, other].map((each) => rotation.isDue(each));
  assertEquals([asked, rotation.remembered], [[false, false, true, true], 2]);
});

Deno.test("Rotation.isDue() begins once with a host whose only port was silent for a lifetime", () => {
  const { clock, rotation } = stage(1_000, 2);
  rotation.isDue(peer);
  clock.now = 1_001;
  assertEquals([rotation.isDue(peer), rotation.isDue(peer)], [false, true]);
});
