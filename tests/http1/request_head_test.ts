// A request line and its lines, read strictly.

import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { Http1Error } from "../../src/http1/error.ts";
import { findSectionEnd } from "../../src/http1/fields.ts";
import {
  emptyLinesBefore,
  judgeBeginning,
  parseRequestFields,
  parseRequestLine,
} from "../../src/http1/request_head.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";
import { generateRequests } from "../support/request_mutations.ts";

function parse(line: string) {
  return parseRequestLine(`${line}\r\nHost: a b HTTP/1.1\r\n\r\n`, line.length);
}

for (
  const [line, method, target, minor] of [
    ["GET / HTTP/1.1", "GET", "/", 1],
    ["GET / HTTP/1.0", "GET", "/", 0],
    ["X-~!a * HTTP/1.1", "X-~!a", "*", 1],
    ["X / HTTP/1.1", "X", "/", 1],
    ["get !~ HTTP/1.1", "get", "!~", 1],
    ["GET /HTTP/1.0 HTTP/1.1", "GET", "/HTTP/1.0", 1],
  ] as const
) {
  Deno.test(`parseRequestLine() takes "${line}"`, () => assertEquals(parse(line), { method, target, minor }));
}

const SHAPE = "request line is not `method target version`";
const NO_VERSION = "request line without an HTTP version";
const BAD_TARGET = "request target holds a space, a control or a non-ASCII byte";
const BAD_METHOD = "method is not a token";

for (
  const [line, kind, message] of [
    ["", "malformed", SHAPE],
    ["GET", "malformed", SHAPE],
    ["GET/HTTP/1.1", "malformed", SHAPE],
    [" GET / HTTP/1.1", "malformed", SHAPE],
    ["GET HTTP/1.1", "malformed", SHAPE],
    ["GET  HTTP/1.1", "malformed", SHAPE],
    ["GET /\tHTTP/1.1", "malformed", SHAPE],
    ["GET /HTTP/1.1", "malformed", SHAPE],
    ["GET /", "malformed", NO_VERSION],
    ["GET / HTTP/1.1 ", "malformed", NO_VERSION],
    ["GET / http/1.1", "malformed", NO_VERSION],
    ["GET / HTTP/1,1", "malformed", NO_VERSION],
    ["GET / HTTP/1.:", "malformed", NO_VERSION],
    ["GET / HTTP/1./", "malformed", NO_VERSION],
    ["GET / HTTP/:.1", "malformed", NO_VERSION],
    ["GET / HTTP//.1", "malformed", NO_VERSION],
    ["GET / HTTP/1.2", "version", "HTTP/1.2 is not served here"],
    ["GET / HTTP/1.9", "version", "HTTP/1.9 is not served here"],
    ["GET / HTTP/0.9", "version", "HTTP/0.9 is not served here"],
    ["GET / HTTP/2.0", "version", "HTTP/2.0 is not served here"],
    ["GET / HTTP/9.1", "version", "HTTP/9.1 is not served here"],
    ["G\tT / HTTP/1.1", "malformed", BAD_METHOD],
    ["G(T / HTTP/1.1", "malformed", BAD_METHOD],
    ["GÄT / HTTP/1.1", "malformed", BAD_METHOD],
    ["GET  / HTTP/1.1", "malformed", BAD_TARGET],
    ["GET / / HTTP/1.1", "malformed", BAD_TARGET],
    ["GET /  HTTP/1.1", "malformed", BAD_TARGET],
    ["GET /\x7f HTTP/1.1", "malformed", BAD_TARGET],
    ["GET /\x1f HTTP/1.1", "malformed", BAD_TARGET],
    ["GET /\x80 HTTP/1.1", "malformed", BAD_TARGET],
  ] as const
) {
  Deno.test(`parseRequestLine() refuses ${JSON.stringify(line)}`, () => {
    const error = assertThrows(() => parse(line), Http1Error);
    assertEquals([error.kind, error.message], [kind, message]);
  });
}

Deno.test("parseRequestFields() takes as many lines as it may and no more", () => {
  const line = "GET / HTTP/1.1";
  const text = `${line}\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n`;
  const bytes = latin1(`\r\n${text}`);
  const parseUpTo = (linesMax: number) =>
    parseRequestFields(bytes, 2 + line.length + 2, bytes.length, text, linesMax);
  assertEquals(parseUpTo(3), ["A", "1", "B", "2", "C", "3"]);
  assertEquals(assertThrows(() => parseUpTo(2), Http1Error, "more than 2 header lines").kind, "tooLarge");
});

Deno.test("emptyLinesBefore() counts whole empty lines from the start on", () => {
  for (
    const [text, start, count] of [
      ["", 0, 0],
      ["GET", 0, 0],
      ["\r", 0, 0],
      ["\r\n", 0, 2],
      ["\r\n\r", 0, 2],
      ["\r\n\r\nGET", 0, 4],
      ["xx\r\nGET", 2, 2],
      ["\n\nGET", 0, 0],
      ["\r\rGET", 0, 0],
    ] as const
  ) assertEquals(emptyLinesBefore(latin1(text), start, text.length), count, JSON.stringify(text));
  // What stands behind the end was there before.
  assertEquals(emptyLinesBefore(latin1("\r\n\r\n"), 0, 3), 2);
});

/** Judges a head after each of its bytes, as a connection does that gets them one by one. */
function judgeEach(bytes: Uint8Array, count: number, first = 1): void {
  for (let end = first; end <= count; end++) judgeBeginning(bytes, 0, end, Math.max(0, end - 4));
}

Deno.test("judgeBeginning() looks at each byte of a line that drips in a few times, however long it is", () => {
  const line = "GET / HTTP/1.1\r\n";
  const bytes = latin1(`${line}X: ${"x".repeat(5_000)}\r\n`);
  let looks = 0;
  const watched = new Proxy(bytes, {
    get(target, key) {
      looks++;
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  judgeEach(watched, bytes.length, line.length + 4);
  assertLess(looks, 20 * bytes.length);
});

Deno.test("judgeBeginning() refuses no head at any of its bytes that is taken whole", () => {
  let taken = 0;
  for (const { bytes } of generateRequests(2_000, 1)) {
    const end = findSectionEnd(bytes, 0, bytes.length);
    if (end < 0 || bytes[0] === 13) continue;
    const text = fromLatin1(bytes.subarray(0, end));
    const lineEnd = text.indexOf("\r\n");
    try {
      parseRequestLine(text, lineEnd);
      parseRequestFields(bytes, lineEnd + 2, end, text, 100);
    } catch {
      continue;
    }
    judgeEach(bytes, end - 1);
    taken++;
  }
  assertGreater(taken, 1_000);
});
