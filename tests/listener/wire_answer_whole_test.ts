// What reaches a client of an answer, however its body comes and ends.

import { assertEquals, assertMatch } from "@std/assert";
import type { Body, Delivery } from "../../src/exchange.ts";
import { giveBack, PIECES, SMALL_PIECES } from "../../src/http1/buffers.ts";
import type { ResponseFraming } from "../../src/http1/response_writer.ts";
import { type AnswerOwner, sendAnswer } from "../../src/listener/wire_answer.ts";
import { fromLatin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { ToldBody } from "../support/told_body.ts";

/** Does not read into what it is given. */
class OwnMemory extends ToldBody {
  override read(): Promise<Uint8Array | null> {
    return super.read();
  }
}

/** Sends it to a client that takes so many writes and then leaves. */
function answering(body: Body | null, framing: ResponseFraming, takes = Infinity, headBytes = 0) {
  const writes: string[] = [];
  const socket = {
    holdsBack: false,
    write(bytes: Uint8Array): Promise<boolean> {
      writes.push(fromLatin1(bytes));
      return Promise.resolve(writes.length <= takes);
    },
  };
  const owner = { socket, answered: (delivery: Delivery) => delivery } as unknown as AnswerOwner;
  const shape = { framing, length: body?.length ?? 0, close: false, keepAlive: false };
  const head = { status: 200, reason: "", headers: ["X-Pad", "h".repeat(headBytes)] };
  const sent = sendAnswer(owner, head, body, shape);
  const whole = () => writes.join("");
  return { writes, sent, whole, content: () => whole().substring(whole().indexOf("\r\n\r\n") + 4) };
}

/** Content of nine bytes in three pieces, as each framing has it. */
const FRAMED = [
  ["length", 9, "onetwosix"],
  ["untilClose", null, "onetwosix"],
  ["chunked", null, "00003\r\none\r\n00003\r\ntwo\r\n00003\r\nsix\r\n0\r\nx-end: 1\r\n\r\n"],
] as const;

for (const [framing, length, content] of FRAMED) {
  for (const Kind of [ToldBody, OwnMemory]) {
    const how = `${framing}${Kind === OwnMemory ? ", in memory of their own" : ""}`;
    Deno.test(`pieces that are each awaited arrive whole and in their order (${how})`, async () => {
      const body = new Kind(length);
      const answer = answering(body, framing);
      for (const piece of ["one", "", "two", "six"]) {
        await settled();
        body.tell(piece);
      }
      if (length === null) body.tell(null);
      assertEquals(await answer.sent, { kind: "complete", bytes: 9 });
      assertEquals(answer.content(), content);
    });
  }

  Deno.test(`of an answer whose body breaks off arrives what came before (${framing})`, async () => {
    for (const pieces of [[], ["one"], ["one", "two"]]) {
      const body = new ToldBody(length);
      const error = new Error("broken off");
      body.tell(...pieces, error);
      const answer = answering(body, framing);
      assertEquals(await answer.sent, { kind: "truncated", bytes: pieces.length * 3, error });
      const came = framing === "chunked" ? content.substring(0, pieces.length * 12) : pieces.join("");
      assertEquals([answer.writes[0]?.startsWith("HTTP/1.1 200 OK\r\n"), answer.content()], [true, came]);
    }
  });

  Deno.test(`nobody reads on for a client that has left, whenever that was (${framing})`, async () => {
    for (const headBytes of [0, 70_000]) {
      for (let takes = 0; takes < 3; takes++) {
        const body = new ToldBody(length);
        const answer = answering(body, framing, takes, headBytes);
        for (const piece of ["one", "two", "six"]) {
          await settled();
          body.tell(piece);
        }
        const { kind } = await answer.sent;
        assertEquals([kind, body.cancelled], ["clientGone", true]);
      }
    }
  });
}

/** Fills whatever room it is given, three times. */
class Filling extends ToldBody {
  bytes = 0;
  private reads = 0;

  override read(into: Uint8Array): Promise<Uint8Array | null> {
    if (this.reads++ === 3) return Promise.resolve(null);
    this.bytes += into.length;
    return Promise.resolve(into.fill(120));
  }
}

Deno.test("a chunk that fills its buffer is whole", async () => {
  const body = new Filling(null);
  const answer = answering(body, "chunked");
  assertEquals(await answer.sent, { kind: "complete", bytes: body.bytes });
  assertMatch(answer.content(), /^(?:[0-9a-f]{5}\r\nx{65527}\r\n){3}0\r\n/);
});

Deno.test("a head that is larger than any buffer arrives whole, with its body and without one", async () => {
  const body = new ToldBody(3);
  body.tell("one");
  for (const [sent, content] of [[body, "one"], [null, ""]] as const) {
    const answer = answering(sent, "length", Infinity, 70_000);
    assertEquals(await answer.sent, { kind: "complete", bytes: content.length });
    const pad = answer.whole().indexOf("X-Pad: ") + "X-Pad: ".length;
    assertEquals(answer.whole().substring(pad, pad + 70_002), "h".repeat(70_000) + "\r\n");
    assertEquals(answer.content(), content);
  }
});

Deno.test("an answer without a body gives its buffer back, whether its client is there or not", async () => {
  for (const takes of [0, 1]) {
    const before = [PIECES, SMALL_PIECES].map((pool) => pool.take());
    before.forEach(giveBack);
    const kept = [PIECES.kept, SMALL_PIECES.kept];
    await answering(null, "length", takes).sent;
    assertEquals([PIECES.kept, SMALL_PIECES.kept], kept);
  }
});
