// A body in chunks, as it comes in pieces of any size.

import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { BodyError } from "../../src/exchange.ts";
import { ChunkedBody, chunkSize } from "../../src/http1/chunked_body.ts";
import { Http1Error } from "../../src/http1/error.ts";
import { Inlet } from "../../src/http1/inlet.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";

/** A body of `text`, which comes in pieces of `size` bytes into memory that has held others; then the connection ends. */
function bodyOf(text: string, { size = text.length, strict = false, room = 16, connection = "" } = {}) {
  const bytes = latin1(text);
  let at = 0;
  const source = {
    read(into: Uint8Array): Promise<number | null> {
      const piece = bytes.subarray(at, at + Math.min(size, into.length));
      into.set(piece);
      at += piece.length;
      return Promise.resolve(piece.length === 0 ? null : piece.length);
    },
  };
  const ends: boolean[] = [];
  const inlet = new Inlet(new Uint8Array(room).fill(10), source);
  const owner = { bodyEnded: (complete: boolean) => ends.push(complete) };
  const body = new ChunkedBody(inlet, owner, strict, connection);
  /** What the next message on the connection begins with. */
  const rest = () => fromLatin1(inlet.take(inlet.available)) + text.substring(at);
  return { body, ends, rest };
}

async function readAll(body: ChunkedBody, into?: Uint8Array): Promise<string> {
  let text = "";
  for (let bytes = await body.read(into); bytes !== null; bytes = await body.read(into)) {
    text += fromLatin1(bytes);
  }
  return text;
}

const LONG = "x".repeat(300);
const TRAILERS = "Digest: Host\r\nX-B:  two \r\n";

Deno.test("ChunkedBody.read() gives the content, keeps the trailers and stops at its end, however it comes", async () => {
  const text = `5;ext="a;b"\r\nhello\r\n1\r\n \r\n12c\r\n${LONG}\r\n0\r\n${TRAILERS}\r\nGET /next`;
  for (const size of [1, 2, 3, 7, 16, 50, text.length]) {
    for (const into of [undefined, new Uint8Array(4), new Uint8Array(1_000)]) {
      for (const [strict, room] of [[false, 16], [true, 16], [true, 1_000]] as const) {
        const { body, ends, rest } = bodyOf(text, { size, strict, room });
        assertEquals(await readAll(body, into), `hello ${LONG}`);
        assertEquals(body.trailers, ["Digest", "Host", "X-B", "two"]);
        assertEquals([ends, rest(), await body.read()], [[true], "GET /next", null]);
      }
    }
  }
});

Deno.test("ChunkedBody.read() gives nothing of an empty body", async () => {
  for (const text of ["0\r\n\r\n", "000\r\n\r\n", "0;a=b\r\n\r\n"]) {
    const { body, ends, rest } = bodyOf(`${text}GET`, { size: 2 });
    assertEquals([await body.read(), body.trailers, ends, rest()], [null, [], [true], "GET"]);
  }
});

Deno.test("ChunkedBody.read() takes a body that breaks off for no end", async () => {
  for (const trailers of ["", TRAILERS]) {
    const whole = `5\r\nhello\r\n0\r\n${trailers}\r\n`;
    // Five bytes, or eight: the last chunk's line then comes with the CRLF before it, or behind that.
    for (const size of [1, 2, 3, 4, 5, 6, 7, 8, whole.length]) {
      for (let length = 0; length < whole.length; length++) {
        const { body, ends } = bodyOf(whole.substring(0, length), { size });
        const error = await assertRejects(() => readAll(body), BodyError);
        assertEquals([error.kind, ends], ["truncated", [false]], `after ${length} bytes`);
      }
    }
  }
});

for (
  const [what, text] of [
    ["a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
    ["a chunk that ends without CR", "5\r\nhello\n\n0\r\n\r\n"],
    ["a chunk that ends without LF", "5\r\nhello\r\r0\r\n\r\n"],
    ["a line that ends without CR", "5\nhello\r\n0\r\n\r\n"],
    ["a line that ends without CR, and is a size without its last digit", "50\nhello\r\n0\r\n\r\n"],
    ["a last line that ends without CR", "0\n\r\n"],
    ["an empty line for a size", "\r\nhello\r\n0\r\n\r\n"],
    ["an LF for a line", "\nhello\r\n0\r\n\r\n"],
    ["trailers that begin with a CR", "0\r\n\rA: 1\r\n\r\n"],
    ["a trailer of one letter that ends without CR", "0\r\nA\n\r\n\r\n"],
    ["a trailer that is folded", "0\r\nA: 1\r\n b\r\n\r\n"],
    ["a trailer without a colon", "0\r\nnonsense\r\n\r\n"],
    ["a line beyond its limit", `5;${"a".repeat(9_000)}\r\nhello\r\n0\r\n\r\n`],
    ["a line without end", "5;" + "a".repeat(20_000)],
    ["trailers beyond their limit", `0\r\nA: ${"a".repeat(17_000)}\r\n\r\n`],
    ["trailers without end", `0\r\n${"A: 1\r\n".repeat(4_000)}`],
  ] as const
) {
  Deno.test(`ChunkedBody.read() refuses ${what}`, async () => {
    for (const size of [text.length > 100 ? 1_000 : 1, text.length]) {
      const { body, ends } = bodyOf(text, { size });
      const error = await assertRejects(() => readAll(body), BodyError);
      assertEquals([error.kind, ends], ["malformed", [false]]);
    }
  });
}

Deno.test("ChunkedBody.read() takes long lines and trailers within their limits", async () => {
  const value = "a".repeat(16_000);
  const { body } = bodyOf(`5;${"a".repeat(4_000)}\r\nhello\r\n0\r\nA: ${value}\r\n\r\n`, { size: 100 });
  assertEquals([await readAll(body), body.trailers], ["hello", ["A", value]]);
});

Deno.test("ChunkedBody refuses trailers of a request that would change how it is read", async () => {
  for (const name of ["Content-Length", "transfer-encoding", "HOST"]) {
    const text = `0\r\nX: 1\r\n${name}: 1\r\n\r\n`;
    const strict = bodyOf(text, { strict: true });
    const error = await assertRejects(() => strict.body.read(), BodyError, `${name} in trailers`);
    assertEquals([error.kind, strict.ends], ["malformed", [false]]);
    const lenient = bodyOf(text);
    assertEquals([await lenient.body.read(), lenient.ends], [null, [true]]);
  }
});

Deno.test("ChunkedBody.read() leaves trailers behind that Connection names", async () => {
  const passing: readonly (readonly [connection: string, trailers: string[]])[] = [
    ["close, x-b ", ["Digest", "Host"]],
    ["x", ["Digest", "Host", "X-B", "two"]],
  ];
  for (const [connection, trailers] of passing) {
    const { body } = bodyOf(`0\r\n${TRAILERS}\r\n`, { connection });
    assertEquals([await body.read(), body.trailers], [null, trailers]);
  }
});

Deno.test("ChunkedBody.ready tells whether a read would not have to wait", async () => {
  const { body } = bodyOf("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", { size: 9 });
  const seen: [string, boolean][] = [];
  for (let bytes = await body.read(); bytes !== null; bytes = await body.read()) {
    seen.push([fromLatin1(bytes), body.ready]);
  }
  // Nine bytes are "5 CRLF hello CR": the next line is not here. Then comes "LF 3 CRLF abc CR LF".
  assertEquals(seen, [["hello", false], ["abc", false]]);
  const whole = bodyOf("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", { size: 16 });
  assertEquals(whole.body.ready, false);
  assertEquals(await whole.body.read(new Uint8Array(3)), latin1("hel"));
  assertEquals(whole.body.ready, true);
  await whole.body.read();
  assertEquals(whole.body.ready, true);
});

/** What the body has given, what has come behind it -> whether there is something to give. */
const readiness: readonly (readonly [given: string, here: string, ready: boolean])[] = [
  ["", "", false],
  ["", "5\r", false],
  ["", "5\r\n", true],
  ["5\r\nhel", "", false],
  ["5\r\nhel", "l", true],
  ["5\r\nhello", "", false],
  ["5\r\nhello", "\r\n", false],
  ["5\r\nhello", "\r\n3\r", false],
  ["5\r\nhello", "\r\n3\r\n", true],
];

for (const [given, here, ready] of readiness) {
  const what = `${JSON.stringify(here)} behind ${JSON.stringify(given)}`;
  Deno.test(`ChunkedBody.ready is ${ready} with ${what}`, async () => {
    const inlet = new Inlet(new Uint8Array(32).fill(10), { read: () => Promise.resolve(null) });
    const body = new ChunkedBody(inlet, { bodyEnded: () => {} }, false, "");
    inlet.bytes.set(latin1(given), 3);
    [inlet.start, inlet.end] = [3, 3 + given.length];
    if (given !== "") await body.read();
    inlet.bytes.set(latin1(here), 20);
    [inlet.start, inlet.end] = [20, 20 + here.length];
    assertEquals(body.ready, ready);
  });
}

for (
  const [line, size, strictly] of [
    ["0", 0, true],
    ["9", 9, true],
    ["a", 10, true],
    ["F", 15, true],
    ["1aF", 431, true],
    ["005", 5, true],
    ["0000000000000005", 5, true],
    ["0".repeat(40) + "ffffffffffff", 2 ** 48 - 1, true],
    ["0".repeat(40), 0, true],
    ["ffffffffffff", 2 ** 48 - 1, true],
    ["5;a", 5, true],
    ['5;a=b;c="d;\\"e"', 5, true],
    ['5;a="\xe9\t"', 5, true],
    ["5 ", 5, false],
    ["5 ;a", 5, false],
    ["5\t;a", 5, false],
    ["5;", 5, false],
    ["5; a", 5, false],
    ["5;a=", 5, false],
    ['5;a="b', 5, false],
    ["5;a\x01", 5, false],
  ] as const
) {
  Deno.test(`chunkSize() of ${JSON.stringify(line)} is ${size}${strictly ? "" : ", but not of a request"}`, () => {
    assertEquals(chunkSize(line, false), size);
    if (strictly) assertEquals(chunkSize(line, true), size);
    else assertThrows(() => chunkSize(line, true), Http1Error);
  });
}

for (
  const line of [
    "",
    " 5",
    "g",
    "-5",
    "+5",
    "0x5",
    "5 5",
    "5,5",
    "5:",
    "5@",
    "5`",
    "5/",
    "\r",
    "5\r",
    "5;a\rb",
    "1000000000000",
    "0001000000000000",
    "ffffffffffffffffffff",
  ]
) {
  Deno.test(`chunkSize() refuses ${JSON.stringify(line)}`, () => {
    for (const strict of [false, true]) {
      assertEquals(assertThrows(() => chunkSize(line, strict), Http1Error).kind, "malformed");
    }
  });
}

/** Bytes over the limit -> whether the body is read. */
for (const [over, read] of [[0, true], [1, false]] as const) {
  const what = read ? "takes" : "refuses";
  const ways = [1, 1_000, 40_000].flatMap((size) => [16, 40_000].map((room) => ({ size, room })));
  Deno.test(`ChunkedBody.read() ${what} a chunk line ${over} bytes beyond its limit, however it comes`, async () => {
    const text = `${"5".padStart(4_095 + over, "0")}\r\nhello\r\n0\r\n\r\n`;
    for (const way of ways) {
      const { body } = bodyOf(text, way);
      if (read) assertEquals(await readAll(body), "hello");
      else await assertRejects(() => readAll(body), BodyError, "chunk line too long");
    }
  });

  Deno.test(`ChunkedBody.read() ${what} trailers ${over} bytes beyond their limit, however they come`, async () => {
    const text = `0\r\nA: ${"x".repeat(16_384 - 7 + over)}\r\n\r\n`;
    for (const way of ways) {
      const { body } = bodyOf(text, way);
      if (read) assertEquals([await readAll(body), body.trailers.length], ["", 2]);
      else await assertRejects(() => readAll(body), BodyError, "trailers too long");
    }
  });
}

Deno.test("ChunkedBody.read() looks at each byte of its trailers a few times, however they come", async () => {
  const text = `0\r\n${`X-A: ${LONG}\r\n`.repeat(8)}\r\n`;
  const bytes = latin1(text);
  const memory = new Uint8Array(4_096);
  let looks = 0;
  const counted = new Proxy(memory, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) looks++;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  let at = 0;
  const inlet: Inlet = new Inlet(memory, {
    read(into) {
      into[0] = bytes[at]!;
      at++;
      // Behind the last chunk's line, and while the trailers are not complete.
      inlet.bytes = at > 3 && at < bytes.length ? counted : memory;
      return Promise.resolve(1);
    },
  });
  const body = new ChunkedBody(inlet, { bodyEnded: () => {} }, false, "");
  assertEquals([await body.read(), body.trailers.length], [null, 16]);
  assertLess(looks, bytes.length * 10);
});

/** A body of `text`, all of which is here, with the next message behind it. */
function arrived(text: string) {
  const { body, ends, rest } = bodyOf("", { room: 1_024 });
  const { inlet } = body as unknown as { inlet: Inlet };
  inlet.bytes.set(latin1(`..${text}GET /next`));
  [inlet.start, inlet.end] = [2, 2 + text.length + "GET /next".length];
  return { body, ends, rest };
}

const plain: Record<string, string> = {
  "0\r\n\r\n": "",
  "5\r\nhello\r\n0\r\n\r\n": "hello",
  "5\r\nhello\r\n1\r\n \r\n00B\r\nworld\r\n\r\n 0\r\n0\r\n\r\n": "hello world\r\n\r\n 0",
  [`12C\r\n${LONG}\r\n0\r\n\r\n`]: LONG,
};

for (const [text, content] of Object.entries(plain)) {
  Deno.test(`ChunkedBody.lendWhole() joins ${JSON.stringify(text.slice(0, 40))} before the body ends`, async () => {
    const { body, ends, rest } = arrived(text);
    let lent = "";
    const use = (bytes: Uint8Array) => lent += `${fromLatin1(bytes)}, ended: ${ends}`;
    assertEquals([body.lendWhole(use), lent], [content.length, `${content}, ended: `]);
    assertEquals([ends, rest(), await body.read(), body.lendWhole(use)], [[true], "GET /next", null, -1]);
  });
}

const others = {
  "that has an extension": "5;a=b\r\nhello\r\n0\r\n\r\n",
  "that has trailers": `5\r\nhello\r\n0\r\n${TRAILERS}\r\n`,
  "with blanks behind a size": "5 \r\nhello\r\n0\r\n\r\n",
  "with more digits than a buffer can hold": "0000005\r\nhello\r\n0\r\n\r\n",
};

for (const [what, text] of Object.entries(others)) {
  Deno.test(`a ChunkedBody ${what} is read as it comes, and not lent`, async () => {
    const { body, ends, rest } = arrived(text);
    assertEquals(body.lendWhole(() => ends.push(true)), -1);
    assertEquals([await readAll(body), ends, rest()], ["hello", [true], "GET /next"]);
  });
}

const broken = [
  "5\r\nhelloX\r\n0\r\n\r\n",
  "5\r\nhelloX\n0\r\n\r\n",
  "5\nhello\r\n0\r\n\r\n",
  "5X\nhello\r\n0\r\n\r\n",
  "\r\n0\r\n\r\n",
  "\r\n\r\n",
  "-1\r\n0\r\n\r\n",
  "x\r\n\r\n",
];

Deno.test("ChunkedBody.lendWhole() lends nothing that read() refuses", async () => {
  for (const text of broken) {
    const { body, ends } = arrived(text);
    assertEquals(body.lendWhole(() => ends.push(true)), -1);
    await assertRejects(() => readAll(body), BodyError);
    assertEquals(ends, [false]);
  }
});

Deno.test("a ChunkedBody of which not all is here is not lent, and loses nothing", async () => {
  const text = `5\r\nhello\r\n12c\r\n${LONG}\r\n0\r\n\r\n`;
  for (let here = 0; here < text.length; here++) {
    const { body, ends } = bodyOf(text.substring(here), { room: 1_024 });
    const { inlet } = body as unknown as { inlet: Inlet };
    inlet.bytes.set(latin1(text.substring(0, here)));
    inlet.end = here;
    assertEquals(body.lendWhole(() => ends.push(true)), -1);
    assertEquals([await readAll(body), ends], [`hello${LONG}`, [true]]);
  }
});

Deno.test("a ChunkedBody whose beginning was read is not lent", async () => {
  const { body, ends } = arrived("5\r\nhello\r\n0\r\n\r\n");
  assertEquals(await body.read(new Uint8Array(2)), latin1("he"));
  assertEquals(body.lendWhole(() => ends.push(true)), -1);
  assertEquals([await readAll(body), ends], ["llo", [true]]);
});

Deno.test("a ChunkedBody lends neither the rest of a chunk nor what is behind its end, whatever that looks like", async () => {
  const inside = "x1\r\n1\r\n0\r\n\r\n";
  const begun = arrived(`${inside.length.toString(16)}\r\n${inside}\r\n0\r\n\r\n`);
  assertEquals(await begun.body.read(new Uint8Array(1)), latin1("x"));
  assertEquals(begun.body.lendWhole(() => {}), -1);
  assertEquals(await readAll(begun.body), inside.substring(1));
  const { body, rest } = arrived("0\r\n\r\n0\r\n\r\n");
  assertEquals([body.lendWhole(() => {}), body.lendWhole(() => {}), rest()], [0, -1, "0\r\n\r\nGET /next"]);
});
