import { assertEquals, assertRejects } from "@std/assert";
import { PIECES } from "../../src/http1/buffers.ts";
import { Gatherer } from "../../src/listener/gatherer.ts";
import { settled } from "../support/settled.ts";

/** A connection of which the bytes up to each mark are there at once, and the rest when `come()` is called. */
class Script {
  reads = 0;
  private at = 0;
  private there = 0;
  private waiting: (() => void) | null = null;
  private broken = false;

  constructor(private readonly bytes: number, private readonly fails = false) {}

  come(bytes: number): void {
    this.there = Math.min(this.bytes, this.there + bytes);
    this.waiting?.();
  }

  /** The read that waits fails. */
  breaks(): void {
    this.broken = true;
    this.waiting?.();
  }

  async read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    if (this.at === this.bytes && this.fails) throw new Deno.errors.ConnectionReset("reset");
    if (this.at === this.bytes) return null;
    while (this.there === this.at && !this.broken) {
      await new Promise<void>((resolve) => this.waiting = resolve);
    }
    if (this.broken) throw new Deno.errors.ConnectionReset("reset");
    const count = Math.min(into.length, this.there - this.at);
    for (let i = 0; i < count; i++) into[i] = byteAt(this.at + i);
    this.at += count;
    return count;
  }
}

function byteAt(position: number): number {
  return position * 31 % 251;
}

interface Case {
  readonly name: string;
  /** Bytes that come together, one after the other. */
  readonly come: readonly number[];
  /** Lengths of the pieces that are read. */
  readonly pieces: readonly number[];
}

const CASES: readonly Case[] = [
  { name: "a small answer", come: [1_100], pieces: [1_100] },
  { name: "an answer that does not fit the small buffer", come: [10_300], pieces: [10_300] },
  { name: "an answer that just fills it, and what comes later", come: [4_096, 300], pieces: [4_096, 300] },
  {
    name: "one that just fills it, and a large one later",
    come: [4_096, 70_000],
    pieces: [4_096, 61_440, 8_560],
  },
  { name: "an answer as large as the large buffer", come: [65_536], pieces: [65_536] },
  { name: "a large answer", come: [200_000, 10], pieces: [65_536, 65_536, 65_536, 3_392, 10] },
];

for (const { name, come, pieces } of CASES) {
  Deno.test(`Gatherer.next() brings what is there in one piece: ${name}`, async () => {
    const total = come.reduce((sum, bytes) => sum + bytes, 0);
    const source = new Script(total);
    const gatherer = new Gatherer(source);
    const read: number[] = [];
    let position = 0;
    const steps = come[Symbol.iterator]();
    let due = 0;
    for (;;) {
      // The next bytes come once those before have been read.
      if (position === due) {
        const step = steps.next();
        if (!step.done) {
          due += step.value;
          source.come(step.value);
        }
      }
      const piece = await gatherer.next();
      if (piece === null) break;
      read.push(piece.length);
      for (const byte of piece) assertEquals(byte, byteAt(position++));
    }
    gatherer.release();
    assertEquals(read, pieces);
    assertEquals(position, total);
  });
}

Deno.test("Gatherer.next() rejects when the connection breaks, after what came before", async () => {
  const source = new Script(100, true);
  source.come(100);
  const gatherer = new Gatherer(source);
  assertEquals((await gatherer.next())!.length, 100);
  await assertRejects(() => gatherer.next(), Deno.errors.ConnectionReset);
});

Deno.test("Gatherer.next() gives what fills the small buffer before it tells that the connection broke", async () => {
  const source = new Script(4_096, true);
  source.come(4_096);
  const gatherer = new Gatherer(source);
  assertEquals((await gatherer.next())!.length, 4_096);
  await assertRejects(() => gatherer.next(), Deno.errors.ConnectionReset);
});

Deno.test("Gatherer.release() gives a buffer back only when nothing is read into it any more", async () => {
  for (const breaks of [false, true]) {
    const source = new Script(4_097);
    source.come(4_096);
    const gatherer = new Gatherer(source);
    assertEquals((await gatherer.next())!.length, 4_096);
    const { kept } = PIECES;
    gatherer.release();
    assertEquals(PIECES.kept, kept);
    if (breaks) source.breaks();
    else source.come(1);
    await settled();
    assertEquals(PIECES.kept, kept + 1);
  }
});
