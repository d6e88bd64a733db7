import { assertEquals } from "@std/assert";
import type { Body, Delivery } from "../../src/exchange.ts";
import { type AnswerOwner, sendAnswer } from "../../src/listener/wire_answer.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";

/** A body of one piece, with trailers that are larger than any buffer of an answer. */
class Trailed implements Body {
  readonly length = null;
  readonly trailers = ["x-large", "x".repeat(300_000)];
  private given = false;

  /** @param ready all of it is here with the head */
  constructor(readonly ready: boolean) {}

  read(into: Uint8Array): Promise<Uint8Array | null> {
    if (this.given) return Promise.resolve(null);
    this.given = true;
    into.set(latin1("piece"));
    return Promise.resolve(into.subarray(0, 5));
  }

  takeWhole(): null {
    return null;
  }

  copyWhole(): number {
    return -1;
  }

  cancel(): void {}
}

/** Sends such an answer to a client that leaves with the `failing`th write. */
async function answerTo(failing: number, ready: boolean) {
  const writes: string[] = [];
  const socket = {
    holdsBack: false,
    write(bytes: Uint8Array): Promise<boolean> {
      writes.push(fromLatin1(bytes));
      return Promise.resolve(writes.length !== failing);
    },
  };
  const owner = { socket, answered: (delivery: Delivery) => delivery } as unknown as AnswerOwner;
  const shape = { framing: "chunked", length: 0, close: false, keepAlive: false } as const;
  const head = { status: 200, reason: "", headers: [] };
  const { kind } = await sendAnswer(owner, head, new Trailed(ready), shape);
  return { kind, writes };
}

/** What stands between the head and the value of the trailer. */
function bodyOf(writes: readonly string[]): string {
  const whole = writes.join("");
  return whole.substring(whole.indexOf("\r\n\r\n") + 4, whole.indexOf("xxx"));
}

for (const [ready, writesMax] of [[true, 2], [false, 3]] as const) {
  const when = ready ? "with" : "after";
  Deno.test(`an answer is complete when its large trailers are out (body ${when} its head)`, async () => {
    const { kind, writes } = await answerTo(0, ready);
    assertEquals([kind, writes.length], ["complete", writesMax]);
    assertEquals(bodyOf(writes), "00005\r\npiece\r\n0\r\nx-large: ");
  });

  Deno.test(`an answer whose client leaves within it is not complete (body ${when} its head)`, async () => {
    for (let failing = 1; failing <= writesMax; failing++) {
      const { kind, writes } = await answerTo(failing, ready);
      assertEquals([kind, writes.length], ["clientGone", failing]);
    }
  });
}
