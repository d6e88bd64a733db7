// Whose bytes of an answer are freed, and when: what Deno.serve has taken, and nothing that it has not.

import { assertEquals } from "@std/assert";
import { freeContent } from "../../src/listener/serve_content.ts";

const BYTES = 20_000;

/** Its bytes, where Deno keeps them. */
function held(response: Response): Uint8Array {
  const inner = Object.getOwnPropertySymbols(response).find(({ description }) => description === "response")!;
  // deno-lint-ignore no-explicit-any
  return (response as any)[inner].body.streamOrStatic.body;
}

Deno.test("an answer that Deno.serve has taken is freed, and arrives: a new Deno that keeps it otherwise is noticed here", async () => {
  const { promise: taken, resolve: take } = Promise.withResolvers<Response>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    const response = new Response(new Uint8Array(BYTES).fill(7));
    response.headers.append("x-a", "1");
    // Deno takes it in the turn in which the handler's promise settles.
    setTimeout(() => (freeContent(response), take(response)));
    return Promise.resolve(response);
  });
  const answer = await fetch(`http://127.0.0.1:${server.addr.port}`);
  assertEquals(await answer.bytes(), new Uint8Array(BYTES).fill(7));
  assertEquals(held(await taken).buffer.byteLength, 0);
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
