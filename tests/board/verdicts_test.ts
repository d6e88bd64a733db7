import { assertEquals, assertNotEquals } from "@std/assert";
import { Bell } from "../../src/board/bell.ts";
import { Board } from "../../src/board/layout.ts";
import { EndpointState, stateWords, Verdicts } from "../../src/board/verdicts.ts";

const capacity = { columnsMax: 2, upstreamsMax: 2, endpointsMax: 3, routesMax: 1, rateSlotsMax: 1 };

Deno.test("stateWords() has a word for every state", () => {
  const every = Object.values(EndpointState).reduce((bits, bit) => bits | bit, 0);
  assertEquals(stateWords(every).sort(), Object.keys(EndpointState).sort());
  assertEquals(stateWords(EndpointState.ejected | EndpointState.leaving), ["ejected", "leaving"]);
  assertEquals(stateWords(0), ["serving"]);
});

Deno.test("Verdicts.write() is about one endpoint, changes its upstream's version and wakes who waits there", async () => {
  const board = Board.create(capacity);
  const verdicts = new Verdicts(board);
  const bell = new Bell(board, 1);
  const rung = bell.rungSince(bell.count);
  const before = [0, 1].map((upstream) => verdicts.version(upstream));
  verdicts.write(1, 2, EndpointState.draining, 250);
  assertEquals([0, 1, 2].map((row) => verdicts.state(row)), [0, 0, EndpointState.draining]);
  assertEquals([0, 1, 2].map((row) => verdicts.weightPermille(row)), [0, 0, 250]);
  assertEquals(verdicts.version(0), before[0]);
  assertNotEquals(verdicts.version(1), before[1]);
  await rung;
});

for (const [permille, expected] of [[0, 8], [1, 0.008], [250, 2], [999, 7.992], [1_000, 8]] as const) {
  Deno.test(`Verdicts.weightNow() of 8 at ${permille} per mille is ${expected}`, () => {
    const verdicts = new Verdicts(Board.create(capacity));
    verdicts.write(0, 1, 0, permille);
    assertEquals(verdicts.weightNow(1, 8), expected);
  });
}
