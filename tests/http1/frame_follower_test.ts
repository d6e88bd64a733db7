// However a direction's bytes are cut, the follower knows where its frames end and what the last one says.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FrameFollower } from "../../src/http1/frame_follower.ts";
import { closePayload, Opcode, writeFrame } from "../../src/http1/frames.ts";
import { concat } from "../support/raw_http.ts";

const KEY = new Uint8Array([7, 200, 3, 4]);

Deno.test("FrameFollower finds the end of every frame, however the bytes are cut", () => {
  const frames = fc.array(fc.tuple(fc.constantFrom(0, 5, 125, 126, 65_535, 65_536), fc.boolean()), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 40_000 })), (plan, cuts) => {
      const written = plan.map(([size, masked]) =>
        writeFrame(Opcode.binary, new Uint8Array(size), masked ? KEY : null)
      );
      const bytes = concat(written);
      const ends: number[] = [];
      const follower = new FrameFollower();
      for (let at = 0; at < bytes.length;) {
        const piece = bytes.subarray(at, at + cuts.next().value);
        for (let within = 0; within < piece.length;) {
          within += follower.followFrame(piece.subarray(within));
          if (follower.between) ends.push(at + within);
        }
        at += piece.length;
      }
      let end = 0;
      assertEquals(ends, written.map(({ length }) => end += length));
      assertEquals(follower.closeCode, undefined);
    }),
    { numRuns: 200 },
  );
});

for (const key of [null, KEY]) {
  for (const code of [1000, 4999, null]) {
    const masked = key === null ? "plain" : "masked";
    Deno.test(`FrameFollower reads close code ${code} of a ${masked} frame, byte by byte`, () => {
      const follower = new FrameFollower();
      const frame = writeFrame(Opcode.close, closePayload({ code, reason: "because" }), key);
      for (const [i, byte] of frame.entries()) {
        assertEquals([follower.closeCode, follower.between], [undefined, i === 0]);
        follower.follow(new Uint8Array([byte]));
      }
      assertEquals([follower.closeCode, follower.between], [code, true]);
    });
  }
}

Deno.test("FrameFollower passes over reserved bits and opcodes: they are the two sides' business", () => {
  const follower = new FrameFollower();
  follower.follow(new Uint8Array([0xf3, 2, 1, 2, 0x41, 1]));
  assertEquals(follower.between, false);
  follower.follow(new Uint8Array([9]));
  assertEquals(follower.between, true);
});

Deno.test("FrameFollower reads no close code of half a one", () => {
  for (const key of [null, KEY]) {
    const follower = new FrameFollower();
    follower.follow(writeFrame(Opcode.close, new Uint8Array([3]), key));
    assertEquals([follower.closeCode, follower.between], [null, true]);
  }
});
