// What bodies of every framing have in common, and the one that ends with its connection.

import { assertEquals, assertRejects } from "@std/assert";
import type { Body } from "../../src/exchange.ts";
import { bodyOf } from "../../src/http1/body.ts";
import type { Framing } from "../../src/http1/framing.ts";
import { Inlet } from "../../src/http1/inlet.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";

/** A body of which `here` has come with its head, and what the script says comes later. */
function arriving(framing: Framing, here: string, ...later: (string | null | Error)[]) {
  const ends: boolean[] = [];
  const source = {
    withheld: false,
    async read(into: Uint8Array): Promise<number | null> {
      const next = later.shift()!;
      if (next instanceof Error) throw next;
      if (next === null) return null;
      const bytes = latin1(next);
      into.set(bytes.subarray(0, into.length));
      if (bytes.length > into.length) later.unshift(next.substring(into.length));
      return Math.min(bytes.length, into.length);
    },
  };
  const inlet = new Inlet(new Uint8Array(32), source);
  inlet.bytes.set(latin1(here));
  inlet.end = here.length;
  const body = bodyOf({ framing, contentLength: 8, connection: "" }, inlet, {
    bodyEnded: (complete) => ends.push(complete),
  })!;
  return { body, ends, inlet, source };
}

async function readAll(body: Body): Promise<string[]> {
  const pieces: string[] = [];
  for (let piece = await body.read(); piece !== null; piece = await body.read()) {
    pieces.push(fromLatin1(piece));
  }
  return pieces;
}

Deno.test("a body without framing ends where its connection does, and not before", async () => {
  for (const into of [undefined, new Uint8Array(16)]) {
    const { body, ends } = arriving("untilClose", "with the head", "a piece", "another", null);
    assertEquals([body.length, body.ready], [null, true]);
    for (const piece of ["with the head", "a piece", "another"]) {
      assertEquals([fromLatin1((await body.read(into))!), ends], [piece, []]);
    }
    assertEquals([await body.read(into), body.ready, ends], [null, false, [true]]);
  }
});

Deno.test("a body comes in its order, however much of it has come with the head", async () => {
  const whole = { length: "12345678", chunked: "8\r\n12345678\r\n0\r\n\r\n", untilClose: "12345678" };
  for (const [framing, text] of Object.entries(whole)) {
    for (let cut = 0; cut < text.length; cut++) {
      const { body, ends } = arriving(framing as Framing, text.slice(0, cut), text.slice(cut), null);
      assertEquals([(await readAll(body)).join(""), ends], ["12345678", [true]], `${framing} cut at ${cut}`);
    }
  }
});

Deno.test("a body without framing is whole only at its end, and so is none of it before", () => {
  const { body, ends } = arriving("untilClose", "with the head");
  assertEquals([body.takeWhole(), body.copyWhole(new Uint8Array(32), 0), ends], [null, -1, []]);
});

/** Framing -> the body's beginning, of which more is to come. */
const beginnings: Record<string, string> = { length: "some", chunked: "8\r\nsome", untilClose: "some" };

for (const [framing, beginning] of Object.entries(beginnings)) {
  Deno.test(`a body by ${framing} whose connection breaks says how, and ends once, not whole`, async () => {
    const broken = new Error("it broke");
    const { body, ends } = arriving(framing as Framing, beginning, broken);
    assertEquals([body.ready, fromLatin1((await body.read())!), body.ready], [true, "some", false]);
    assertEquals([await assertRejects(() => body.read()), ends], [broken, [false]]);
    body.cancel();
    assertEquals(ends, [false]);
  });

  Deno.test(`what is read of a body by ${framing} stays when the connection is read into again`, async () => {
    for (const into of [undefined, new Uint8Array(8)]) {
      const { body, inlet } = arriving(framing as Framing, beginning);
      const piece = (await body.read(into))!;
      inlet.bytes.fill(0);
      assertEquals([fromLatin1(piece), piece.buffer === into?.buffer], ["some", into !== undefined]);
    }
  });

  Deno.test(`a body by ${framing} is withheld while its sender waits to be told`, () => {
    const { body, source } = arriving(framing as Framing, "");
    assertEquals(body.withheld, false);
    source.withheld = true;
    assertEquals(body.withheld, true);
  });
}

Deno.test("an answer in chunks may have blanks behind its sizes, as some old origins send them", async () => {
  const { body, ends } = arriving("chunked", "4 \r\nsome\r\n0\r\n\r\n");
  assertEquals([await readAll(body), ends], [["some"], [true]]);
});

Deno.test("an answer of a length has nothing behind it, or its connection is not to be used again", async () => {
  const { body, ends } = arriving("length", "some", " more and more");
  assertEquals([await readAll(body), ends], [["some", " mor"], [false]]);
});

Deno.test("no framing is no body", () => {
  assertEquals(
    bodyOf(
      { framing: "none", contentLength: 0, connection: "" },
      new Inlet(new Uint8Array(1), { read: () => Promise.resolve(null) }),
      { bodyEnded: () => {} },
    ),
    null,
  );
});

Deno.test("pieces that come slowly take the memory that they fill, share it, and are read into the same room", async () => {
  const { body, source } = arriving("untilClose", "", "a", "b", "c".repeat(20_000), null);
  const { read } = source;
  const rooms: unknown[] = [];
  source.read = (into) => (rooms.push(into.buffer), read(into));
  const [one, other, large] = [await body.read(), await body.read(), await body.read()].map((it) =>
    it!.buffer
  );
  assertEquals([one === other, large === one, large!.byteLength], [true, false, 65_536]);
  assertEquals([rooms[0] === rooms[1], rooms[1] === rooms[2]], [true, true]);
});
