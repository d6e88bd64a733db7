import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Agenda } from "../../src/simulate/agenda.ts";

Deno.test("Agenda.run() lets things happen in order of time, then of planning", () => {
  fc.assert(fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (times) => {
    const agenda = new Agenda();
    const happened: [number, number][] = [];
    times.forEach((atMs, i) => agenda.at(atMs, () => happened.push([agenda.nowMs, i])));
    agenda.run();
    const expected = times.map((atMs, i): [number, number] => [atMs, i]);
    assertEquals(happened, expected.sort(([a, i], [b, j]) => a - b || i - j));
  }));
});

Deno.test("Agenda.run() goes on with what was planned meanwhile", () => {
  const agenda = new Agenda();
  const seen: number[] = [];
  const again = () => {
    seen.push(agenda.nowMs);
    if (agenda.nowMs < 30) agenda.after(10, again);
  };
  agenda.at(5, again);
  agenda.run();
  assertEquals(seen, [5, 15, 25, 35]);
});
