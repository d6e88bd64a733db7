// The loop's connection to itself.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LoopTurn } from "../src/loop_turn.ts";
import { StillTime } from "./support/still_time.ts";

Deno.test("LoopTurn.next() resolves turn after turn, and not within one", async () => {
  const turns = new LoopTurn(new StillTime().wheel);
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
  const turns = new LoopTurn(new StillTime().wheel);
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

Deno.test("LoopTurn.next() takes another connection after one that could not be had, ended or was stuck", async () => {
  const { connect } = Deno;
  const nears: Deno.TcpConn[] = [];
  const conns: (() => Promise<Deno.TcpConn>)[] = [];
  Deno.connect = (async (options: Deno.ConnectOptions) => {
    const near = await (conns.shift() ?? (() => connect(options)))();
    nears.push(near);
    return near;
  }) as typeof Deno.connect;
  const time = new StillTime();
  const turns = new LoopTurn(time.wheel);
  const connecting = Promise.withResolvers<Deno.TcpConn>();
  try {
    conns.push(() => Promise.reject(new Error("no descriptor left")));
    await assertRejects(() => turns.next(), Error, "no descriptor left");
    await turns.next();
    await nears[0]!.closeWrite();
    await assertRejects(() => turns.next(), Deno.errors.BrokenPipe);
    conns.push(() => connecting.promise);
    const stuck = assertRejects(() => turns.next(), Error, "is stuck");
    for (let waits = 0; waits < 2; waits++) await time.pass(1_000);
    await stuck;
    await turns.next();
    assertEquals(nears.length, 2);
    assertThrows(() => nears[0]!.close(), Deno.errors.BadResource);
  } finally {
    Deno.connect = connect;
    connecting.reject(new Error("no way"));
    turns.close();
  }
});

Deno.test("LoopTurn.close() ends a turn that is waited for, and lets nothing begin", async () => {
  const turns = new LoopTurn(new StillTime().wheel);
  await turns.next();
  const waited = turns.next();
  turns.close();
  await assertRejects(() => waited, Deno.errors.Interrupted);
  const unopened = new LoopTurn(new StillTime().wheel);
  unopened.close();
  await assertRejects(() => unopened.next(), Error, "the loop has ended");
});

Deno.test("LoopTurn.next() gives up when nothing comes through, but not because the loop stood still once", async () => {
  const { connect } = Deno;
  const connecting = Promise.withResolvers<Deno.TcpConn>();
  Deno.connect = (() => connecting.promise) as unknown as typeof Deno.connect;
  const time = new StillTime();
  const turns = new LoopTurn(time.wheel);
  let end = "it waits";
  turns.next().then(() => end = "turned", (error) => end = error.message);
  try {
    await time.pass(60_000);
    assertEquals(end, "it waits");
    await time.pass(1_000);
    assertEquals(end, "the loop's own connection is stuck");
  } finally {
    Deno.connect = connect;
    connecting.reject(new Error("no way"));
  }
});

Deno.test("LoopTurn.next() keeps no half of a connection that cannot be accepted", async () => {
  const { connect, listen } = Deno;
  const nears: Deno.TcpConn[] = [];
  Deno.connect = (async (options: Deno.ConnectOptions) => {
    const near = await connect(options);
    nears.push(near);
    return near;
  }) as typeof Deno.connect;
  Deno.listen = ((options: Deno.ListenOptions & Deno.TcpListenOptions) => {
    const listener = listen(options);
    listener.accept = () => Promise.reject(new Error("no descriptor left"));
    return listener;
  }) as typeof Deno.listen;
  try {
    await assertRejects(() => new LoopTurn(new StillTime().wheel).next(), Error, "no descriptor left");
    assertThrows(() => nears[0]!.close(), Deno.errors.BadResource);
  } finally {
    Deno.connect = connect;
    Deno.listen = listen;
  }
});
