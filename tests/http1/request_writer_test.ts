// A request head as it is written: its framing fields and Host are Weir's own, and agree with what is sent.

import { assertEquals } from "@std/assert";
import { chunkOf, type OutgoingRequest, requestHead } from "../../src/http1/request_writer.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";

const PLAIN: OutgoingRequest = {
  method: "GET",
  target: "/a?b",
  headers: ["A", "1", "B", "two"],
  contentLength: null,
  chunked: false,
};

const heads: readonly (readonly [what: string, changes: Partial<OutgoingRequest>, lines: string])[] = [
  ["no body", {}, "A: 1\r\nB: two\r\n"],
  ["lines as one text", { text: "C: 3\r\nD: 4\r\n" }, "C: 3\r\nD: 4\r\n"],
  ["no lines, as one text", { text: "" }, ""],
  ["an empty body", { contentLength: 0 }, "A: 1\r\nB: two\r\nContent-Length: 0\r\n"],
  ["a body of a length", { contentLength: 12 }, "A: 1\r\nB: two\r\nContent-Length: 12\r\n"],
  ["a body in chunks", { chunked: true }, "A: 1\r\nB: two\r\nTransfer-Encoding: chunked\r\n"],
  [
    "lines as one text, and chunks",
    { text: "C: 3\r\n", chunked: true },
    "C: 3\r\nTransfer-Encoding: chunked\r\n",
  ],
];

for (const [what, changes, lines] of heads) {
  Deno.test(`requestHead() of a request with ${what}`, () => {
    const expected = `GET /a?b HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`;
    for (const room of [expected.length, expected.length - 1]) {
      const buffer = new Uint8Array(room);
      const head = requestHead({ ...PLAIN, ...changes }, "a.test", buffer);
      assertEquals(fromLatin1(head), expected);
      assertEquals(head.buffer === buffer.buffer, room === expected.length, "in the buffer if it fits");
    }
  });
}

Deno.test("chunkOf() is the size in hexadecimal, and the data", () => {
  for (const length of [1, 15, 16, 255, 65_536]) {
    const data = "x".repeat(length);
    assertEquals(fromLatin1(chunkOf(latin1(data))), `${length.toString(16)}\r\n${data}\r\n`);
  }
});
