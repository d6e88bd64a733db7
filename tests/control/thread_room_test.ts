import { assertEquals, assertThrows } from "@std/assert";
import { hasThreadRoom } from "../../src/control/thread_room.ts";
import { wantsDescriptors } from "../../src/error_message.ts";

/** Descriptors of which only so many are free; what is taken beyond them fails with `error`. */
class Descriptors {
  taken = 0;

  constructor(
    private readonly free: number,
    private readonly error = new Error("Too many open files (os error 24)"),
  ) {}

  readonly open = (): Disposable => {
    if (this.taken === this.free) throw this.error;
    this.taken++;
    return { [Symbol.dispose]: () => this.taken-- };
  };
}

Deno.test("there is room for a thread where 32 descriptors are free, and they are free again after the look", () => {
  for (const free of [0, 31, 32, 100]) {
    const descriptors = new Descriptors(free);
    assertEquals([hasThreadRoom(descriptors.open), descriptors.taken], [free >= 32, 0], String(free));
  }
});

Deno.test("what fails otherwise is no want of descriptors", () => {
  const descriptors = new Descriptors(3, new Error("no network"));
  assertThrows(() => hasThreadRoom(descriptors.open), Error, "no network");
  assertEquals(descriptors.taken, 0);
});

Deno.test("a want of descriptors is told from other errors by what the system says", async () => {
  assertEquals(wantsDescriptors(new Error("Too many open files (os error 24)")), true);
  const missing = await Deno.readTextFile("/nowhere/at/all").catch((error) => error);
  assertEquals(wantsDescriptors(missing), false);
});

Deno.test("a look at the real descriptors finds room", () => {
  assertEquals(hasThreadRoom(), true);
});
