// Who begins in which turn of the loop. The turns are the test's.

import { assertEquals } from "@std/assert";
import { Turnstile } from "../../src/proxy/turnstile.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

const PER_TURN = 24;

/** A turnstile, whose requests write down their numbers as they begin. */
class Entrance {
  readonly begun: number[] = [];
  readonly time = new StillTime();
  readonly turnstile = new Turnstile(() => {
    this.turns++;
    return new Promise((resolve, reject) => this.ends = { resolve, reject });
  }, this.time.wheel);
  turns = 0;
  private came = 0;
  private ends = { resolve: () => {}, reject: (_: Error) => {} };

  come(count: number): void {
    for (let i = 0; i < count; i++) {
      const number = this.came++;
      const turn = this.turnstile.pass();
      if (turn === null) this.begun.push(number);
      else turn.then(() => this.begun.push(number));
    }
  }

  async turn(): Promise<void> {
    this.ends.resolve();
    await settled();
  }

  async fail(): Promise<void> {
    this.ends.reject(new Error("no turn"));
    await settled();
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

Deno.test("Turnstile lets 24 requests begin, and asks for a turn of the loop when one more comes", () => {
  const entrance = new Entrance();
  entrance.come(PER_TURN);
  assertEquals([entrance.begun.length, entrance.turns], [PER_TURN, 0]);
  entrance.come(1);
  assertEquals([entrance.begun.length, entrance.turns], [PER_TURN, 1]);
  entrance.come(1);
  assertEquals([entrance.begun.length, entrance.turns], [PER_TURN, 1]);
});

Deno.test("Turnstile lets as many more begin as have begun before the loop turned, as it is told", () => {
  const entrance = new Entrance();
  const { turnstile } = entrance;
  entrance.come(10);
  const tenth = turnstile.begun;
  entrance.come(PER_TURN - 10);
  turnstile.turnedSince(tenth);
  // What is told late says nothing new.
  turnstile.turnedSince(tenth - 5);
  entrance.come(10);
  assertEquals([entrance.begun.length, entrance.turns], [PER_TURN + 10, 0]);
  entrance.come(1);
  assertEquals([entrance.begun.length, entrance.turns], [PER_TURN + 10, 1]);
});

Deno.test("Turnstile lets nobody pass by those that wait when it is told that the loop has turned", async () => {
  const entrance = new Entrance();
  entrance.come(PER_TURN + 1);
  entrance.turnstile.turnedSince(PER_TURN);
  entrance.come(1);
  assertEquals(entrance.begun.length, PER_TURN);
  await entrance.turn();
  assertEquals(entrance.begun, numbers(PER_TURN + 2));
});

Deno.test("Turnstile lets those that wait begin in their order, 24 a turn", async () => {
  const entrance = new Entrance();
  entrance.come(3 * PER_TURN + 1);
  for (const begun of [2 * PER_TURN, 3 * PER_TURN, 3 * PER_TURN + 1]) {
    await entrance.turn();
    assertEquals(entrance.begun, numbers(begun));
  }
});

Deno.test("Turnstile counts those that waited among those of their turn", async () => {
  const entrance = new Entrance();
  entrance.come(PER_TURN + 4);
  await entrance.turn();
  assertEquals(entrance.turns, 1);
  entrance.come(PER_TURN - 4);
  assertEquals([entrance.begun.length, entrance.turns], [2 * PER_TURN, 1]);
  entrance.come(1);
  assertEquals([entrance.begun.length, entrance.turns], [2 * PER_TURN, 2]);
});

Deno.test("Turnstile puts whoever comes behind those that wait", async () => {
  const entrance = new Entrance();
  entrance.come(2 * PER_TURN + 1);
  await entrance.turn();
  entrance.come(1);
  assertEquals(entrance.begun.length, 2 * PER_TURN);
  await entrance.turn();
  assertEquals(entrance.begun, numbers(2 * PER_TURN + 2));
});

Deno.test("Turnstile starts anew after a turn", async () => {
  const entrance = new Entrance();
  entrance.come(PER_TURN + 1);
  await entrance.turn();
  entrance.come(PER_TURN);
  assertEquals([entrance.begun.length, entrance.turns], [2 * PER_TURN, 2]);
});

Deno.test("Turnstile stands open once the loop's turns cannot be told", async () => {
  const entrance = new Entrance();
  entrance.come(3 * PER_TURN);
  await entrance.fail();
  assertEquals(entrance.begun, numbers(3 * PER_TURN));
  entrance.come(5 * PER_TURN);
  assertEquals([entrance.begun.length, entrance.turns], [8 * PER_TURN, 1]);
});

Deno.test("Turnstile that stands open asks for a turn now and then, and closes once one is told", async () => {
  const entrance = new Entrance();
  entrance.come(PER_TURN + 1);
  await entrance.fail();
  for (const turns of [2, 3]) {
    entrance.time.pass(29_990);
    assertEquals(entrance.turns, turns - 1);
    entrance.time.pass(20);
    entrance.come(2 * PER_TURN);
    assertEquals([entrance.begun.length, entrance.turns], [(2 * turns - 1) * PER_TURN + 1, turns]);
    await (turns === 2 ? entrance.fail() : entrance.turn());
  }
  entrance.come(2 * PER_TURN);
  assertEquals([entrance.begun.length, entrance.turns], [6 * PER_TURN + 1, 4]);
});
