// Requests as clients write them, and then not quite: bytes lost, doubled, swapped for what parsers stumble
// over. The same seed makes the same requests.

import fc from "fast-check";
import { latin1 } from "./raw_http.ts";

/** Bytes of one or two requests, and where they are cut in two on their way. */
export interface GeneratedRequest {
  readonly bytes: Uint8Array;
  readonly cut: number;
}

const names = ["X-A", "accept", "Cookie", "X", "x_y", "X-~!", "Cache-Control", "TE"];
const values = [
  "a",
  "",
  "b, c",
  "  padded\t ",
  "keep-alive",
  "close",
  "100-continue",
  "\xe9\xff",
  '"q\\"',
  "\t",
];
const line = fc.tuple(
  fc.constantFrom(...names),
  fc.constantFrom(": ", ":", ":\t "),
  fc.constantFrom(...values),
)
  .map(([name, colon, value]) => `${name}${colon}${value}\r\n`);
const special = fc.constantFrom(
  "",
  "",
  "",
  "Connection: keep-alive\r\n",
  "Connection: close\r\n",
  "Expect: 100-continue\r\n",
);

const content = fc.constantFrom("", "a", "0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "x".repeat(40));
const extension = fc.constantFrom("", "", ";a", ";a=b", ';a="b;c"', " ;a");
const trailers = fc.constantFrom("", "", "X-T: 1\r\n", "X-T: 1\r\nx-u:\r\n");
const chunks = fc.tuple(fc.array(fc.tuple(content, extension), { maxLength: 3 }), trailers).map((
  [all, end],
) =>
  all.filter(([text]) => text !== "").map(([text, more]) =>
    `${text.length.toString(16)}${more}\r\n${text}\r\n`
  ).join("") + `0\r\n${end}\r\n`
);
const framed = fc.oneof(
  fc.constant({ line: "", body: "" }),
  content.map((text) => ({ line: `Content-Length: ${text.length}\r\n`, body: text })),
  chunks.map((text) => ({ line: "Transfer-Encoding: chunked\r\n", body: text })),
);

const method = fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH");
const target = fc.constantFrom(
  "/",
  "/a?b=c",
  "/%2e%2e//x",
  "*",
  "http://b.test/x",
  '/"<>^`{|}',
  "/a#b",
  "/;=",
);
const version = fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0");
const request = fc.record({
  method,
  target,
  version,
  special,
  lines: fc.array(line, { maxLength: 4 }),
  framed,
})
  .map(({ method, target, version, special, lines, framed: { line, body } }) => {
    const path = target === "*" && method !== "OPTIONS" ? "/" : target;
    return `${method} ${path} ${version}\r\nHost: a.test\r\n${special}${lines.join("")}${line}\r\n${body}`;
  });

/** What goes in somewhere. */
const DISTURBANCES = [
  "\r",
  "\n",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  ",",
  "+",
  "-",
  "\x0b",
  "\x7f",
  "\xa0",
  "0",
  "a",
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  " \r\n",
  "\r\n ",
  "0x",
  "1\r\n",
  "0\r\n\r\n",
  "chunked",
  ", chunked",
  "identity",
  "HTTP/1.0",
  "HTTP/2.0",
  "Host: b.test\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "Connection: close\r\n",
  "X : y\r\n",
  " folded\r\n",
  "Upgrade: h2c\r\nConnection: Upgrade\r\n",
  "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
] as const;

/** Evenly spread in [0, 1): fast-check would rather disturb the ends. */
const share = fc.noBias(fc.integer({ min: 0, max: 9_999 })).map((n) => n / 10_000);

interface Mutation {
  readonly kind: "insert" | "remove" | "replace" | "double" | "case";
  /** Where, as a share of the length. */
  readonly at: number;
  readonly count: number;
  readonly what: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("insert", "insert", "remove", "replace", "double", "case"),
  at: share,
  count: fc.integer({ min: 1, max: 4 }),
  what: fc.constantFrom(...DISTURBANCES),
});

function mutate(text: string, { kind, at, count, what }: Mutation): string {
  // Half of them at the end of a line, where grammar is thickest.
  const place = Math.floor(at * text.length);
  const from = count % 2 === 0 ? place : Math.max(0, text.lastIndexOf("\r\n", place) + 2);
  const [before, piece, after] = [
    text.slice(0, from),
    text.slice(from, from + count),
    text.slice(from + count),
  ];
  switch (kind) {
    case "insert":
      return before + what + piece + after;
    case "remove":
      return before + after;
    case "replace":
      return before + what + after;
    case "double":
      return before + piece + piece + after;
    case "case":
      return before + (piece === piece.toLowerCase() ? piece.toUpperCase() : piece.toLowerCase()) + after;
  }
}

const generated: fc.Arbitrary<GeneratedRequest> = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 2 }),
  mutations: fc.array(mutation, { maxLength: 3 }),
  cut: share,
}).map(({ requests, mutations, cut }) => {
  const bytes = latin1(mutations.reduce(mutate, requests.join("")));
  return { bytes, cut: Math.floor(cut * bytes.length) };
});

export function generateRequests(count: number, seed: number): GeneratedRequest[] {
  return fc.sample(generated, { numRuns: count, seed });
}
