// The short way of a response head past its lines leads to the same place as the long one.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { headerValue } from "../../src/exchange.ts";
import { Http1Error } from "../../src/http1/error.ts";
import { takeApart } from "../../src/http1/fields.ts";
import { parseResponseHead, requireBeginning } from "../../src/http1/response_head.ts";
import { toClient } from "../../src/proxy/headers.ts";
import { latin1 } from "../support/raw_http.ts";

const epoch = () => Date.parse("2026-01-01T00:00:00Z");

function parse(lines: readonly string[], method = "GET", status = "200 OK") {
  const text = [`HTTP/1.1 ${status}`, ...lines, "", ""].join("\r\n");
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return parseResponseHead(bytes, 0, bytes.length, method);
}

function parseText(text: string) {
  const bytes = latin1(text);
  return parseResponseHead(bytes, 0, bytes.length, "GET");
}

/** What the client gets when every line is looked at. */
function theLongWay(...given: Parameters<typeof parse>): string[] {
  const head = parse(...given);
  // Whoever has seen the lines may have changed them.
  void head.headers;
  assertEquals(head.pass(), false);
  return toClient(head, epoch);
}

const PLAIN = ["Server: nginx", "Date: Thu, 01 Jan 2026 00:00:00 GMT", "Content-Length: 5"];

Deno.test("a head whose lines all pass goes to the client as it stands", () => {
  const head = parse([
    PLAIN[0]!,
    "Connection: keep-alive",
    ...PLAIN.slice(1),
    "Keep-Alive: timeout=5",
    'ETag: "ä"',
  ]);
  assertEquals([head.persistent, head.keepAliveMs, head.framing, head.contentLength], [
    true,
    5_000,
    "length",
    5,
  ]);
  assertEquals(head.pass(), true);
  assertEquals(head.text, [...PLAIN, 'ETag: "ä"', ""].join("\r\n"));
  assertEquals(head.textLength, 5);
  const { headers } = head;
  assertEquals(headers.filter((_, i) => i % 2 === 0), ["Server", "Date", "Content-Length", "ETag"]);
  assertEquals(head.text, null, "from now on the lines count");
});

Deno.test("a head with a line that is more than it seems is looked at line by line", () => {
  const closer: readonly (readonly [string[], string?])[] = [
    [["Server: nginx", "Content-Length: 5"]], // Date is added
    [[...PLAIN, "Connection: x-hop", "X-Hop: 1"]],
    [[...PLAIN, "Connection: Keep-Alive"]],
    [[...PLAIN, "Content-Length: 5"]],
    [["Date: x", "Content-Length: 5, 5"]],
    [["Date: x", "Content-Length: 05"]],
    [[...PLAIN, "X:  two"]],
    [[...PLAIN, "X:none"]],
    [[...PLAIN, "X:\ttab"]],
    [[...PLAIN, "X: "]],
    [[...PLAIN, "X: behind \t"]],
    [PLAIN, "204 No Content"],
    [PLAIN, "103 Early Hints"],
  ];
  for (const [lines, status] of closer) assertEquals(parse(lines, "GET", status).pass(), false, lines.join());
});

Deno.test("the short way and the long way give the client the same lines, whatever the head says", () => {
  let chance = 11;
  const below = (n: number) => (chance = (chance * 48_271) % 2_147_483_647) % n;
  const pool = [
    ...PLAIN,
    "Connection: keep-alive",
    "Connection: close",
    "connection: X-Hop",
    "X-Hop: named",
    "Keep-Alive: timeout=30, max=5",
    "Transfer-Encoding: chunked",
    "TE: trailers",
    "Trailer: X-Sum",
    "Upgrade: h2c",
    "Proxy-Connection: keep-alive",
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "Via: 1.1 origin",
    "Content-Type: text/html",
    "X-Blank:",
    "X-Wide:   w  ",
    "content-length: 5",
    "Date: yesterday",
  ];
  let short = 0;
  for (let round = 0; round < 20_000; round++) {
    const lines = Array.from({ length: below(9) }, () => pool[below(pool.length)]!);
    const status = ["200 OK", "304 Not Modified", "204 No Content", "500 Oh"][below(4)]!;
    const method = ["GET", "HEAD"][below(2)]!;
    let long: string[];
    try {
      long = theLongWay(lines, method, status);
    } catch (error) {
      assert(error instanceof Http1Error);
      assertThrows(() => parse(lines, method, status), Http1Error, error.message);
      continue;
    }
    const head = parse(lines, method, status);
    if (!head.pass()) continue;
    short++;
    assertEquals(takeApart(head.text!), long, lines.join(" | "));
    assertEquals(head.textLength, Number(headerValue(long, "content-length") ?? -1), lines.join(" | "));
  }
  assert(short > 1_000, `${short} went the short way`);
});

Deno.test("a connection lives on unless the origin says close in any line, or is of HTTP/1.0 and says nothing", () => {
  const cases: readonly (readonly [persistent: boolean, connection: readonly string[], minor?: number])[] = [
    [true, []],
    [true, ["keep-alive"]],
    [false, ["Close"]],
    [false, ["close", "keep-alive"]],
    [false, ["keep-alive", "close"]],
    [false, ["close", "x-hop, keep-alive"]],
    [false, ["x-hop, close", "keep-alive"]],
    [true, ["x-hop", "Keep-Alive"]],
    [false, [], 0],
    [true, ["Keep-Alive"], 0],
    [true, ["keep-alive", "x-hop"], 0],
    [true, ["x-hop, Keep-Alive"], 0],
    [false, ["keep-alive", "close"], 0],
  ];
  for (const [persistent, connection, minor = 1] of cases) {
    const lines = [...connection.map((value) => `Connection: ${value}`), "Content-Length: 0"];
    const bytes = new TextEncoder().encode([`HTTP/1.${minor} 200 OK`, ...lines, "", ""].join("\r\n"));
    const head = parseResponseHead(bytes, 0, bytes.length, "GET");
    assertEquals(head.persistent, persistent, `1.${minor} ${connection.join(" | ")}`);
  }
});

/** Status line -> what it says: status and reason. */
const said: Record<string, readonly [status: number, reason: string]> = {
  "HTTP/1.1 200 OK": [200, "OK"],
  "HTTP/1.0 100 Continue": [100, "Continue"],
  "HTTP/1.1 999 ": [999, ""],
  "HTTP/1.1 204": [204, ""],
  "HTTP/1.1 200  two\tspaces": [200, " two\tspaces"],
  "HTTP/1.1 404 Nicht gefunden \xfc~": [404, "Nicht gefunden \xfc~"],
};

for (const [line, expected] of Object.entries(said)) {
  Deno.test(`parseResponseHead() reads ${JSON.stringify(line)}`, () => {
    const { status, reason } = parseText(`${line}\r\n\r\n`);
    assertEquals([status, reason], expected);
  });
}

const DATE_LINE = "Date: x";
/** Status line and fields of answers that nobody can be sure of -> what is wrong. */
const malformed: readonly (readonly [why: string, line: string, ...fields: string[]])[] = [
  ["not an HTTP/1 status line", "HTTP/2 200 OK"],
  ["not an HTTP/1 status line", "http/1.1 200 OK"],
  ["not an HTTP/1 status line", "ICY 200 OK"],
  ["HTTP version is not 1.0 or 1.1", "HTTP/1.2 200 OK"],
  ["HTTP version is not 1.0 or 1.1", "HTTP/1./ 200 OK"],
  ["status line without a status code", "HTTP/1.1"],
  ["status line without a status code", "HTTP/1.1 20"],
  ["status line without a status code", "HTTP/1.1 099 Low"],
  ["status line without a status code", "HTTP/1.1 2000 High"],
  ["status line without a status code", "HTTP/1.1 2:0 OK"],
  ["status line without a status code", "HTTP/1.1 /99 OK"],
  ["status line without a status code", "HTTP/1.1 1/9 OK"],
  ["status line without a status code", "HTTP/1.1 2/9 OK"],
  ["status line without a status code", "HTTP/1.1 :00 OK"],
  ["status line without a status code", "HTTP/1.1 20: OK"],
  ["status line without a status code", "HTTP/1.1\t200 OK"],
  ["status line without a status code", "HTTP/1.1 200\tOK"],
  ["status line without a status code", "HTTP/1.1 200OK"],
  ["status line without a status code", "HTTP/1.11 200 OK"],
  ["control character in the reason phrase", "HTTP/1.1 200 O\x00K"],
  ["control character in the reason phrase", "HTTP/1.1 200 O\x1fK"],
  ["control character in the reason phrase", "HTTP/1.1 200 O\x7fK"],
  ["control character in the reason phrase", "HTTP/1.1 200 O\nK"],
  ["Transfer-Encoding in HTTP/1.0", "HTTP/1.0 200 OK", "Transfer-Encoding: chunked"],
  ["both Transfer-Encoding and", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 0"],
  ["both Transfer-Encoding and", "HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked"],
  [
    "several Transfer-Encoding",
    "HTTP/1.1 200 OK",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked",
  ],
  ["other than chunked", "HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"],
  ["other than chunked", "HTTP/1.1 200 OK", "Transfer-Encoding: identity"],
  ["other than chunked", "HTTP/1.1 200 OK", "Transfer-Encoding: "],
  ["differing Content-Length", "HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 6"],
  ["differing Content-Length", "HTTP/1.1 200 OK", "Content-Length: 0", "Content-Length: 1"],
  ["differing Content-Length", "HTTP/1.1 200 OK", "Content-Length: 5, 6"],
  ["Content-Length is empty", "HTTP/1.1 200 OK", "Content-Length: "],
  ["Content-Length is empty", "HTTP/1.1 200 OK", "Content-Length: 5,"],
  ["Content-Length is not a number", "HTTP/1.1 200 OK", "Content-Length: +5"],
  ["Content-Length is not a number", "HTTP/1.1 200 OK", "Content-Length: 0x5"],
  ["Content-Length is not a number", "HTTP/1.1 200 OK", "Content-Length: 5 5"],
  ["Content-Length is not a number", "HTTP/1.1 200 OK", "Content-Length: 4:"],
  ["Content-Length is too large", "HTTP/1.1 200 OK", "Content-Length: 1000000000000000"],
];

Deno.test("parseResponseHead() refuses what leaves room for two readings", () => {
  for (const [why, line, ...fields] of malformed) {
    const text = [line, DATE_LINE, ...fields, "", ""].join("\r\n");
    const error = assertThrows(() => parseText(text), Http1Error, why, JSON.stringify(text));
    assertEquals(error.kind, "malformed");
  }
  // The longest that counts.
  assertEquals(parse(["Content-Length: 999999999999999"]).contentLength, 999_999_999_999_999);
});

const ENCODED = "Transfer-Encoding: Chunked";
/** Where an answer ends, as RFC 9112 6.3 has it: method, status, fields -> framing. */
const framings: readonly (readonly [framing: string, method: string, status: number, ...fields: string[]])[] =
  [
    ["untilClose", "GET", 200],
    ["length", "GET", 200, "Content-Length: 5"],
    ["length", "GET", 200, "Content-Length: 5", "content-length: 5,5"],
    ["none", "GET", 200, "Content-Length: 0"],
    ["chunked", "GET", 200, ENCODED],
    ["none", "HEAD", 200, "Content-Length: 5"],
    ["none", "HEAD", 200, ENCODED],
    ["none", "HEAD", 404],
    ["none", "GET", 204, "Content-Length: 5"],
    ["none", "GET", 304, ENCODED],
    ["none", "GET", 199, "Content-Length: 5"],
    ["none", "GET", 103],
    ["untilClose", "GET", 205],
    ["length", "GET", 303, "Content-Length: 5"],
    ["length", "GET", 305, "Content-Length: 5"],
    ["none", "CONNECT", 200, "Content-Length: 5"],
    ["none", "CONNECT", 299, ENCODED],
    ["length", "CONNECT", 300, "Content-Length: 5"],
  ];

Deno.test("parseResponseHead() refuses more lines than anybody has a use for, however short they are", () => {
  const lines = Array.from({ length: 1_000 }, (_, i) => `a${i}: b`);
  assertEquals(parse(lines).headers.length, 2_000);
  const { kind } = assertThrows(() => parse([...lines, "b: c"]), Http1Error, "more than 1000 lines");
  assertEquals(kind, "tooLarge");
});

Deno.test("a field name of more than 65,535 bytes is refused: over HTTP/2 it would end the process", () => {
  const name = "a".repeat(65_535);
  assertEquals(parse([`${name}: b`]).headers, [name, "b"]);
  const { kind } = assertThrows(() => parse([`${name}a: b`]), Http1Error, "more than 65535 bytes");
  assertEquals(kind, "tooLarge");
});

Deno.test("parseResponseHead() says where an answer ends, and whether its connection lives on", () => {
  for (const [framing, method, status, ...fields] of framings) {
    const head = parse(fields, method, `${status} Word`);
    const what = `${method} ${status} ${fields.join()}`;
    assertEquals(head.framing, framing, what);
    assertEquals(head.contentLength, framing === "length" ? 5 : 0, what);
    assertEquals(head.persistent, framing !== "untilClose", what);
  }
});

Deno.test("parseResponseHead() reads what Connection names, in all its lines and in those of this head alone", () => {
  const named = (...lines: string[]) =>
    parse([...lines.map((value) => `Connection: ${value}`), "X-B: 1"]).connection;
  assertEquals(named("X-A", "close, X-B").split(","), ["X-A", "close", " X-B", ""]);
  for (const lines of [[], ["close"], ["keep-alive"]]) assertEquals(named(...lines), "");
});

Deno.test("parseResponseHead() reads how long a connection may idle, and what the first content is", () => {
  const idles: readonly (readonly [value: string, ms: number])[] = [
    ["timeout=5", 5_000],
    ["max=100, Timeout=7", 7_000],
    ["timeout=999999", 999_999_000],
    ["timeout=1000000", 0],
    ["timeout=", 0],
    ["timeout", 0],
    ["timeout=-1", 0],
    ["timeout=5s", 0],
    ["max=5", 0],
  ];
  for (const [value, ms] of idles) assertEquals(parse([`Keep-Alive: ${value}`]).keepAliveMs, ms, value);
  const types = ["X-Content-T: a", "Content-Type: text/css", "content-type: text/html", "Content-Tape: b"];
  assertEquals([parse(types).contentType, parse([]).contentType], ["text/css", ""]);
});

Deno.test("parseResponseHead() reads from where it is told to, and nothing of what was read before", () => {
  parse(["Transfer-Encoding: chunked", "Connection: close", "Keep-Alive: timeout=5", "Content-Type: a"]);
  const [before, text] = [
    "HTTP/1.1 103 Early\r\n\r\n",
    "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 3\r\n\r\n",
  ];
  const bytes = latin1(`${before}${text}abc`);
  const head = parseResponseHead(bytes, before.length, before.length + text.length, "GET");
  assertEquals(
    [head.status, head.framing, head.contentLength, head.persistent, head.keepAliveMs, head.contentType],
    [200, "length", 3, true, 0, ""],
  );
  assertEquals([head.pass(), head.text], [true, "Date: x\r\nContent-Length: 3\r\n"]);
});

Deno.test("requireBeginning() waits for whatever may still become a head, and for nothing else", () => {
  const required = (text: string) => requireBeginning(latin1("ab" + text), 2, text.length + 2);
  const head = "HTTP/1.1 200 OK\r\nX-A: 1\r\n";
  for (let length = 0; length <= head.length; length++) required(head.substring(0, length));
  const refused = {
    "not an HTTP/1 status line": [
      "S",
      "SSH-2.0-OpenSSH_9.9\r\n",
      "220 mail ESMTP\r\n",
      "HTTP/2",
      "HTTP/1\r",
      "\r",
    ],
    "line that ends without CR": ["HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\r\nX-A: 1\n\n"],
  };
  for (const [why, texts] of Object.entries(refused)) {
    for (const text of texts) assertThrows(() => required(text), Http1Error, why, JSON.stringify(text));
  }
});
