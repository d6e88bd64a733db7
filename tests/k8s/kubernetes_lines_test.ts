import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { linesOf, LineTooLongError, textOf } from "../../src/control/discovery/kubernetes_lines.ts";

const never = new AbortController().signal;

function streamOf(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
  const chunks = [0, ...places].map((from, i) => bytes.slice(from, places[i] ?? bytes.length));
  return ReadableStream.from(chunks);
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const seen: string[] = [];
  for await (const line of lines) seen.push(line);
  return seen;
}

Deno.test("linesOf() gives the same lines wherever the bytes are split", async () => {
  const text = '{"a":"ü€😀"}\r\n\n{"b":2}\nunfinished';
  const bytes = new TextEncoder().encode(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      assertEquals(await all(linesOf(streamOf(bytes, cuts), 64, never)), ['{"a":"ü€😀"}', '{"b":2}']);
    }),
    { numRuns: 200 },
  );
});

Deno.test("linesOf() refuses a line over the limit, complete or not, and cancels the stream", async () => {
  for (
    const [text, cuts] of [["123456789\n", []], ["123456789", []], ["12345678\n123456789\n", [12]]] as const
  ) {
    const bytes = new TextEncoder().encode(text);
    await assertRejects(() => all(linesOf(streamOf(bytes, cuts), 8, never)), LineTooLongError);
  }
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1_024)),
    cancel: () => void (cancelled = true),
  });
  await assertRejects(() => all(linesOf(endless, 65_536, never)), LineTooLongError);
  assertEquals(cancelled, true);
});

Deno.test("textOf() reads up to its limit", async () => {
  const bytes = new TextEncoder().encode("größer");
  assertEquals(await textOf(streamOf(bytes, [3]), 8, never), "größer");
  await assertRejects(() => textOf(streamOf(bytes, [3]), 7, never), LineTooLongError);
});

for (const signalled of ["before it begins", "while it waits"] as const) {
  Deno.test(`reading ends with its signal, ${signalled}, though the stream knows nothing of it`, async () => {
    for (const read of [textOf, (...given: Parameters<typeof linesOf>) => all(linesOf(...given))]) {
      let cancelled = false;
      const silent = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
      const stop = new AbortController();
      if (signalled === "before it begins") stop.abort(new Error("stopped"));
      const reading = read(silent, 64, stop.signal);
      stop.abort(new Error("stopped"));
      await assertRejects(() => reading as Promise<unknown>, Error, "stopped");
      assertEquals(cancelled, true);
    }
  });
}
