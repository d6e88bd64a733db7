// Field lines, read strictly: what a lenient reader lets pass is what smuggling is made of.

import { assertEquals, assertThrows } from "@std/assert";
import { Http1Error } from "../../src/http1/error.ts";
import {
  FieldLine,
  findSectionEnd,
  hasBareLf,
  isToken,
  parseFieldLines,
  scanFieldLine,
  takeApart,
} from "../../src/http1/fields.ts";
import { latin1 } from "../support/raw_http.ts";

/** Every text of up to `length` of these characters. */
function* texts(characters: string, length: number): Generator<string> {
  yield "";
  if (length === 0) return;
  for (const rest of texts(characters, length - 1)) {
    for (const character of characters) yield character + rest;
  }
}

Deno.test("findSectionEnd() finds the first CRLF CRLF that is all here, wherever it stands", () => {
  const behind = "\r\n\r\n";
  for (const text of texts("\r\na", 7)) {
    for (const start of [0, 2]) {
      const at = text.indexOf("\r\n\r\n", start);
      const found = findSectionEnd(latin1(text + behind), start, text.length);
      assertEquals(found, at < 0 ? -1 : at + 4, JSON.stringify([text, start]));
    }
  }
  for (let before = 0; before < 20; before++) {
    const bytes = latin1("a".repeat(before) + behind);
    assertEquals(findSectionEnd(bytes, 0, bytes.length), bytes.length);
  }
});

/** A line in front of another -> name and value. */
const lines: Record<string, readonly [name: string, value: string]> = {
  "A:": ["A", ""],
  "A: ": ["A", ""],
  "A: \t ": ["A", ""],
  "Name:value": ["Name", "value"],
  "Name: \t value \t": ["Name", "value"],
  "Name: one\ttwo  three": ["Name", "one\ttwo  three"],
  "Name: a:b": ["Name", "a:b"],
  "!#$%&'*+-.^_`|~0aZ: ~\x80\xff!": ["!#$%&'*+-.^_`|~0aZ", "~\x80\xff!"],
};

Deno.test("parseFieldLines() and takeApart() read each line as name and value", () => {
  for (const [line, expected] of Object.entries(lines)) {
    const section = `${line}\r\nNext: 1\r\n`;
    const bytes = latin1(`xx${section}\r\n`);
    assertEquals(parseFieldLines(bytes, 2, bytes.length), [...expected, "Next", "1"], line);
    assertEquals(takeApart(section), [...expected, "Next", "1"], line);
  }
  assertEquals([parseFieldLines(latin1("\r\n"), 0, 2), takeApart("")], [[], []]);
});

/** A line that nobody may take for a field -> what is wrong with it. */
const refused: readonly (readonly [line: string, why: string])[] = [
  [" A: 1", "folded field line (obs-fold)"],
  ["\tA: 1", "folded field line (obs-fold)"],
  [": 1", "field line without a name"],
  ["A : 1", "space between field name and colon"],
  ["A\t: 1", "space between field name and colon"],
  ["A", "byte 0x0d in a field name"],
  ["A\n: 1", "byte 0x0a in a field name"],
  ["A\0: 1", "byte 0x00 in a field name"],
  ["(A: 1", "byte 0x28 in a field name"],
  ["A\xe9: 1", "byte 0xe9 in a field name"],
  ["A: 1\n", "control character in the value of A: 0x0a"],
  ["A: 1\nB: 2", "control character in the value of A: 0x0a"],
  ["A: 1\rB: 2", "control character in the value of A: 0x0d"],
  ["A: \0", "control character in the value of A: 0x00"],
  ["A: \x1f", "control character in the value of A: 0x1f"],
  ["A: \x7f", "control character in the value of A: 0x7f"],
  ["a".repeat(65) + ": \0", `control character in the value of ${"a".repeat(64)}...: 0x00`],
];

for (const [line, why] of refused) {
  Deno.test(`parseFieldLines() refuses ${JSON.stringify(line)}: ${why}`, () => {
    for (const before of ["", "Before: 1\r\n"]) {
      const bytes = latin1(`${before}${line}\r\nNext: 1\r\n\r\n`);
      const error = assertThrows(() => parseFieldLines(bytes, 0, bytes.length), Http1Error);
      assertEquals([error.kind, error.message], ["malformed", why]);
    }
  });
}

Deno.test("FieldLine.isPlainIn() is true of a line as Weir writes it, and of no other", () => {
  const plain = (text: string) => {
    const bytes = latin1(`  ${text}\r\n\r\n`);
    const line = new FieldLine();
    scanFieldLine(bytes, 2, line);
    return line.isPlainIn(bytes);
  };
  assertEquals(["A: 1", "Name: one  two"].map(plain), [true, true]);
  const others = ["A:1", "A:  1", "A:\t1", "A: 1 ", "A: 1\t", "A:", "A: ", "A:  "];
  for (const text of others) assertEquals(plain(text), false, JSON.stringify(text));
});

Deno.test("isToken() is true of one word of token characters", () => {
  for (const text of ["a", "!#$%&'*+-.^_`|~", "GET", "0"]) assertEquals(isToken(text), true, text);
  for (const text of ["", " ", "a b", "a,", "(", "a\x7f", "\xe9", "\xff", "\u0100", "\u0141"]) {
    assertEquals(isToken(text), false, JSON.stringify(text));
  }
});

Deno.test("hasBareLf() finds a line that ends without CR, among the bytes that are there", () => {
  for (
    const [text, start, end, found] of [
      ["GET / HTTP/1.1\r\nA: 1\r\n", 0, 22, false],
      ["GET / HTTP/1.1\n", 0, 15, true],
      ["GET / HTTP/1.1\r\nA: 1\n", 0, 21, true],
      ["\n", 0, 1, true],
      ["\r\n", 0, 2, false],
      // The CR belongs to what came before.
      ["\r\n", 1, 2, true],
      ["\n\r\n", 1, 3, false],
      ["A\n", 0, 1, false],
      ["\r\nA\n", 0, 3, false],
    ] as const
  ) assertEquals(hasBareLf(latin1(text), start, end), found, JSON.stringify([text, start, end]));
});

Deno.test("hasBareLf() looks at no more than what is new, and at the byte before it", () => {
  for (
    const [text, from, found] of [
      ["a\nb\r\nc", 2, false],
      ["a\r\nb", 2, false],
      ["a\nb", 1, true],
      ["a\r\nb\n", 3, true],
    ] as const
  ) assertEquals(hasBareLf(latin1(text), 0, text.length, from), found, JSON.stringify([text, from]));
});
