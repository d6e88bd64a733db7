import { assertEquals } from "@std/assert";
import { givePageBack, LinePages } from "../../src/board/line_pages.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (lines: Uint8Array) => new TextDecoder().decode(lines.slice());
const isShared = ({ buffer }: Uint8Array) => buffer instanceof SharedArrayBuffer;

Deno.test("LinePages.lend() writes a page again once it was given back, and never before", () => {
  const pages = new LinePages(16);
  const first = pages.lend(bytes("first\n"));
  const second = pages.lend(bytes("second\n"));
  assertEquals([textOf(first), textOf(second), isShared(first), isShared(second)], [
    "first\n",
    "second\n",
    true,
    true,
  ]);
  const third = pages.lend(bytes("third\n"));
  assertEquals([textOf(third), isShared(third)], ["third\n", false]);
  givePageBack(third);
  givePageBack(second);
  const fourth = pages.lend(bytes("fourth\n"));
  assertEquals([textOf(first), textOf(fourth), fourth.buffer === second.buffer], [
    "first\n",
    "fourth\n",
    true,
  ]);
});

Deno.test("LinePages.lend() copies lines that are longer than a page", () => {
  const pages = new LinePages(8);
  const lines = bytes("longer than it\n");
  const lent = pages.lend(lines);
  lines.fill(0);
  assertEquals([textOf(lent), isShared(lent)], ["longer than it\n", false]);
  assertEquals(isShared(pages.lend(bytes("as long\n"))), true);
});
