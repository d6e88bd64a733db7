import { assertEquals } from "@std/assert";
import type { HeaderLines } from "../../src/exchange.ts";
import { interimHeadText, type ResponseFraming, responseHeadText } from "../../src/http1/response_writer.ts";

interface Case {
  readonly framing: ResponseFraming;
  readonly length?: number;
  readonly lines: HeaderLines;
  /** What stands between the status line and the blank line. */
  readonly written: string;
}

/** What the lines say of the framing gives way to what is sent. */
const CASES: readonly Case[] = [
  {
    framing: "length",
    length: 5,
    lines: ["content-length", "5", "X-A", "1"],
    written: "content-length: 5|X-A: 1",
  },
  { framing: "length", length: 5, lines: ["X-A", "1"], written: "X-A: 1|Content-Length: 5" },
  { framing: "length", length: 5, lines: ["Content-Length", "6"], written: "Content-Length: 5" },
  { framing: "length", length: 0, lines: [], written: "Content-Length: 0" },
  {
    framing: "length",
    length: 5,
    lines: ["Content-Length", "5", "Content-Length", "5"],
    written: "Content-Length: 5",
  },
  { framing: "asWritten", lines: ["Content-Length", "100"], written: "Content-Length: 100" },
  {
    framing: "asWritten",
    lines: ["Content-Length", "7", "Content-Length", "7"],
    written: "Content-Length: 7",
  },
  { framing: "asWritten", lines: [], written: "" },
  { framing: "none", lines: ["Content-Length", "0"], written: "" },
  { framing: "untilClose", lines: ["Content-Length", "5"], written: "" },
  { framing: "chunked", lines: ["Content-Length", "5"], written: "Transfer-Encoding: chunked" },
  { framing: "chunked", lines: ["transfer-encoding", "gzip"], written: "Transfer-Encoding: chunked" },
  { framing: "asWritten", lines: ["Transfer-Encoding", "chunked", "Connection", "X-A"], written: "" },
  { framing: "asWritten", lines: ["Upgrade", "h2c"], written: "Upgrade: h2c|Connection: Upgrade" },
  {
    framing: "asWritten",
    lines: ["Upgrade", "h2c", "Upgrade", "TLS/1.0", "A", "1"],
    written: "Upgrade: h2c|Upgrade: TLS/1.0|A: 1|Connection: Upgrade",
  },
];

function written(text: string): string {
  return text.substring(text.indexOf("\r\n") + 2, text.length - 2).trimEnd().replaceAll("\r\n", "|");
}

for (const { framing, length = 0, lines, written: expected } of CASES) {
  Deno.test(`responseHeadText() of "${lines}" framed by ${framing} (${length}) is "${expected}"`, () => {
    const shape = { framing, length, close: false, keepAlive: false };
    const text = responseHeadText({ status: 200, reason: "", headers: lines }, shape);
    assertEquals(written(text), expected);
  });
}

Deno.test("responseHeadText() says what becomes of the connection, and nothing that its lines say", () => {
  for (
    const [close, keepAlive, said] of [
      [false, false, ""],
      [true, false, "Connection: close"],
      [false, true, "Connection: keep-alive"],
    ] as const
  ) {
    const shape = { framing: "none", length: 0, close, keepAlive } as const;
    const head = { status: 204, reason: "", headers: ["Connection", "close, X-A"] };
    assertEquals(written(responseHeadText(head, shape)), said);
  }
});

Deno.test("responseHeadText() writes lines that are one text as they stand, while they agree with what is sent", () => {
  const headers = ["Content-Length", "6"];
  for (
    const [framing, length, textLength, expected] of [
      ["length", 5, 5, "text: 5|Connection: close"],
      ["length", 6, 5, "Content-Length: 6|Connection: close"],
      ["length", 5, -1, "text: 5|Content-Length: 5|Connection: close"],
      ["asWritten", 0, 5, "text: 5|Connection: close"],
      ["chunked", 0, -1, "text: 5|Transfer-Encoding: chunked|Connection: close"],
      ["chunked", 0, 5, "Transfer-Encoding: chunked|Connection: close"],
      ["none", 0, 5, "Connection: close"],
      ["untilClose", 0, -1, "text: 5|Connection: close"],
    ] as const
  ) {
    const head = { status: 200, reason: "", headers, text: "text: 5\r\n", textLength };
    const shape = { framing, length, close: true, keepAlive: false };
    assertEquals(written(responseHeadText(head, shape)), expected, `${framing} ${length} ${textLength}`);
  }
});

Deno.test("a status line has its own reason, the registered one, or none", () => {
  const shape = { framing: "none", length: 0, close: false, keepAlive: false } as const;
  for (
    const [status, reason, line] of [
      [200, "Fine", "HTTP/1.1 200 Fine"],
      [404, "", "HTTP/1.1 404 Not Found"],
      [799, "", "HTTP/1.1 799 "],
    ] as const
  ) {
    assertEquals(responseHeadText({ status, reason, headers: [] }, shape), `${line}\r\n\r\n`);
  }
});

Deno.test("interimHeadText() has its lines as they are", () => {
  const headers = ["Link", "</a>", "Connection", "Upgrade"];
  const text = interimHeadText({ status: 103, reason: "", headers });
  assertEquals(text, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: Upgrade\r\n\r\n");
});
