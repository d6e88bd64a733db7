import { assertEquals } from "@std/assert";
import { LineWriter } from "../../src/control/line_writer.ts";
import { settle } from "./virtual_clock.ts";

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
    for (await settle(); this.#read !== null; await settle()) {
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

Deno.test("LineWriter drops and counts whole lines when nobody reads, and goes on afterwards", async () => {
  const pipe = new SlowPipe();
  const writer = new LineWriter(pipe, 20);
  writer.write("in the pipe\n");
  await settle();
  writer.write("waits for room\n");
  writer.write("dropped 1\ndropped 2\n");
  writer.write(new TextEncoder().encode("dropped 3\n"));
  assertEquals(writer.dropped, 3);
  await pipe.readAll();
  writer.write("after\n");
  await pipe.readAll();
  assertEquals(pipe.text, "in the pipe\nwaits for room\nafter\n");
});

Deno.test("LineWriter outlives a pipe that breaks", async () => {
  const writer = new LineWriter({ write: () => Promise.reject(new Error("broken pipe")) });
  writer.write("lost\n");
  await writer.flush();
  writer.write("lost too\n");
  await writer.flush();
});
