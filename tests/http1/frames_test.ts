// WebSocket frames: what is written is read back however it is cut, and what RFC 6455 forbids is refused.

import { assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FrameReader, type Incoming } from "../../src/http1/frame_reader.ts";
import {
  closePayload,
  FrameError,
  isCloseCode,
  Opcode,
  readClose,
  readFrameHead,
  writeFrame,
} from "../../src/http1/frames.ts";
import { concat } from "../support/raw_http.ts";

const MESSAGE_BYTES_MAX = 200_000;
const key = new Uint8Array([0x12, 0x34, 0x56, 0x78]);
const utf8 = (text: string) => new TextEncoder().encode(text);
const bytes = (...values: number[]) => new Uint8Array(values);
const server = () => new FrameReader("server", MESSAGE_BYTES_MAX);

/** All that a reader makes of these pieces. */
function readAll(reader: FrameReader, pieces: Iterable<Uint8Array>): Incoming[] {
  const all: Incoming[] = [];
  for (const piece of pieces) all.push(...reader.read(piece));
  return all;
}

/** Close code of the refusal of these bytes. */
function refusalOf(wire: Uint8Array, reader = server()): number {
  return assertThrows(() => readAll(reader, [wire]), FrameError).code;
}

Deno.test("writeFrame() writes the examples of RFC 6455 5.7", () => {
  const hello = utf8("Hello");
  assertEquals(writeFrame(Opcode.text, hello, null), bytes(0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f));
  assertEquals(
    writeFrame(Opcode.text, hello, bytes(0x37, 0xfa, 0x21, 0x3d)),
    bytes(0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58),
  );
  assertEquals(writeFrame(Opcode.text, utf8("Hel"), null, false), bytes(0x01, 3, 0x48, 0x65, 0x6c));
  assertEquals(writeFrame(Opcode.binary, new Uint8Array(256), null).subarray(0, 4), bytes(0x82, 126, 1, 0));
  assertEquals(
    writeFrame(Opcode.binary, new Uint8Array(65_536), null).subarray(0, 10),
    bytes(0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0),
  );
});

const lengths = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(125, 126, 127, 65_535, 65_536, 65_537),
);
const message = fc.record({
  text: fc.boolean(),
  payload: lengths.chain((size) => fc.string({ minLength: size, maxLength: size, unit: "binary-ascii" })),
  /** Where the message is cut into fragments, and which of them a ping follows. */
  cuts: fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 4 }),
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

/** The message in frames, and what a reader should say of them. */
function framesOf({ text, payload, cuts }: Message, masked: boolean): [Uint8Array[], unknown[]] {
  const data = utf8(payload);
  const at = [...cuts.map(([cut, ping]) => [cut % (data.length + 1), ping] as const)];
  at.sort(([a], [b]) => a - b);
  const frames: Uint8Array[] = [];
  const said: unknown[] = [];
  const mask = masked ? key : null;
  let from = 0;
  for (const [end, ping] of [...at, [data.length, false] as const]) {
    const first = frames.length === 0 ? (text ? Opcode.text : Opcode.binary) : Opcode.continuation;
    frames.push(writeFrame(first, data.subarray(from, end), mask, frames.length === at.length));
    from = end;
    if (!ping) continue;
    frames[frames.length - 1] = concat([frames.at(-1)!, writeFrame(Opcode.ping, utf8("still there?"), mask)]);
    said.push({ kind: "ping", data: utf8("still there?") });
  }
  said.push(
    text ? { kind: "text", text: payload, bytes: data.length } : { kind: "binary", data, bytes: data.length },
  );
  return [frames, said];
}

Deno.test("FrameReader reads back what was written, in whatever pieces it comes", () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 8 }),
      (messages, masked, sizes) => {
        const written = messages.map((each) => framesOf(each, masked));
        const wire = concat(written.flatMap(([frames]) => frames));
        const pieces: Uint8Array[] = [];
        for (let at = 0, i = 0; at < wire.length; i++) {
          const size = sizes[i % sizes.length]!;
          pieces.push(wire.slice(at, at + size));
          at += size;
        }
        const reader = new FrameReader(masked ? "client" : "server", MESSAGE_BYTES_MAX);
        assertEquals(readAll(reader, pieces), written.flatMap(([, said]) => said) as Incoming[]);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("FrameReader says the same byte by byte as at once, whatever the bytes", () => {
  const wire = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.tuple(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.uint8Array({ maxLength: 130 }), fc.boolean()).map(
        ([opcode, payload, final]) => writeFrame(opcode as Opcode, payload, null, final),
      ),
    ),
    { maxLength: 6 },
  ).map(concat);
  const outcome = (pieces: readonly Uint8Array[]) => {
    const said: unknown[] = [];
    const reader = server();
    try {
      for (const piece of pieces) for (const each of reader.read(piece)) said.push(each);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      said.push(error.code);
    }
    return said;
  };
  fc.assert(
    fc.property(wire, (wire) => {
      assertEquals(outcome([...wire].map((byte) => bytes(byte))), outcome([wire]));
    }),
    { numRuns: 500 },
  );
});

Deno.test("FrameReader refuses what RFC 6455 forbids", () => {
  const refused: readonly [what: string, wire: Uint8Array, code: number][] = [
    ["reserved bit 1", bytes(0xc1, 0), 1002],
    ["reserved bit 2", bytes(0xa1, 0), 1002],
    ["reserved bit 3", bytes(0x91, 0), 1002],
    ["opcode 3", bytes(0x83, 0), 1002],
    ["opcode 11", bytes(0x8b, 0), 1002],
    ["a mask from a server", writeFrame(Opcode.text, utf8("a"), key), 1002],
    ["a fragmented ping", bytes(0x09, 0), 1002],
    ["a ping of 126 bytes", bytes(0x89, 126, 0, 126), 1002],
    ["a fragmented close", bytes(0x08, 0), 1002],
    ["a close of 126 bytes", bytes(0x88, 126, 0, 126), 1002],
    ["125 bytes in 16 bits", bytes(0x82, 126, 0, 125), 1002],
    ["65535 bytes in 64 bits", bytes(0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 1002],
    ["a length with its highest bit set", bytes(0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0), 1002],
    ["a continuation of nothing", bytes(0x80, 0), 1002],
    ["a message within a message", bytes(0x01, 1, 65, 0x81, 1, 66), 1002],
    ["half a close code", bytes(0x88, 1, 3), 1002],
    ["close code 999", bytes(0x88, 2, 3, 0xe7), 1002],
    ["close code 1005", bytes(0x88, 2, 3, 0xed), 1002],
    ["a close reason that is not UTF-8", bytes(0x88, 3, 3, 0xe8, 0xff), 1007],
    ["text that is not UTF-8", bytes(0x81, 1, 0xff), 1007],
    ["text that ends within a character", bytes(0x81, 2, 0xe2, 0x82), 1007],
    ["a surrogate in UTF-8", bytes(0x81, 3, 0xed, 0xa0, 0x80), 1007],
    ["a frame above the limit", bytes(0x82, 127, 0, 0, 0, 0, 0, 3, 0x0d, 0x41), 1009],
  ];
  for (const [what, wire, code] of refused) assertEquals(refusalOf(wire), code, what);
  assertEquals(refusalOf(writeFrame(Opcode.text, utf8("a"), null), new FrameReader("client", 10)), 1002);
});

Deno.test("FrameReader counts a message over its fragments against the limit", () => {
  const fragment = (opcode: Opcode, final: boolean) => writeFrame(opcode, new Uint8Array(6), null, final);
  const wire = concat([fragment(Opcode.binary, false), fragment(Opcode.continuation, true)]);
  assertEquals(readAll(new FrameReader("server", 12), [wire]).length, 1);
  assertEquals(refusalOf(wire, new FrameReader("server", 11)), 1009);
});

Deno.test("FrameReader puts a character together that fragments cut", () => {
  const wire = concat([bytes(0x01, 2, 0xe2, 0x82), bytes(0x80, 1, 0xac)]);
  assertEquals(readAll(server(), [wire]), [{ kind: "text", text: "€", bytes: 3 }]);
});

Deno.test("FrameReader keeps a byte order mark", () => {
  const wire = writeFrame(Opcode.text, utf8("\ufeffa"), null);
  assertEquals(readAll(server(), [wire]), [{ kind: "text", text: "\ufeffa", bytes: 4 }]);
});

Deno.test("FrameReader takes control frames of up to 125 bytes, and each between the fragments of a message", () => {
  const [begun, ended] = [bytes(0x01, 1, 65), bytes(0x80, 1, 66)];
  const payload = new Uint8Array(125);
  const [ping, pong] = [Opcode.ping, Opcode.pong].map((opcode) => writeFrame(opcode, payload, null));
  assertEquals(readAll(server(), [begun, ping!, pong!, ended]), [
    { kind: "ping", data: payload },
    { kind: "pong", data: payload },
    { kind: "text", text: "AB", bytes: 2 },
  ]);
  const close = writeFrame(Opcode.close, closePayload({ code: 1000, reason: "r".repeat(123) }), null);
  assertEquals(readAll(server(), [begun, close]), [
    { kind: "close", words: { code: 1000, reason: "r".repeat(123) } },
  ]);
});

Deno.test("FrameReader reads a close frame without a code", () => {
  assertEquals(readAll(server(), [bytes(0x88, 0)]), [{ kind: "close", words: { code: null, reason: "" } }]);
});

Deno.test("FrameReader reads nothing after a close frame", () => {
  const wire = concat([bytes(0x88, 2, 3, 0xe8), writeFrame(Opcode.text, utf8("late"), null)]);
  assertEquals(readAll(server(), [wire, wire]), [{ kind: "close", words: { code: 1000, reason: "" } }]);
});

Deno.test("readFrameHead() wants more while a head is not whole", () => {
  const frame = writeFrame(Opcode.binary, new Uint8Array(70_000), key);
  for (let length = 0; length < 14; length++) assertEquals(readFrameHead(frame.subarray(0, length)), null);
  assertEquals(readFrameHead(frame), {
    opcode: Opcode.binary,
    final: true,
    key,
    length: 70_000,
    headLength: 14,
  });
});

Deno.test("closePayload() and readClose() agree on every code that may be sent", () => {
  for (const code of [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999]) {
    assertEquals(readClose(closePayload({ code, reason: "why" })), { code, reason: "why" });
  }
  for (const code of [null, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535, NaN]) {
    assertEquals(isCloseCode(code ?? 0), false);
    assertEquals(closePayload({ code, reason: "why" }).length, 0);
  }
  assertEquals(readClose(closePayload({ code: 1000, reason: "€".repeat(60) })).reason, "€".repeat(41));
});

Deno.test("a FrameReader takes no memory for a payload that is only announced", () => {
  const announced = 16_777_216;
  const beginning = writeFrame(Opcode.binary, new Uint8Array(announced), null).subarray(0, 20);
  const readers = Array.from({ length: 50 }, () => new FrameReader("server", announced));
  const before = Deno.memoryUsage().external;
  for (const reader of readers) assertEquals([...reader.read(beginning)], []);
  assertLess(Deno.memoryUsage().external - before, readers.length * 100_000);
});
