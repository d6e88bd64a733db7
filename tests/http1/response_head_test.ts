// The short way of a response head past its lines leads to the same place as the long one.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { headerValue } from "../../src/exchange.ts";
import { Http1Error } from "../../src/http1/error.ts";
import { takeApart } from "../../src/http1/fields.ts";
import { parseResponseHead } from "../../src/http1/response_head.ts";
import { toClient } from "../../src/proxy/headers.ts";

const epoch = () => Date.parse("2026-01-01T00:00:00Z");

function parse(lines: readonly string[], method = "GET", status = "200 OK") {
  const text = [`HTTP/1.1 ${status}`, ...lines, "", ""].join("\r\n");
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return parseResponseHead(bytes, 0, bytes.length, method);
}

/** What the client gets when every line is looked at. */
function theLongWay(...given: Parameters<typeof parse>): string[] {
  const head = parse(...given);
  assert(head.headers.length >= 0);
  assertEquals(head.pass(), false, "somebody may have changed the lines");
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
    [false, ["keep-alive", "close"], 0],
  ];
  for (const [persistent, connection, minor = 1] of cases) {
    const lines = [...connection.map((value) => `Connection: ${value}`), "Content-Length: 0"];
    const bytes = new TextEncoder().encode([`HTTP/1.${minor} 200 OK`, ...lines, "", ""].join("\r\n"));
    const head = parseResponseHead(bytes, 0, bytes.length, "GET");
    assertEquals(head.persistent, persistent, `1.${minor} ${connection.join(" | ")}`);
  }
});
