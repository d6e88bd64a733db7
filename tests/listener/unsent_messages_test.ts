import { assertEquals } from "@std/assert";
import {
  EMPTIES_MAX,
  EMPTIES_MS,
  MESSAGE_BYTES,
  UnsentMessages,
} from "../../src/listener/unsent_messages.ts";

Deno.test("messages that were not taken cost a kilobyte each beside their bytes", () => {
  const messages = new UnsentMessages();
  for (let i = 0; i < 10_000; i++) messages.add(1, 0);
  assertEquals(messages.cost(10_000, 0), 10_000 * (1 + MESSAGE_BYTES));
  assertEquals(messages.cost(0, 0), 0);
});

Deno.test("of messages that were taken in part the others cost what they did", () => {
  const messages = new UnsentMessages();
  for (let i = 0; i < 640; i++) messages.add(10, 0);
  assertEquals(messages.cost(6_400, 0), 6_400 + 640 * MESSAGE_BYTES);
  // They are let go of by 64.
  assertEquals(messages.cost(5_770, 0), 5_770 + 640 * MESSAGE_BYTES);
  assertEquals(messages.cost(5_760, 0), 5_760 + 576 * MESSAGE_BYTES);
  assertEquals(messages.cost(10, 0), 10 + 64 * MESSAGE_BYTES);
  messages.add(5, 0);
  assertEquals(messages.cost(5, 0), 5 + MESSAGE_BYTES);
});

Deno.test("empty messages cost nothing until they are many, and nothing once that was a while ago", () => {
  const messages = new UnsentMessages();
  for (let i = 0; i < EMPTIES_MAX; i++) messages.add(0, 1_000);
  assertEquals(messages.cost(0, 1_000), 0);
  messages.add(0, 2_000);
  assertEquals(messages.cost(0, 1_000 + EMPTIES_MS - 1), (EMPTIES_MAX + 1) * MESSAGE_BYTES);
  assertEquals(messages.cost(0, 1_000 + EMPTIES_MS), 0);
  messages.add(0, 1_000 + EMPTIES_MS);
  assertEquals(messages.cost(0, 1_000 + EMPTIES_MS), 0);
});
