import { assertEquals } from "@std/assert";
import { LineWriter } from "../../src/control/line_writer.ts";
import { settled } from "../support/settled.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const LIMITS = { waitingBytesMax: 1_000, flushMsMax: 2_000 };

/** A pipe that takes a few bytes at a time, and only when its reader reads. */
class SlowPipe {
  text = "";
  #read: (() => void) | null = null;

  async write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve) => this.#read = resolve);
    const taken = bytes.subarray(0, 7);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }

  async readAll(): Promise<void> {
    for (await settled(); this.#read !== null; await settled()) {
      const read = this.#read;
      this.#read = null;
      read();
    }
  }
}

Deno.test("LineWriter writes whole lines in order, whatever the pipe takes at once", async () => {
  const pipe = new SlowPipe();
  const writer = new LineWriter(pipe);
  writer.write("first line\n");
  writer.write(new TextEncoder().encode("second line\nthird\n"));
  await pipe.readAll();
  assertEquals(pipe.text, "first line\nsecond line\nthird\n");
});

Deno.test("LineWriter.write() leaves the caller its memory, and keeps in order what comes while it writes", async () => {
  const pipe = new SlowPipe();
  const writer = new LineWriter(pipe);
  const memory = new Uint8Array(new SharedArrayBuffer(40));
  let expected = "";
  for (const [letter, length] of [["a", 9], ["b", 0], ["c", 20], ["d", 7], ["e", 30], ["f", 1]] as const) {
    const line = letter.repeat(length) + "\n";
    expected += line;
    memory.set(new TextEncoder().encode(line), 3);
    writer.write(memory.subarray(3, 3 + line.length));
    memory.fill(0);
    if (length > 8) await settled();
  }
  await pipe.readAll();
  assertEquals(pipe.text, expected);
});

Deno.test("LineWriter drops and counts whole lines when nobody reads, and goes on afterwards", async () => {
  const pipe = new SlowPipe();
  const writer = new LineWriter(pipe, { ...LIMITS, waitingBytesMax: 20 });
  writer.write("in the pipe\n");
  await settled();
  writer.write("waits for room\n");
  writer.write("dropped 1\ndropped 2\n");
  writer.write(new TextEncoder().encode("dropped 3\n"));
  assertEquals(writer.dropped, 3);
  await pipe.readAll();
  writer.write("after\n");
  await pipe.readAll();
  assertEquals(pipe.text, "in the pipe\nwaits for room\nafter\n");
});

Deno.test("LineWriter outlives a pipe that breaks, and counts what nobody took, a half line as one", async () => {
  let room = 8;
  const write = () => {
    const taken = room;
    room = 0;
    return taken > 0 ? Promise.resolve(taken) : Promise.reject(new Error("broken pipe"));
  };
  const writer = new LineWriter({ write });
  writer.write("taken\nlost\nlost\n");
  await writer.flush();
  assertEquals(writer.dropped, 2);
  writer.write("lost too\n");
  await writer.flush();
  assertEquals(writer.dropped, 3);
});

Deno.test("LineWriter.flush() does not wait for a reader that has stopped reading", async () => {
  const clock = new VirtualClock();
  const writer = new LineWriter(new SlowPipe(), LIMITS, (ms, act) => clock.after(ms, act));
  writer.write("never read\n");
  let flushed = false;
  const flushing = writer.flush().then(() => flushed = true);
  await clock.advance(1_999);
  assertEquals(flushed, false);
  await clock.advance(1);
  await flushing;
});
