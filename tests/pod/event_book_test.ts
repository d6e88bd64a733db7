import { assertEquals } from "@std/assert";
import { EventBook, TEXT_MAX } from "../../src/pod/event_book.ts";
import { textsInHeap } from "../support/heap.ts";

Deno.test("EventBook shows the beginning of a long event, and logs all of it", () => {
  const lines: string[] = [];
  const book = new EventBook(() => 0, (line) => lines.push(line));
  const heard: string[] = [];
  book.subscribe(({ text }) => heard.push(text));
  const texts = [TEXT_MAX, TEXT_MAX + 1].map((length) => "a".repeat(length));
  for (const text of texts) book.add("reload", "good", text);
  const shown = [texts[0], `${texts[0]}... (the rest is in the log)`];
  assertEquals(book.recent().map(({ text }) => text), shown);
  assertEquals(heard, shown);
  assertEquals(lines.map((line) => JSON.parse(line).text), texts);
});

Deno.test("EventBook keeps nothing of what it does not show", async () => {
  const book = new EventBook(() => 0, () => {});
  const add = (i: number) => book.add("reload", "good", `long event ${i} ${"b, ".repeat(TEXT_MAX)}`);
  for (let i = 0; i < 10; i++) add(i);
  assertEquals(book.recent().length, 10);
  assertEquals(await textsInHeap("long event", 2 * TEXT_MAX), 0);
});

Deno.test("EventBook keeps the last 200 events, numbered, and tells whoever listens of each until it leaves", () => {
  const told: string[] = [];
  const lines: string[] = [];
  const book = new EventBook(() => 0, (line) => lines.push(line));
  book.add("start", "neutral", "0");
  const leave = book.subscribe(({ id, text }) => told.push(`${id}: ${text}`));
  for (let i = 1; i < 203; i++) {
    if (i === 3) leave();
    book.add("start", "neutral", `${i}`);
  }
  const kept = book.recent();
  assertEquals([kept.length, kept[0]!.id, kept.at(-1)!.id], [200, 4, 203]);
  assertEquals([told, lines.length], [["2: 1", "3: 2"], 203]);
});
