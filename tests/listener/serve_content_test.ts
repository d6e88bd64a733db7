// Whose bytes of an answer are copied and freed, and when: what Deno.serve has taken, and nothing that it has not.

import { assertEquals } from "@std/assert";
import { freeContent, responseOf } from "../../src/listener/serve_content.ts";
import { heldBytes } from "../support/held_bytes.ts";

const BYTES = 20_000;
const decoder = new TextDecoder();

Deno.test("an answer that Deno.serve has taken is freed, and arrives: a new Deno that keeps it otherwise is noticed here", async () => {
  const { promise: taken, resolve: take } = Promise.withResolvers<Response>();
  let bytes: Uint8Array = new Uint8Array(0);
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    const response = new Response(new Uint8Array(BYTES).fill(7));
    response.headers.append("x-a", "1");
    bytes = heldBytes(response);
    // Deno takes it in the turn in which the handler's promise settles.
    setTimeout(() => (freeContent(response), take(response)));
    return Promise.resolve(response);
  });
  const answer = await fetch(`http://127.0.0.1:${server.addr.port}`);
  assertEquals(await answer.bytes(), new Uint8Array(BYTES).fill(7));
  assertEquals([heldBytes(await taken).length, bytes.buffer.byteLength], [0, 0]);
});

Deno.test("an answer that nobody has taken keeps its bytes", async () => {
  const response = new Response(new Uint8Array(BYTES).fill(7));
  freeContent(response);
  assertEquals(await response.bytes(), new Uint8Array(BYTES).fill(7));
});

Deno.test("an answer without bytes of its own has nothing to free", async () => {
  for (const content of [null, "text", new ReadableStream()]) {
    const response = new Response(content);
    await response.body?.cancel();
    freeContent(response);
  }
});

/** What clients get of answers made of memory that is written over as soon as they are made. */
async function answersOf(sizes: readonly number[], status: number): Promise<string[]> {
  const lent = new Uint8Array(20_000);
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const size = Number(new URL(request.url).pathname.slice(1));
    const response = responseOf(lent.fill(65 + size % 26).subarray(7, 7 + size), status, true);
    response.headers.append("x-size", String(size));
    lent.fill(0);
    return response;
  });
  return await Promise.all(sizes.map(async (size) => {
    const answer = await fetch(`http://127.0.0.1:${server.addr.port}/${size}`);
    const { headers, status } = answer;
    return `${status} ${headers.get("x-size")} ${headers.get("content-length")} ${await answer.text()}`;
  }));
}

for (const status of [200, 404]) {
  Deno.test(`answers (${status}) have their bytes, whatever is done to the memory that they were made of`, async () => {
    const sizes = [0, 1, 512, 4_096, 4_097, 10_000, 4_096, 1_000];
    const expected = sizes.map((size) =>
      `${status} ${size} ${size} ${String.fromCharCode(65 + size % 26).repeat(size)}`
    );
    assertEquals(await answersOf(sizes, status), expected);
  });
}

Deno.test("small answers are copied once, and share their memory: a new Deno is to be tried for that", () => {
  const [first, second] = ["one", "two"].map((text) =>
    heldBytes(responseOf(new TextEncoder().encode(text), 200, true))
  );
  assertEquals([decoder.decode(first), decoder.decode(second)], ["one", "two"]);
  assertEquals(first!.buffer === second!.buffer, true);
});

Deno.test("an answer may have no bytes, or come as a stream", async () => {
  assertEquals(responseOf(null, 304, true).body, null);
  const streamed = responseOf(ReadableStream.from([new Uint8Array([65])]), 502, true);
  assertEquals([streamed.status, await streamed.text()], [502, "A"]);
});
