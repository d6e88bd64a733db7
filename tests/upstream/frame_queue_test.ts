import { assertEquals, assertLessOrEqual } from "@std/assert";
import { FrameQueue } from "../../src/upstream/frame_queue.ts";
import { concat } from "../support/raw_http.ts";

/** A frame of so many bytes, all the same. */
const frame = (length: number, byte: number) => new Uint8Array(length).fill(byte);

function drain(queue: FrameQueue): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) pieces.push(piece);
  return pieces;
}

Deno.test("FrameQueue keeps all bytes in order, whatever their sizes", () => {
  const sizes = [1, 4_000, 7, 1_024, 1_025, 5_000, 2, 3_000, 3_000, 0, 4_096, 1];
  const frames = sizes.map((size, i) => frame(size, i + 1));
  const queue = new FrameQueue();
  for (const one of frames) queue.push(one);
  assertEquals(concat(drain(queue)), concat(frames));
});

Deno.test("FrameQueue changes nothing of what it has handed out", () => {
  const queue = new FrameQueue();
  const come: Uint8Array[] = [];
  for (let byte = 1; byte <= 5; byte++) {
    queue.push(frame(3, byte));
    if (byte % 2 === 0) come.push(queue.shift()!);
  }
  come.push(...drain(queue));
  assertEquals([...concat(come)], [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]);
});

Deno.test("FrameQueue holds memory of at most about twice the bytes that wait", () => {
  for (const sizes of [[7], [7, 1_100], [7, 4_100], [1_024, 3_500], [1_025], [100_000]]) {
    const queue = new FrameQueue();
    let bytes = 0;
    for (let i = 0; i < 1_000; i++) {
      const size = sizes[i % sizes.length]!;
      queue.push(frame(size, 0));
      bytes += size;
    }
    const pieces = drain(queue);
    const held = pieces.reduce((sum, piece) => sum + piece.buffer.byteLength, 0);
    assertLessOrEqual(held, 2.1 * bytes, sizes.join());
    assertLessOrEqual(pieces.length, 2 + 2 * bytes / 1_024, sizes.join());
  }
});
