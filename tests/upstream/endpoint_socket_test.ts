import { assertEquals } from "@std/assert";
import { EndpointSocket } from "../../src/upstream/endpoint_socket.ts";
import { settled } from "../support/settled.ts";
import { toldConnection } from "./told_connection.ts";

Deno.test("EndpointSocket.listen() hears what an endpoint said before it took no more", async () => {
  const { conn, connection } = toldConnection();
  conn.write = () => Promise.reject(new Deno.errors.BrokenPipe());
  const socket = new EndpointSocket(connection, 100);
  const heard: unknown[] = [];
  const over = socket.listen((incoming) => void heard.push(incoming.kind));
  socket.send("nobody takes it");
  await settled();
  await conn.say("\x81\x02hi");
  await conn.say("\x88\x00");
  await conn.say(null);
  assertEquals([await over, heard], [true, ["text", "close"]]);
  connection.close();
});

Deno.test("EndpointSocket.send() has small messages that wait for a slow endpoint go out together", async () => {
  const { conn, connection } = toldConnection();
  const first = Promise.withResolvers<void>();
  const writes: number[] = [];
  conn.write = async ({ length }) => {
    writes.push(length);
    await first.promise;
    return length;
  };
  const socket = new EndpointSocket(connection, 100);
  for (let i = 0; i < 1_001; i++) socket.send("!");
  assertEquals(socket.unsentBytes, 1_001 * 7, "two bytes, a masking key, and the message");
  first.resolve();
  await settled();
  assertEquals([writes, socket.unsentBytes], [[7, 4_095, 2_905], 0]);
  connection.close();
});
