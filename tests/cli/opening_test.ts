// The first words of a run, in the order in which an operator reads them.

import { assertEquals } from "@std/assert";
import { Opening } from "../../src/cli/opening.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const PATIENCE_MS = 2_000;

function scene() {
  const clock = new VirtualClock();
  const said: string[] = [];
  const opening = new Opening(() => "banner", (text) => void said.push(text), clock);
  return { clock, opening, said };
}

Deno.test("the banner stands before what happened until a worker listened, and is said once", async () => {
  const { clock, opening, said } = scene();
  opening.say("found");
  await clock.advance(PATIENCE_MS - 1);
  assertEquals([said, opening.listened], [[], false]);
  opening.firstWord(true);
  opening.say("serves");
  opening.firstWord(true);
  opening.firstWord(false);
  await clock.advance(PATIENCE_MS);
  assertEquals([said, opening.listened], [["banner", "found", "serves"], true]);
});

Deno.test("what happens is not kept back for long, and the banner comes once a worker listens", async () => {
  for (const late of [false, true]) {
    const { clock, opening, said } = scene();
    opening.say("waits for DNS");
    if (late) await clock.advance(PATIENCE_MS);
    else opening.firstWord(false);
    assertEquals([said, opening.listened], [["waits for DNS"], false]);
    opening.say("found");
    opening.firstWord(true);
    assertEquals(said, ["waits for DNS", "found", "banner"]);
  }
});

Deno.test("a start that is given up says what happened, without a banner, and leaves no timer behind", () => {
  const { clock, opening, said } = scene();
  opening.say("no such file");
  opening.end();
  assertEquals([said, opening.listened, clock.waiting], [["no such file"], false, 0]);
});
