import { assert, assertEquals } from "@std/assert";
import {
  bufferFor,
  BufferPool,
  free,
  giveBack,
  LARGE_PIECES,
  PIECES,
  SMALL_PIECES,
  trimBuffers,
} from "../../src/http1/buffers.ts";
import { copyOut } from "../../src/http1/slab.ts";

Deno.test("BufferPool lends what came back last, and makes more when none is left", () => {
  const pool = new BufferPool(8, 2);
  const [a, b, c] = [pool.take(), pool.take(), pool.take()];
  assertEquals(new Set([a, b, c]).size, 3);
  for (const buffer of [a, b, c]) pool.give(buffer);
  assertEquals([pool.kept, pool.take() === b, pool.take() === a], [2, true, true]);
});

Deno.test("BufferPool.takeIfAny() gives none while as many are lent as are kept", () => {
  const pool = new BufferPool(8, 2);
  const [a, b] = [pool.takeIfAny(), pool.takeIfAny()];
  assert(a !== null && b !== null);
  assertEquals(pool.takeIfAny(), null);
  pool.give(b);
  assertEquals(pool.takeIfAny() === b, true);
});

Deno.test("BufferPool.trim() lets those go that nobody has needed since the last time, and no others", () => {
  const pool = new BufferPool(8, 10);
  const buffers = Array.from({ length: 6 }, () => pool.take());
  for (const buffer of buffers) pool.give(buffer);
  pool.trim();
  assertEquals(pool.kept, 6, "all of them were in use together");
  const two = [pool.take(), pool.take()];
  for (const buffer of two) pool.give(buffer);
  pool.trim();
  assertEquals(pool.kept, 2);
  pool.trim();
  assertEquals(pool.kept, 0);
});

Deno.test("trimBuffers() lets those of every size go that nobody has needed since the last time", () => {
  const sizes = [1, 5_000, 20_000];
  const kept = sizes.map(bufferFor);
  const large = LARGE_PIECES.take();
  for (const buffer of [...kept, large]) giveBack(buffer);
  // The first time they were in use just before.
  for (let time = 0; time < 2; time++) trimBuffers();
  const lent = sizes.map(bufferFor);
  assertEquals(lent.map((buffer, i) => buffer === kept[i]), [false, false, false]);
  assertEquals([SMALL_PIECES, PIECES, LARGE_PIECES].map((pool) => pool.kept), [0, 0, 0]);
  for (const buffer of lent) giveBack(buffer);
});

Deno.test("bufferFor() gives the smallest buffer that holds as much, and giveBack() knows whose it is", () => {
  for (
    const [bytes, size] of [[0, 4_096], [4_096, 4_096], [4_097, 16_384], [16_385, 65_536], [1e9, 65_536]]
  ) {
    const buffer = bufferFor(bytes!);
    assertEquals(buffer.length, size);
    giveBack(buffer);
    assert(bufferFor(bytes!) === buffer, `${bytes}`);
    giveBack(buffer);
  }
  for (const pool of [SMALL_PIECES, PIECES, LARGE_PIECES]) {
    const buffer = pool.take();
    const { kept } = pool;
    giveBack(buffer);
    assertEquals(pool.kept, kept + 1);
  }
});

Deno.test("free() frees memory of the bytes' own, and none that others may have a part of", () => {
  const own = new Uint8Array(70_000);
  free(own.subarray(0, 8_193));
  assertEquals(own.buffer.detached, true);
  const behind = new Uint8Array(70_000);
  free(behind.subarray(1));
  assertEquals(behind.buffer.detached, false);
  // Of which a slab's first piece may be.
  for (const length of [1, 8_192]) {
    const pieces = Array.from({ length: 100 }, () => copyOut(new Uint8Array(length)));
    pieces.forEach(free);
    assertEquals(pieces.map((piece) => piece.length), Array(100).fill(length));
  }
});
