import { assertEquals } from "@std/assert";
import { checksAllow, type Health, HealthState } from "../../src/control/health_state.ts";

const rules = { fall: 3, rise: 2, firstCheck: "wait" } as const;

/** Results as letters: p passes, f fails. The state after each, by its first two letters. */
function states(results: string, firstCheck: "wait" | "assume_healthy" = "wait"): string {
  const state = new HealthState({ ...rules, firstCheck });
  const after = [...results].map((result) => {
    state.record(result === "p");
    return state.health.slice(0, 2);
  });
  return after.join(" ");
}

Deno.test("HealthState.record() moves by fall, rise and the first check", () => {
  const table: [string, "wait" | "assume_healthy", string, string][] = [
    ["the first pass is enough for one that joins", "wait", "p", "he"],
    ["one that joins has fall failures to get up", "wait", "ffp", "un un he"],
    ["one that never passes is unhealthy after fall failures", "wait", "fff", "un un un"],
    ["after that it needs rise passes", "wait", "fffpp", "un un un un he"],
    ["a failure in between starts the count of failures again", "wait", "pffpff", "he he he he he he"],
    ["fall failures in a row make it unhealthy", "wait", "pfff", "he he he un"],
    ["a pass in between starts the count of passes again", "wait", "pfffpfpp", "he he he un un un un he"],
    ["one that is assumed healthy stays so for fall failures", "assume_healthy", "fff", "he he un"],
  ];
  for (const [why, firstCheck, results, expected] of table) {
    assertEquals(states(results, firstCheck), expected, why);
  }
});

Deno.test("HealthState.record() says what the state was when it changed, and null when it did not", () => {
  const state = new HealthState(rules);
  const results = [true, true, false, false, false, true, true];
  assertEquals(results.map((passed) => state.record(passed)), [
    "unchecked",
    null,
    null,
    null,
    "healthy",
    null,
    "unhealthy",
  ]);
});

Deno.test("HealthState.record() tells a joining endpoint that fails from one that fell", () => {
  const state = new HealthState(rules);
  assertEquals([false, false, false].map((passed) => state.record(passed)), [null, null, "unchecked"]);
  assertEquals(state.hasPassed, false);
  state.record(true);
  assertEquals([state.health, state.hasPassed], ["unhealthy", true]);
});

Deno.test("HealthState.changing holds while the next results may change the state", () => {
  const table: [string, boolean][] = [["", true], ["f", true], ["p", false], ["pf", true], ["pfp", false]];
  table.push(["pfff", false], ["pfffp", true], ["pfffpf", false]);
  for (const [results, changing] of table) {
    const state = new HealthState(rules);
    for (const result of results) state.record(result === "p");
    assertEquals(state.changing, changing, `after "${results}"`);
  }
});

Deno.test("HealthState.trust() makes an unchecked and an unhealthy endpoint healthy", () => {
  const state = new HealthState(rules);
  assertEquals([state.trust(), state.health, state.hasPassed, state.trust()], [
    "unchecked",
    "healthy",
    true,
    null,
  ]);
});

Deno.test("HealthState.trust() forgets what was counted towards a change", () => {
  const state = new HealthState(rules);
  for (const passed of [true, false, false]) state.record(passed);
  state.trust();
  assertEquals([state.record(false), state.record(false), state.record(false)], [null, null, "healthy"]);
});

Deno.test("checksAllow() uses what nothing is known of only while nobody in the group has passed", () => {
  const table: [Health, boolean, boolean][] = [
    ["healthy", true, true],
    ["healthy", false, true],
    ["unchecked", true, false],
    ["unchecked", false, true],
    ["unhealthy", true, false],
    ["unhealthy", false, false],
  ];
  for (const [health, groupHasPassed, allowed] of table) {
    assertEquals(checksAllow(health, groupHasPassed), allowed, `${health}, ${groupHasPassed}`);
  }
});
