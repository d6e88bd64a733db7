import { assertEquals, assertRejects } from "@std/assert";
import { BodyError } from "../../src/exchange.ts";
import { LengthBody } from "../../src/http1/body.ts";
import { Inlet } from "../../src/http1/inlet.ts";
import { latin1 } from "../support/raw_http.ts";

Deno.test("while a LengthBody is being read past its inlet, nothing in there is taken for the rest of it", async () => {
  const came = Promise.withResolvers<number>();
  const inlet: Inlet = new Inlet(new Uint8Array(16), {
    read(into) {
      into.set(latin1("body"));
      return came.promise;
    },
  });
  const body = new LengthBody(inlet, 4, { bodyEnded: () => {} });
  const reading = body.read();
  // As when one read brings the body's end and the beginning of the next message.
  inlet.bytes.set(latin1("next"));
  inlet.end = 4;
  assertEquals([body.takeWhole(), body.copyWhole(new Uint8Array(4), 0)], [null, -1]);
  came.resolve(4);
  assertEquals([await reading, body.left], [latin1("body"), 0]);
  assertEquals(inlet.take(inlet.available), latin1("next"));
});

Deno.test("a LengthBody that was read past its inlet is taken whole when the rest of it is in there", async () => {
  const { body, inlet, ends } = fourBytesOf("", "bo");
  assertEquals(await body.read(), latin1("bo"));
  inlet.bytes.set(latin1("dynext"));
  inlet.end = 6;
  assertEquals([body.takeWhole(), ends, inlet.take(4)], [latin1("dy"), [true], latin1("next")]);
});

const arrivals: Record<string, string> = { "by itself": "body", "with more behind it": "body and more" };

for (const [how, arrives] of Object.entries(arrivals)) {
  Deno.test(`a LengthBody that nothing should follow, and that comes ${how}`, async () => {
    const ends: boolean[] = [];
    const inlet = new Inlet(new Uint8Array(16), {
      read(into) {
        const bytes = latin1(arrives).subarray(0, into.length);
        into.set(bytes);
        return Promise.resolve(bytes.length);
      },
    });
    const body = new LengthBody(inlet, 4, { bodyEnded: (complete) => ends.push(complete) }, true);
    const bytes = await body.read(new Uint8Array(16));
    assertEquals([bytes, await body.read(), ends], [latin1("body"), null, [arrives === "body"]]);
  });
}

Deno.test("LengthBody.copyWhole() copies all that is left, where it has room for that, and ends once", async () => {
  const { body, inlet, ends } = fourBytesOf("bodynext");
  const into = new Uint8Array(8);
  assertEquals([body.copyWhole(into, 5), inlet.available, ends], [-1, 8, []]);
  assertEquals([body.copyWhole(into, 4), inlet.available, ends], [4, 4, [true]]);
  assertEquals(into, latin1("\0\0\0\0body"));
  assertEquals([body.copyWhole(into, 0), body.takeWhole(), await body.read()], [-1, null, null]);
  body.cancel();
  assertEquals([inlet.take(4), ends], [latin1("next"), [true]]);
});

Deno.test("LengthBody.takeWhole() gives all that is left in memory of its own, and ends once", async () => {
  const { body, inlet, ends } = fourBytesOf("bodynext");
  assertEquals(await body.read(new Uint8Array(1)), latin1("b"));
  const whole = body.takeWhole();
  inlet.bytes.fill(0);
  assertEquals([whole, body.left, inlet.available, ends], [latin1("ody"), 0, 4, [true]]);
  assertEquals([body.takeWhole(), await body.read(), ends], [null, null, [true]]);
});

Deno.test("LengthBody.lendWhole() lends all that is left before the body ends, as its memory is read into from then on", async () => {
  const { body, inlet, ends } = fourBytesOf("bodynext");
  const lent: unknown[] = [];
  assertEquals(body.lendWhole((bytes) => lent.push([...bytes], [...ends])), 4);
  assertEquals([lent, ends, inlet.available], [[[...latin1("body")], []], [true], 4]);
  assertEquals([body.lendWhole(() => lent.push("again")), await body.read(), lent.length], [-1, null, 2]);
});

Deno.test("a LengthBody that other messages may follow reads nothing of theirs", async () => {
  for (const into of [undefined, new Uint8Array(16)]) {
    let asked = 0;
    const inlet = new Inlet(new Uint8Array(16), {
      read(room) {
        room.set(latin1("body and more").subarray(0, asked = room.length));
        return Promise.resolve(asked);
      },
    });
    const ends: boolean[] = [];
    const body = new LengthBody(inlet, 4, { bodyEnded: (complete) => ends.push(complete) });
    assertEquals([await body.read(into), asked, ends], [latin1("body"), 4, [true]]);
  }
});

Deno.test("a LengthBody of which not all is here is neither copied nor taken nor lent whole, and loses nothing", async () => {
  const { body, ends } = fourBytesOf("bod");
  assertEquals([body.copyWhole(new Uint8Array(8), 0), body.takeWhole()], [-1, null]);
  assertEquals(body.lendWhole(() => ends.push(true)), -1);
  assertEquals([await body.read(), body.left], [latin1("bod"), 1]);
  await assertRejects(() => body.read(), BodyError, "closed before the end");
  assertEquals(ends, [false]);
});

/** A body of four bytes, whose connection has brought `arrived`, brings `later` and then ends. */
function fourBytesOf(arrived: string, later = "") {
  const ends: boolean[] = [];
  const inlet: Inlet = new Inlet(new Uint8Array(16), {
    read(into) {
      into.set(latin1(later));
      return Promise.resolve(later.length || null);
    },
  });
  inlet.bytes.set(latin1(arrived));
  inlet.end = arrived.length;
  return { body: new LengthBody(inlet, 4, { bodyEnded: (complete) => ends.push(complete) }), inlet, ends };
}
