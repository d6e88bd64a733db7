import { assertEquals } from "@std/assert";
import { lastChunk } from "../../src/http1/trailers.ts";
import { fromLatin1 } from "../support/raw_http.ts";

const chunks: readonly (readonly [trailers: string[] | undefined, text: string])[] = [
  [undefined, "0\r\n\r\n"],
  [[], "0\r\n\r\n"],
  [["Digest", "a", "digest", "b\xe9"], "0\r\nDigest: a\r\ndigest: b\xe9\r\n\r\n"],
  // RFC 9110 6.5.1: whoever merges these into the head would read another message.
  [["Content-Length", "5"], "0\r\n\r\n"],
  [
    ["A", "host", "Host", "b.test", "transfer-encoding", "chunked", "Connection", "A", "B", "2"],
    "0\r\nA: host\r\nB: 2\r\n\r\n",
  ],
];

for (const [trailers, text] of chunks) {
  Deno.test(`lastChunk() of [${trailers?.join(", ") ?? ""}] ends a body, with those that may pass`, () => {
    for (let time = 0; time < 2; time++) assertEquals(fromLatin1(lastChunk(trailers)), text);
  });
}
