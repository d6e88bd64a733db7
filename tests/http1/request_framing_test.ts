// Where a request ends and what becomes of its connection, by its fields alone.

import { assertEquals, assertThrows } from "@std/assert";
import { Http1Error } from "../../src/http1/error.ts";
import { frameRequest, type RequestFraming } from "../../src/http1/request_framing.ts";

/** Field lines as a client writes them, `name: value`. */
function frame(lines: readonly string[], minor: number): RequestFraming {
  const parts = lines.map((line) => /^(.*?): ?(.*)$/.exec(line)!.slice(1));
  return frameRequest(parts.flat(), minor);
}

const PLAIN: RequestFraming = {
  contentLength: 0,
  host: null,
  persistent: true,
  upgrade: null,
  expectsContinue: false,
};

const FRAMINGS: readonly [lines: readonly string[], minor: number, framing: Partial<RequestFraming>][] = [
  [[], 1, {}],
  [["Host: a.test", "X: Y"], 1, { host: "a.test" }],
  [["Host: "], 1, { host: "" }],
  [["Content-Length: 0"], 1, { contentLength: 0 }],
  [["content-LENGTH: 7"], 1, { contentLength: 7 }],
  [["Content-Length: 007"], 1, { contentLength: 7 }],
  [["Content-Length: 999999999999999"], 1, { contentLength: 999_999_999_999_999 }],
  [["Content-Length: 7"], 0, { contentLength: 7, persistent: false }],
  [["Transfer-Encoding: chunked"], 1, { contentLength: null }],
  [["Transfer-Encoding: Chunked"], 1, { contentLength: null }],
  [["Expect: 100-continue"], 1, { expectsContinue: true }],
  [["Expect: 100-Continue"], 1, { expectsContinue: true }],
  [["Expect: "], 1, {}],
  [["Expect: 100-continue", "Expect: "], 1, { expectsContinue: true }],
  [["Expect: 100-continue, 100-Continue"], 1, { expectsContinue: true }],
  [["Expect: ,"], 1, {}],
  [["Expect: a miracle"], 0, { persistent: false }],
  [["Connection: close"], 1, { persistent: false }],
  [["Connection: keep-alive"], 1, {}],
  [["Connection: x, CLOSE ,y"], 1, { persistent: false }],
  [["Connection: closed"], 1, {}],
  [["Connection: keep-alive", "Connection: close"], 1, { persistent: false }],
  [["Connection: close", "Connection: keep-alive"], 1, { persistent: false }],
  [[], 0, { persistent: false }],
  [["Connection: Keep-Alive"], 0, { persistent: true }],
  [["Connection: x", "Connection: y , keep-alive"], 0, { persistent: true }],
  [["Connection: keep-alive, close"], 0, { persistent: false }],
  [["Connection: x"], 0, { persistent: false }],
  [["Connection: keep-alive"], 1, { upgrade: null }],
  [["Upgrade: websocket"], 1, { upgrade: null }],
  [["Upgrade: websocket", "Connection: keep-alive"], 1, { upgrade: null }],
  [["Upgrade: WebSocket", "Connection: keep-alive, Upgrade"], 1, { upgrade: "WebSocket" }],
  [["Connection: upgrade", "Upgrade: a", "Upgrade: b"], 1, { upgrade: "a, b" }],
  [["Connection: upgrade"], 1, { upgrade: null }],
  [["Connection: upgrade, keep-alive", "Upgrade: websocket"], 0, { upgrade: null }],
];

for (const [lines, minor, framing] of FRAMINGS) {
  Deno.test(`frameRequest() of [${lines.join(" | ")}] in HTTP/1.${minor}`, () => {
    assertEquals(frame(lines, minor), { ...PLAIN, ...framing });
  });
}

const REFUSALS: readonly [lines: readonly string[], minor: number, kind: Http1Error["kind"]][] = [
  [["Content-Length: 5", "Content-Length: 5"], 1, "malformed"],
  [["Content-Length: 0", "Content-Length: 5"], 1, "malformed"],
  [["Content-Length: 5, 5"], 1, "malformed"],
  [["Content-Length: "], 1, "malformed"],
  [["Content-Length: 5:"], 1, "malformed"],
  [["Content-Length: /"], 1, "malformed"],
  [["Content-Length: 9999999999999999"], 1, "malformed"],
  [["Transfer-Encoding: chunked", "Content-Length: 5"], 1, "malformed"],
  [["Content-Length: 0", "Transfer-Encoding: chunked"], 1, "malformed"],
  [["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 1, "malformed"],
  [["Transfer-Encoding: chunked"], 0, "malformed"],
  [["Transfer-Encoding: chunked, chunked"], 1, "malformed"],
  [["Transfer-Encoding: chunked, gzip"], 1, "malformed"],
  [["Transfer-Encoding: identity"], 1, "malformed"],
  [["Transfer-Encoding: "], 1, "malformed"],
  [["Transfer-Encoding: , chunked"], 1, "malformed"],
  [['Transfer-Encoding: "gzip", chunked'], 1, "malformed"],
  [['Transfer-Encoding: gzip, "br", chunked'], 1, "malformed"],
  [["Transfer-Encoding: gzip, chunked, chunked"], 1, "malformed"],
  [["Transfer-Encoding: gzip;q=1, chunked"], 1, "malformed"],
  [["Transfer-Encoding: gzip, chunked"], 1, "coding"],
  [["Transfer-Encoding: gzip, br , Chunked"], 1, "coding"],
  [["Host: a", "Host: a"], 1, "malformed"],
  [["Host: ", "Host: a"], 1, "malformed"],
  [["Expect: a miracle"], 1, "expectation"],
  [["Expect: 100-continue, a miracle"], 1, "expectation"],
  [["Expect: 100-continue", "Expect: a miracle"], 1, "expectation"],
];

for (const [lines, minor, kind] of REFUSALS) {
  Deno.test(`frameRequest() refuses [${lines.join(" | ")}] in HTTP/1.${minor} as ${kind}`, () => {
    assertEquals(assertThrows(() => frame(lines, minor), Http1Error).kind, kind);
  });
}
