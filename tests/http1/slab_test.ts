import { assertEquals } from "@std/assert";
import { free } from "../../src/http1/buffers.ts";
import { copyOut } from "../../src/http1/slab.ts";

Deno.test("copyOut() copies, and no copy touches another, whatever their sizes", () => {
  const sizes = Array.from({ length: 200 }, (_, i) => [1, 7, 100, 4_000, 8_192, 8_193, 70_000][i % 7]!);
  const source = new Uint8Array(70_000);
  const copies = sizes.map((size, i) => copyOut(source.fill(i).subarray(0, size)));
  for (const [i, copy] of copies.entries()) {
    assertEquals([copy.length, copy.every((byte) => byte === i)], [sizes[i], true], `copy ${i}`);
  }
});

Deno.test("free() lets go of a copy that has memory of its own, and touches none that others share", () => {
  const [small, other, large] = [8_192, 1, 8_193].map((size) => copyOut(new Uint8Array(size)));
  assertEquals(copyOut(new Uint8Array(1)).buffer === other!.buffer, true, "small ones share");
  for (const copy of [small!, other!, large!]) free(copy);
  assertEquals([small!.length, other!.length, large!.length], [8_192, 1, 0]);
  const part = new Uint8Array(20_000).subarray(1);
  free(part);
  assertEquals(part.length, 19_999, "somebody has the rest of it");
});
