import { assertEquals, assertRejects } from "@std/assert";
import { BodyError } from "../../src/exchange.ts";
import { PIECES } from "../../src/http1/buffers.ts";
import { Beginning } from "../../src/listener/beginning.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { ToldBody } from "../support/told_body.ts";

const decoder = new TextDecoder();

function stage(length: number | null, body = new ToldBody(length)) {
  const time = new StillTime();
  const beginning = new Beginning(body, time.wheel);
  let waited = false;
  const over = beginning.waited().then(() => waited = true);
  return {
    body,
    beginning,
    over,
    waits: () => !waited,
    time,
  };
}

async function rest(beginning: Beginning): Promise<string> {
  let text = "";
  const room = new Uint8Array(32);
  for (let piece; (piece = await beginning.read(room)) !== null;) text += decoder.decode(piece) + "|";
  return text;
}

for (const length of [10, null]) {
  Deno.test(`a Beginning is whole when all comes in a moment (length ${length})`, async () => {
    const { kept } = PIECES;
    const { body, beginning, over, waits, time } = stage(length);
    body.tell("first");
    await time.pass(9);
    assertEquals(waits(), true);
    body.tell("after");
    if (length === null) body.tell(null);
    await over;
    assertEquals(decoder.decode(beginning.whole()!), "firstafter");
    assertEquals([beginning.length, beginning.trailers, beginning.ready], [length, ["x-end", "1"], true]);
    beginning.letGo();
    assertEquals(PIECES.kept, Math.max(kept, 1));
  });

  Deno.test(`a Beginning passes what came in time, then the rest as it comes (length ${length})`, async () => {
    const { body, beginning, over, time } = stage(length);
    body.tell("first");
    await settled();
    time.pass(20);
    await over;
    assertEquals(beginning.whole(), null);
    const read = rest(beginning);
    await settled();
    body.tell("af");
    await settled();
    body.tell("ter", null);
    assertEquals(await read, "first|af|ter|");
  });
}

Deno.test("a Beginning of which nothing came in time is not ready, and loses nothing", async () => {
  const { body, beginning, over, time } = stage(null);
  time.pass(20);
  await over;
  assertEquals(beginning.ready, false);
  body.tell("late", "later", null);
  assertEquals(await rest(beginning), "late|later|");
});

/** Does not read into what it is given. */
class OwnMemory extends ToldBody {
  override read(): Promise<Uint8Array | null> {
    return super.read();
  }
}

Deno.test("a Beginning takes pieces in memory of their own, and gives them so to who brings none", async () => {
  const whole = stage(6, new OwnMemory(6));
  whole.body.tell("abc", "def");
  await whole.over;
  assertEquals(decoder.decode(whole.beginning.whole()!), "abcdef");
  whole.beginning.letGo();

  const { body, beginning, over, time } = stage(null, new OwnMemory(null));
  body.tell("abc");
  await time.pass(20);
  await over;
  const first = await beginning.read();
  body.tell("def", "ghi", null);
  const others = [await beginning.read(), await beginning.read(), await beginning.read()];
  assertEquals([first, ...others].map((piece) => piece && decoder.decode(piece)), [
    "abc",
    "def",
    "ghi",
    null,
  ]);
});

Deno.test("a Beginning waits for no more than its buffer holds", async () => {
  const { body, beginning, over } = stage(null);
  const piece = "x".repeat(PIECES.bytes / 4);
  body.tell(piece, piece, piece, piece);
  await over;
  assertEquals(beginning.whole(), null);
  body.tell("y", null);
  const text = (await rest(beginning)).replaceAll("|", "");
  assertEquals([text.length, text.at(-1)], [PIECES.bytes + 1, "y"]);
});

Deno.test("a Beginning of a body that breaks off gives what came, then the reason, and is never whole", async () => {
  const { body, beginning, over } = stage(10);
  body.tell("first", new BodyError("truncated", "cut"));
  await over;
  assertEquals(beginning.whole(), null);
  assertEquals(decoder.decode((await beginning.read(new Uint8Array(32)))!), "first");
  await assertRejects(() => beginning.read(new Uint8Array(32)), BodyError, "cut");
});

Deno.test("a Beginning that is cancelled cancels the body, and keeps its memory while something is read into it", async () => {
  const { body, beginning, over, time } = stage(null);
  time.pass(20);
  await over;
  const { kept } = PIECES;
  beginning.cancel();
  await settled();
  assertEquals([body.cancelled, PIECES.kept], [true, kept]);
  body.tell(new BodyError("truncated", "cancelled"));
  await settled();
  assertEquals(PIECES.kept, kept + 1);
});
