// A passage between two scripted connections, on a clock that the test turns.

import { assertEquals } from "@std/assert";
import { Passage } from "../../src/listener/passage.ts";
import { TimerWheel } from "../../src/timer_wheel.ts";

/** One side: what is read of it is what `says` was told; writes wait while it is not `taking`. */
class Side {
  readonly localAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  readonly remoteAddr = this.localAddr;
  readonly written: string[] = [];
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
    while (this.#said.length === 0) await new Promise<void>((resolve) => this.#reading = resolve);
    const piece = this.#said.shift()!;
    return piece === null ? null : new TextEncoder().encodeInto(piece, into).written;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#taking.promise;
    this.written.push(new TextDecoder().decode(bytes));
    return bytes.length;
  }

  closeWrite(): Promise<void> {
    this.written.push("end");
    return Promise.resolve();
  }

  setNoDelay(): void {}
  close(): void {}
}

/** All that can happen without the clock. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await null;
}

Deno.test("what a client says to a Deno.serve that shuts down waits until no answer is on its way", async () => {
  let now = 0;
  const wheel = new TimerWheel({ now: () => now, every: () => () => {} });
  const [client, inside] = [new Side(), new Side()];
  let closes = false;
  let over = false;
  const conn = inside as unknown as Deno.TcpConn;
  new Passage(client as unknown as Deno.TlsConn, {
    connect: () => Promise.resolve({ conn, closes: () => closes, release: () => {} }),
    onEntered: () => {},
    wheel,
    onOver: () => over = true,
  });
  const pass = async (ms: number) => {
    now += ms;
    wheel.advance();
    await settled();
  };
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
  for (let i = 0; i < 5; i++) await pass(20);
  assertEquals([inside.written.length, client.written], [2, []]);
  client.takes();
  await settled();
  inside.says("middle");
  await settled();
  await pass(20);
  assertEquals([inside.written.length, client.written], [2, ["beginning", "middle"]]);
  await pass(20);
  assertEquals(inside.written.slice(2), ["yet more room"]);
  inside.says("rest");
  inside.says(null);
  await settled();
  assertEquals(client.written.slice(2), ["rest", "end"]);
  client.says(null);
  await settled();
  assertEquals(over, true);
});
