// The client's side of a tunnel, on a scripted socket.

import { assertEquals, assertRejects } from "@std/assert";
import { BodyError } from "../../src/exchange.ts";
import { settled } from "../support/settled.ts";
import { connected, POST, text } from "../support/wire_stage.ts";

/** A tunnel through which some has come with the request already. */
async function tunnelled(ahead = "") {
  const stage = connected();
  await stage.client.says(POST("Upgrade: other\r\nConnection: Upgrade") + ahead);
  const tunnel = await stage.exchanges[0]!.upgrade!({ status: 101, reason: "", headers: [] });
  const room = new Uint8Array(4);
  const read = async () => {
    const count = await tunnel.read(room);
    return count === null ? null : text(room.subarray(0, count));
  };
  return { ...stage, tunnel, read };
}

Deno.test("a tunnel brings what came with the request first, then all else, in pieces that fit", async () => {
  const { client, read } = await tunnelled("ahead");
  assertEquals([await read(), await read()], ["ahea", "d"]);
  const first = read();
  await client.says("one and two");
  assertEquals([await first, await read(), await read()], ["one ", "and ", "two"]);
  const end = read();
  await client.ends();
  assertEquals([await end, await read()], [null, null]);
});

Deno.test("a tunnel whose client has ended its side before anybody reads brings the rest, and then that", async () => {
  const { client, read, tunnel } = await tunnelled("ahead");
  await client.ends();
  assertEquals([await read(), await read(), await read()], ["ahea", "d", null]);
  await tunnel.write(new TextEncoder().encode("still"));
  assertEquals([client.heard.endsWith("\r\n\r\nstill"), client.closed], [true, false]);
});

Deno.test("a tunnel whose client breaks off fails, before it is read and while it is", async () => {
  for (const reading of [false, true]) {
    const { client, read } = await tunnelled();
    const pending = reading ? assertRejects(read, BodyError) : null;
    client.breaksOff();
    await settled();
    await (pending ?? assertRejects(read, BodyError));
    assertEquals(client.closed, true);
  }
});

Deno.test("a tunnel's connection ends with its request", async () => {
  const { client, over, tunnel, table } = await tunnelled();
  await tunnel.closeWrite();
  assertEquals([client.heard.endsWith("\r\n\r\n(end)"), client.closed], [true, false]);
  await over();
  assertEquals([client.closed, table.size], [true, 0]);
});
