import { assertEquals } from "@std/assert";
import type { Body, Delivery } from "../../src/exchange.ts";
import { type AnswerOwner, sendAnswer } from "../../src/listener/wire_answer.ts";
import { giveBack, PIECES, SMALL_PIECES } from "../../src/http1/buffers.ts";
import { fromLatin1, latin1 } from "../support/raw_http.ts";
import { settled } from "../support/settled.ts";
import { ToldBody } from "../support/told_body.ts";

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

/** A stream that gives pieces of so many bytes, each after a wait, and writes down the room that each is read into. */
class Pieces implements Body {
  readonly rooms: number[] = [];

  constructor(
    private readonly sizes: number[],
    readonly length: number | null = null,
    readonly ready = false,
  ) {}

  read(into: Uint8Array): Promise<Uint8Array | null> {
    this.rooms.push(into.buffer.byteLength);
    const size = this.sizes.shift();
    return Promise.resolve(size === undefined ? null : into.subarray(0, size));
  }

  takeWhole(): null {
    return null;
  }

  copyWhole(): number {
    return -1;
  }

  cancel(): void {}
}

const [S, L] = [4_096, 65_536];
/** Bytes of each piece -> the buffer that each is read into, and the end. */
const resizings: readonly (readonly [sizes: number[], rooms: number[]])[] = [
  [[2_048, 2_048], [L, L, L]],
  [[2_047, 2_047, 2_047], [L, S, S, S]],
  [[10, 2_048, 2_048], [L, S, L, L]],
  [[10, 4_096, 65_536, 10], [L, S, L, L, S]],
  [[0, 0], [L, S, S]],
];

for (const [sizes, rooms] of resizings) {
  Deno.test(`pieces of ${sizes} bytes are read into buffers of ${rooms}`, async () => {
    const body = new Pieces([...sizes]);
    let bytes = 0;
    const socket = {
      holdsBack: false,
      write: (sent: Uint8Array) => Promise.resolve((bytes += sent.length) > 0),
    };
    const owner = { socket, answered: (delivery: Delivery) => delivery } as unknown as AnswerOwner;
    const shape = { framing: "untilClose", length: 0, close: true, keepAlive: false } as const;
    const head = { status: 200, reason: "", headers: [] };
    const before = [PIECES, SMALL_PIECES].map((pool) => pool.take());
    before.forEach(giveBack);
    const kept = [PIECES.kept, SMALL_PIECES.kept];
    const delivery = await sendAnswer(owner, head, body, shape);
    assertEquals(delivery, { kind: "complete", bytes: sizes.reduce((sum, size) => sum + size) });
    assertEquals(body.rooms, rooms);
    assertEquals([PIECES.kept, SMALL_PIECES.kept], kept, "each buffer is given back, once");
  });
}

Deno.test("a piece of a small body that is here goes out with its head, in one small buffer", async () => {
  const body = new Pieces([4, 6], 10, true);
  const writes: string[] = [];
  const socket = {
    holdsBack: false,
    write: (sent: Uint8Array) => Promise.resolve(!!writes.push(fromLatin1(sent))),
  };
  const owner = { socket, answered: (delivery: Delivery) => delivery } as unknown as AnswerOwner;
  const shape = { framing: "length", length: 10, close: false, keepAlive: false } as const;
  const delivery = await sendAnswer(owner, { status: 200, reason: "", headers: ["X-A", "1"] }, body, shape);
  assertEquals([delivery, body.rooms], [{ kind: "complete", bytes: 10 }, [S, S]]);
  assertEquals(writes.map((write) => write.startsWith("HTTP/1.1 200")), [true, false]);
});

const BODY_BYTES = 10_000;

/** A body of which some came with the head; the rest comes when the test says so. */
class Awaited extends ToldBody {
  private readonly rest = Promise.withResolvers<void>();
  private readonly left: number;

  constructor(private here: number) {
    super(BODY_BYTES);
    this.left = BODY_BYTES - here;
  }

  get ready(): boolean {
    return this.here > 0;
  }

  comes(): void {
    this.rest.resolve();
  }

  override async read(into: Uint8Array): Promise<Uint8Array> {
    const { here } = this;
    this.here = 0;
    if (here > 0) return into.subarray(0, here);
    await this.rest.promise;
    return into.subarray(0, this.left);
  }

  override cancel(): void {
    super.cancel();
    this.rest.reject(new Error("cancelled"));
  }
}

/** Sends it to a client that leaves with the first write, if `leaves`; tells what has been written of the body by when. */
function sendAwaited(body: Awaited, leaves = false) {
  const bodyWrites: number[] = [];
  const socket = {
    holdsBack: false,
    write(bytes: Uint8Array): Promise<boolean> {
      const headBytes = bodyWrites.length === 0 ? fromLatin1(bytes).indexOf("\r\n\r\n") + 4 : 0;
      bodyWrites.push(bytes.length - headBytes);
      return Promise.resolve(!leaves);
    },
  };
  const owner = { socket, answered: (delivery: Delivery) => delivery } as unknown as AnswerOwner;
  const shape = { framing: "length", length: BODY_BYTES, close: false, keepAlive: false } as const;
  const sent = sendAnswer(owner, { status: 200, reason: "", headers: [] }, body, shape);
  return { bodyWrites, sent };
}

for (const here of [0, 4_000]) {
  const rest = BODY_BYTES - here;
  const came = here === 0 ? "no body" : "some of its body";
  const body = () => new Awaited(here);

  Deno.test(`a head with ${came} goes out with what follows at once`, async () => {
    const following = body();
    following.comes();
    const { bodyWrites, sent } = sendAwaited(following);
    assertEquals([await sent, bodyWrites], [{ kind: "complete", bytes: BODY_BYTES }, [BODY_BYTES]]);
  });

  Deno.test(`a head with ${came} does not wait for what follows later`, async () => {
    const following = body();
    const { bodyWrites, sent } = sendAwaited(following);
    await settled();
    assertEquals(bodyWrites, [here]);
    following.comes();
    assertEquals([await sent, bodyWrites], [{ kind: "complete", bytes: BODY_BYTES }, [here, rest]]);
  });

  Deno.test(`a client that has left at a head with ${came} ends the wait for what follows`, async () => {
    const following = body();
    const { bodyWrites, sent } = sendAwaited(following, true);
    assertEquals([await sent, bodyWrites], [{ kind: "clientGone", bytes: here }, [here]]);
    assertEquals(following.cancelled, true);
  });
}
