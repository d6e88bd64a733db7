// Idle connections of the benchmark are only those that a contestant serves, and serves still at the end.

import { assertEquals } from "@std/assert";
import { holdIdleConnections } from "../bench/idle_connections.ts";
import { reply, reset, startOrigin, type Step } from "./support/raw_origin.ts";

const KILOBYTE = reply(200, { body: "x".repeat(1024) });
const times = (count: number, step: Step) => Array.from({ length: count }, () => step);

Deno.test("idle connections that are served before and after are no fault", async () => {
  await using origin = await startOrigin(KILOBYTE);
  const held = await holdIdleConnections(origin.port, 3, 2);
  assertEquals(held.faults, []);
  assertEquals(origin.open, 3);
  assertEquals(await held.end(), []);
  assertEquals(origin.requests.length, 3 * 2 + 3);
});

Deno.test("an idle connection that is not served at first, or no longer at the end, is a fault", async () => {
  await using origin = await startOrigin([...times(2, KILOBYTE), ...times(10, reset())]);
  const held = await holdIdleConnections(origin.port, 3, 1);
  assertEquals(held.faults, ["1 of 3 connections not served"]);
  assertEquals(await held.end(), ["3 of 3 idle connections no longer served"]);
});
