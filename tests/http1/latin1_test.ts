// Text never turns into other bytes on its way to the wire.

import { assertEquals, assertThrows } from "@std/assert";
import { encodeHead, encodeLatin1, latin1Bytes } from "../../src/http1/latin1.ts";
import { requestHead } from "../../src/http1/request_writer.ts";
import { lastChunk } from "../../src/http1/trailers.ts";
import { fromLatin1 } from "../support/raw_http.ts";

const NONE = new Uint8Array(0);
const ALL = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");
/** Their low bytes are a line break. */
const WIDE = "a\u010d\u010ab";

const encoders: Record<string, (text: string) => Uint8Array> = {
  encodeLatin1: (text) => {
    const bytes = new Uint8Array(text.length);
    return bytes.subarray(0, encodeLatin1(text, bytes, 0));
  },
  encodeHead: (text) => {
    const bytes = new Uint8Array(text.length);
    return bytes.subarray(0, encodeHead(text, bytes));
  },
  "latin1Bytes, in a buffer": (text) => latin1Bytes(text, new Uint8Array(1_024)),
  "latin1Bytes, in memory of its own": (text) => latin1Bytes(text, NONE),
};

for (const [name, encode] of Object.entries(encoders)) {
  Deno.test(`${name} writes one byte for each character up to 0xFF and refuses what is above`, () => {
    for (const text of ["", "GET / HTTP/1.1\r\n", ALL]) assertEquals(fromLatin1(encode(text)), text);
    for (const text of [WIDE, "\u0100", "\uffff", "plain until here: \u{1f600}"]) {
      assertThrows(() => encode(text), RangeError, "above 0xFF");
    }
  });
}

Deno.test("no head or trailer is written of characters above 0xFF", () => {
  const request = { method: "GET", target: "/", headers: [], contentLength: null, chunked: false };
  for (const changed of [{ method: WIDE }, { target: WIDE }, { headers: ["x", WIDE] }, { text: WIDE }]) {
    assertThrows(() => requestHead({ ...request, ...changed }, "a.test", NONE), RangeError);
  }
  assertThrows(() => requestHead(request, WIDE, NONE), RangeError);
  assertThrows(() => lastChunk(["x", WIDE]), RangeError);
});

Deno.test("latin1Bytes() gives the view of the last text again to one that is as long, and to no other", () => {
  const buffer = new Uint8Array(8);
  const first = latin1Bytes("abcd", buffer);
  const second = latin1Bytes("efgh", buffer, first);
  assertEquals([second === first, [...second]], [true, [101, 102, 103, 104]]);
  assertEquals([...latin1Bytes("ijk", buffer, second)], [105, 106, 107]);
  // Too long for the buffer, and as long as a view of another.
  const other = new Uint8Array(9);
  assertEquals([...latin1Bytes("123456789", buffer, other)], [49, 50, 51, 52, 53, 54, 55, 56, 57]);
});
