// The loop's connection to itself.

import { assertEquals, assertRejects } from "@std/assert";
import { LoopTurn } from "../src/loop_turn.ts";

Deno.test("LoopTurn.next() resolves turn after turn, and not within one", async () => {
  const turns = new LoopTurn();
  await turns.next();
  const turned = turns.next().then(() => "turned");
  let microtasks = Promise.resolve("");
  for (let i = 0; i < 1_000; i++) microtasks = microtasks.then(() => "same turn");
  assertEquals(await Promise.race([turned, microtasks]), "same turn");
  assertEquals(await turned, "turned");
  turns.close();
});

Deno.test("LoopTurn.next() takes no stranger's connection for its own", async () => {
  const connect = Deno.connect;
  const strangers: Deno.TcpConn[] = [];
  // A stranger is first at the loop's port.
  Deno.connect = (async (options: Deno.ConnectOptions) => {
    strangers.push(await connect(options));
    return connect(options);
  }) as typeof Deno.connect;
  const turns = new LoopTurn();
  try {
    await turns.next();
    await turns.next();
    assertEquals(await strangers[0]!.read(new Uint8Array(1)), null);
  } finally {
    Deno.connect = connect;
    for (const stranger of strangers) stranger.close();
    turns.close();
  }
});

Deno.test("LoopTurn.close() ends a turn that is waited for, and lets nothing begin", async () => {
  const turns = new LoopTurn();
  await turns.next();
  const waited = turns.next();
  turns.close();
  await assertRejects(() => waited);
  const unopened = new LoopTurn();
  unopened.close();
  await assertRejects(() => unopened.next(), Error, "the loop has ended");
});
