import { assertEquals } from "@std/assert";
import { messageOf } from "../src/error_message.ts";

Deno.test("messageOf() says one thing in one way, whoever throws it", () => {
  const told = "Too many open files (os error 24)";
  const thrown = [new Error(told), new Error(`Error: ${told}`), told, { toString: () => told }];
  assertEquals(thrown.map(messageOf), thrown.map(() => told));
});
