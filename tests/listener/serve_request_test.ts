import { assertEquals } from "@std/assert";
import { readHead } from "../../src/listener/serve_request.ts";

/** What becomes of a request as Deno hands it over: its URL is raw, unlike that of a `Request` that is made. */
function read(url: string, headers: Record<string, string> = {}, method = "GET") {
  const body = method === "GET" ? null : new ReadableStream();
  const request = { url, method, headers: new Headers(headers), body } as Request;
  return readHead(request, { scheme: "https", authorityOf: (authority) => `${authority} of clients` });
}

// Before all others: a worker remembers the last Host that it has looked at.
Deno.test("an empty Host is none, also as the first that a worker sees, and whatever came before it", () => {
  for (const host of ["", "a.test", ""]) {
    const { unacceptable } = read(`http://${host}/x`, { host });
    assertEquals([host, unacceptable?.status], [host, host === "" ? 400 : undefined]);
  }
});

Deno.test("authority and target are those of the URL, whatever Host says beside it", () => {
  const places = [
    ["http://a.test/x", "a.test", "/x"],
    ["http://a.test//x?y", "a.test", "//x?y"],
    ["http://a.test.evil/x", "a.test.evil", "/x"],
    ["http://a.test:80/x", "a.test:80", "/x"],
    ["HTTP://b.test/x", "b.test", "/x"],
    ["https://b.test?x", "b.test", "/?x"],
    ["http://b.test", "b.test", "/"],
  ] as const;
  for (const [url, authority, target] of places) {
    const { head, unacceptable } = read(url, { host: "a.test" });
    assertEquals([url, head.authority, head.target, unacceptable], [url, authority, target, null]);
  }
});

Deno.test("a URL that two servers could take apart differently is refused", () => {
  for (
    const url of [
      "http://user@a.test/",
      "http://user@b.test/",
      "http://b.test:x/",
      "http://a.test#x",
      "ftp://a.test/",
      "http://a.test/\u00e9",
      "http://a.test/ x",
      "http:///x",
    ]
  ) {
    assertEquals([url, read(url, { host: "a.test" }).unacceptable?.status], [url, 400]);
  }
});

Deno.test("a request without Host is for the authority that clients know", () => {
  const { head } = read("http://127.0.0.1:4711/x");
  assertEquals([head.authority, head.version], ["127.0.0.1:4711 of clients", "2"]);
  // HTTP/2 has no fields about its connection (RFC 9113 8.2.2), so this one is of HTTP/1.0.
  for (const name of ["connection", "upgrade", "transfer-encoding"]) {
    assertEquals([name, read("http://127.0.0.1/", { [name]: "x" }).head.version], [name, "1.1"]);
  }
});

Deno.test("a length is one number, however often it is said", () => {
  const lengths = [["4", 4], ["4, 4", 4], ["0", 0], ["4, 5", 400], ["4,", 400], ["+4", 400], ["", 400], [
    "9".repeat(16),
    400,
  ]];
  for (const [value, expected] of lengths) {
    const { contentLength, unacceptable } = read(
      "http://a.test/",
      { "content-length": String(value) },
      "POST",
    );
    assertEquals([value, unacceptable?.status ?? contentLength], [value, expected]);
  }
});

Deno.test("a framing field or Host in several lines counts as all of them together", () => {
  const cases: readonly (readonly [name: string, lines: readonly string[], expected: number | null])[] = [
    ["Content-Length", ["4", "4"], 4],
    ["Content-Length", ["4", "5"], 400],
    ["Transfer-Encoding", ["chunked"], null],
    ["Transfer-Encoding", ["gzip", "chunked"], 501],
    ["Transfer-Encoding", ["chunked", "gzip"], 501],
    ["Host", ["a.test", "a.test"], 400],
  ];
  for (const [name, lines, expected] of cases) {
    const headers = lines.map((line) => [name, line] as [string, string]);
    const request = new Request("http://a.test/", { method: "POST", headers, body: "" });
    const { contentLength, unacceptable } = readHead(request, { scheme: "http", authorityOf: (own) => own });
    assertEquals([name, lines, unacceptable?.status ?? contentLength], [name, lines, expected]);
  }
});
