// A passage between two scripted connections, on a clock that the test turns.

import { assertEquals } from "@std/assert";
import { PIECES } from "../../src/http1/buffers.ts";
import { Passage } from "../../src/listener/passage.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";

/** One side: what is read of it is what `says` was told; writes wait while it is not `taking`. */
class Side {
  readonly localAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  readonly remoteAddr = this.localAddr;
  readonly written: string[] = [];
  /** Nothing small waits for what was sent before it. */
  sendsAtOnce = false;
  closed = 0;
  /** Writes fail. */
  refuses = false;
  #said: (string | null)[] = [];
  #reading: (() => void) | null = null;
  #taking = Promise.withResolvers<void>();

  says(piece: string | null): void {
    this.#said.push(piece);
    this.#reading?.();
  }

  takes(): void {
    this.#taking.resolve();
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#said.length === 0) {
      if (this.closed > 0) throw new Deno.errors.BadResource();
      await new Promise<void>((resolve) => this.#reading = resolve);
    }
    const piece = this.#said.shift()!;
    if (piece === null) return null;
    const { read, written } = new TextEncoder().encodeInto(piece, into);
    if (read < piece.length) this.#said.unshift(piece.slice(read));
    return written;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#taking.promise;
    if (this.refuses) throw new Deno.errors.BrokenPipe();
    this.written.push(new TextDecoder().decode(bytes));
    return bytes.length;
  }

  closeWrite(): Promise<void> {
    if (this.refuses) return Promise.reject(new Deno.errors.BrokenPipe());
    this.written.push("end");
    return Promise.resolve();
  }

  setNoDelay(): void {
    this.sendsAtOnce = true;
  }

  close(): void {
    this.closed++;
    this.#reading?.();
  }
}

Deno.test("what a client says to a Deno.serve that shuts down waits until no answer is on its way", async () => {
  const time = new StillTime();
  const [client, inside] = [new Side(), new Side()];
  let closes = false;
  let over = false;
  const conn = inside as unknown as Deno.TcpConn;
  new Passage(client as unknown as Deno.TlsConn, {
    connect: () => Promise.resolve({ conn, closes: () => closes, release: () => {} }),
    onEntered: () => {},
    wheel: time.wheel,
    onOver: () => over = true,
  });
  inside.takes();
  client.says("request");
  await settled();
  inside.says("beginning");
  await settled();
  client.says("more room");
  await settled();
  assertEquals(inside.written, ["request", "more room"]);
  closes = true;
  client.says("yet more room");
  for (let i = 0; i < 5; i++) await time.pass(20);
  assertEquals([inside.written.length, client.written], [2, []]);
  client.takes();
  await settled();
  inside.says("middle");
  await settled();
  await time.pass(20);
  assertEquals([inside.written.length, client.written], [2, ["beginning", "middle"]]);
  await time.pass(20);
  assertEquals(inside.written.slice(2), ["yet more room"]);
  inside.says("rest");
  inside.says(null);
  await settled();
  assertEquals(client.written.slice(2), ["rest", "end"]);
  client.says(null);
  await settled();
  assertEquals(over, true);
});

/** A passage on its way, both sides of which take what they get, or only Deno.serve. */
class Stage {
  readonly client = new Side();
  readonly inside = new Side();
  /** What happened to it, in order. */
  readonly heard: string[] = [];
  readonly time = new StillTime();
  /** Deno.serve shuts down. */
  closes = false;
  readonly #connected = Promise.withResolvers<void>();
  readonly passage: Passage;

  constructor({ takes = true } = {}) {
    if (takes) this.client.takes();
    this.inside.takes();
    const conn = this.inside as unknown as Deno.TcpConn;
    this.passage = new Passage(this.client as unknown as Deno.TlsConn, {
      connect: async () => {
        this.heard.push("connects");
        await this.#connected.promise;
        return { conn, closes: () => this.closes, release: () => this.heard.push("released") };
      },
      onEntered: () => this.heard.push("entered"),
      wheel: this.time.wheel,
      onOver: () => this.heard.push("over"),
    });
  }

  /** Deno.serve accepts, or, with an error, does not. */
  async connects(failure?: Error): Promise<void> {
    if (failure === undefined) this.#connected.resolve();
    else this.#connected.reject(failure);
    await settled();
  }

  /** How often each side was closed. */
  get closed(): readonly [client: number, inside: number] {
    return [this.client.closed, this.inside.closed];
  }
}

Deno.test("a client that leaves without a word costs Deno.serve nothing", async () => {
  const stage = new Stage();
  stage.client.says(null);
  await settled();
  assertEquals([stage.heard, stage.closed, stage.passage.port], [["over"], [1, 0], 0]);
});

Deno.test("a passage that is cut while it connects gives its connection back, and lets nothing in", async () => {
  const stage = new Stage();
  stage.client.says("request");
  await settled();
  stage.passage.cut();
  await stage.connects();
  assertEquals(stage.heard, ["connects", "over", "released"]);
  assertEquals([stage.closed, stage.inside.written], [[1, 1], []]);
});

Deno.test("a passage that Deno.serve does not let in ends", async () => {
  const stage = new Stage();
  stage.client.says("request");
  await stage.connects(new Deno.errors.ConnectionRefused());
  assertEquals([stage.heard, stage.closed], [["connects", "over"], [1, 0]]);
});

/** A request has passed, and its answer with the end of the connection, all at once. */
async function answered(): Promise<Stage> {
  const stage = new Stage();
  stage.client.says("request");
  await stage.connects();
  stage.inside.says("answer");
  stage.inside.says(null);
  await settled();
  assertEquals([stage.inside.written, stage.client.written], [["request"], ["answer", "end"]]);
  assertEquals([stage.heard, stage.closed, stage.passage.port], [["connects", "entered"], [0, 0], 1]);
  assertEquals(stage.inside.sendsAtOnce, true);
  return stage;
}

Deno.test("a client has two seconds to read the last answer, and is cut then", async () => {
  const stage = await answered();
  await stage.time.run(1_990);
  assertEquals(stage.closed, [0, 0]);
  await stage.time.run(20);
  assertEquals([stage.closed, stage.heard.slice(2)], [[1, 1], ["released", "over"]]);
  stage.passage.cut();
  assertEquals([stage.closed, stage.heard.length], [[1, 1], 4]);
});

Deno.test("a client that ends its side after the last answer is let go at once", async () => {
  const stage = await answered();
  stage.client.says(null);
  await settled();
  assertEquals([stage.closed, stage.heard.slice(2)], [[1, 1], ["released", "over"]]);
});

Deno.test("a client that breaks off after the last answer is let go at once", async () => {
  const stage = await answered();
  stage.client.close();
  await settled();
  assertEquals(stage.heard.slice(2), ["released", "over"]);
});

Deno.test("a client that ends its side first gets what Deno.serve still says, and is cut when that is out", async () => {
  const stage = new Stage();
  stage.client.says("request");
  await stage.connects();
  stage.client.says(null);
  await settled();
  assertEquals([stage.inside.written, stage.closed], [["request", "end"], [0, 0]]);
  stage.inside.says("answer");
  stage.inside.says(null);
  await settled();
  assertEquals([stage.client.written, stage.closed], [["answer", "end"], [1, 1]]);
  assertEquals(stage.heard.slice(2), ["released", "over"]);
});

Deno.test("a client that has had two seconds with the last answer is cut as soon as Deno.serve ends", async () => {
  const stage = new Stage();
  stage.client.says("request");
  await stage.connects();
  stage.inside.says("answer");
  await settled();
  await stage.time.pass(2_000);
  stage.inside.says(null);
  await settled();
  assertEquals([stage.client.written, stage.closed], [["answer", "end"], [1, 1]]);
});

Deno.test("what a client sends passes in order and whole, small or large", async () => {
  const stage = new Stage();
  const [large, small] = ["x".repeat(5_000), "y"];
  const pieces = ["request", "z".repeat(2_048), large, large, small, large];
  stage.client.says(pieces[0]!);
  await stage.connects();
  for (const piece of pieces.slice(1)) {
    stage.client.says(piece);
    await settled();
  }
  assertEquals(stage.inside.written.join(""), pieces.join(""));
  // A small buffer that was filled is followed by a large one, until that is not.
  const sizes = stage.inside.written.map(({ length }) => length);
  assertEquals(sizes, [7, 2_048, 5_000, 2_048, 2_952, 1, 2_048, 2_952]);
  stage.passage.cut();
  await settled();
});

Deno.test("what Deno.serve has said before it breaks off reaches the client, and then the end", async () => {
  const stage = new Stage();
  stage.client.says("request");
  await stage.connects();
  stage.inside.says("answer");
  await settled();
  stage.inside.close();
  await settled();
  assertEquals([stage.client.written, stage.heard.length], [["answer", "end"], 2]);
});

Deno.test("what a client sends to a Deno.serve that takes no more is read all the same", async () => {
  const stage = new Stage();
  stage.client.says("request");
  await stage.connects();
  stage.inside.refuses = true;
  stage.client.says("more");
  await settled();
  stage.inside.says("answer");
  await settled();
  assertEquals([stage.client.written, stage.closed], [["answer"], [0, 0]]);
  stage.client.says(null);
  stage.inside.says(null);
  await settled();
  assertEquals(stage.heard.slice(2), ["released", "over"]);
});

for (const leaves of ["takes nothing more", "breaks off", "ends its side"] as const) {
  Deno.test(`a client that ${leaves} ends its passage, which gives its large buffers back`, async () => {
    const before = [PIECES.take(), PIECES.take(), PIECES.take()];
    before.forEach((buffer) => PIECES.give(buffer));
    const { kept } = PIECES;
    const stage = new Stage();
    stage.client.says("request");
    await stage.connects();
    const large = "x".repeat(10_000);
    stage.client.says(large);
    await settled();
    // Fills the small buffer, and the large one twice: it is still in use when the client leaves.
    stage.client.says("x".repeat(2_048 + 2 * PIECES.bytes));
    stage.inside.says(large);
    await settled();
    assertEquals(stage.client.written.join(""), large);
    if (leaves === "breaks off") stage.client.close();
    else if (leaves === "ends its side") stage.client.says(null);
    else stage.client.refuses = true;
    stage.inside.says("x".repeat(PIECES.bytes));
    stage.inside.says(null);
    await settled();
    assertEquals([stage.heard.slice(2), PIECES.kept], [["released", "over"], kept]);
  });
}

Deno.test("a client that cannot be told of the end is let go at once", async () => {
  const stage = new Stage();
  stage.client.says("request");
  await stage.connects();
  stage.inside.says("answer");
  await settled();
  stage.client.refuses = true;
  stage.inside.says(null);
  await settled();
  assertEquals([stage.client.written, stage.heard.slice(2)], [["answer"], ["released", "over"]]);
});

Deno.test("a passage that is cut while its client takes nothing waits for nothing any more", async () => {
  const stage = new Stage({ takes: false });
  stage.client.says("request");
  await stage.connects();
  stage.inside.says("answer");
  await settled();
  stage.closes = true;
  stage.client.says("more room");
  await stage.time.pass(20);
  assertEquals(stage.time.ticking, true);
  stage.passage.cut();
  for (let i = 0; i < 3; i++) await stage.time.pass(20);
  assertEquals([stage.time.ticking, stage.heard.slice(2)], [false, ["released", "over"]]);
});
