import { assertEquals } from "@std/assert";
import { Inlet } from "../../src/http1/inlet.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";

const silent = { read: () => new Promise<never>(() => {}) };

/** What is unused of eight bytes of memory, and a limit -> the memory after `makeRoom`; null: none was made. */
const rooms: readonly (readonly [start: number, end: number, bytesMax: number, bytes: number | null])[] = [
  [0, 7, 8, 8],
  [5, 7, 1, 8],
  [1, 8, 7, 8],
  [7, 8, 1, 8],
  [0, 8, 8, null],
  [0, 8, 7, null],
  [0, 8, 9, 9],
  [0, 8, 100, 16],
];

for (const [start, end, bytesMax, bytes] of rooms) {
  Deno.test(`Inlet.makeRoom() up to ${bytesMax} bytes, of 8 of which ${start} to ${end} are unused`, () => {
    const inlet = new Inlet(latin1("abcdefgh"), silent);
    [inlet.start, inlet.end] = [start, end];
    assertEquals(inlet.makeRoom(bytesMax), bytes !== null);
    assertEquals(inlet.bytes.length, bytes ?? 8);
    assertEquals(inlet.room.length > 0, bytes !== null);
    assertEquals(fromLatin1(inlet.take(inlet.available)), "abcdefgh".substring(start, end));
  });
}

Deno.test("Inlet.fill() reads behind what is there, until its connection ends", async () => {
  const coming = ["cd", "ef", null];
  const inlet = new Inlet(new Uint8Array(8), {
    read(into) {
      const next = coming.shift()!;
      if (next !== null) into.set(latin1(next));
      return Promise.resolve(next?.length ?? null);
    },
  });
  inlet.bytes.set(latin1("ab"));
  inlet.end = 2;
  assertEquals([await inlet.fill(), fromLatin1(inlet.take(3))], [true, "abc"]);
  assertEquals([await inlet.fill(), await inlet.fill(), fromLatin1(inlet.take(3))], [true, false, "def"]);
  assertEquals([inlet.available, inlet.room.length], [0, 8], "all of the memory is free again");
});

Deno.test("Inlet.sectionEnd() finds the end of a section wherever what came before ended, and reads that once", () => {
  const section = "a: 1\r\nb:\r\n\r\n";
  const bytes = latin1(`..${section}next`);
  for (let came = 0; came < section.length; came++) {
    const inlet = new Inlet(bytes.slice(), silent);
    [inlet.start, inlet.end] = [2, 2 + came];
    assertEquals(inlet.sectionEnd(), -1);
    inlet.searched = inlet.available;
    // Nobody looks there any more.
    inlet.bytes.fill(0, 2, inlet.unsearched);
    inlet.end = bytes.length;
    assertEquals(inlet.sectionEnd(), 2 + section.length, `after ${came} bytes`);
    inlet.skip(section.length);
    assertEquals(inlet.unsearched, inlet.start, "of the next one nothing was searched");
  }
});

Deno.test("Inlet: an end of a section that was searched in vain is none", () => {
  const inlet = new Inlet(latin1("\r\n\r\nabcd"), silent);
  [inlet.end, inlet.searched] = [8, 5];
  assertEquals(inlet.sectionEnd(), -1);
  inlet.searched = 3;
  assertEquals(inlet.sectionEnd(), 4);
});
