// The lines of a request beside what `Headers` make of them: of real bytes, and where Deno has no list of them.

import { assertEquals } from "@std/assert";
import type { HeaderLines } from "../../src/exchange.ts";
import { linesOf } from "../../src/listener/serve_lines.ts";
import { ask } from "../support/raw_client.ts";
import type { Header } from "../support/raw_http.ts";

/** What becomes of the lines of a request, and whether its `Headers` were asked for them. */
async function served(headers: readonly Header[]): Promise<{ lines: HeaderLines; asked: boolean }> {
  const read = { lines: [] as HeaderLines, asked: false };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const shown = request.headers;
    Object.defineProperty(request, "headers", { get: () => (read.asked = true, shown) });
    read.lines = linesOf(request);
    return new Response(null);
  });
  await ask(`127.0.0.1:${server.addr.port}`, { headers });
  return read;
}

Deno.test("lines are those that were written: a new Deno that has them no more is noticed here", async () => {
  const { lines, asked } = await served([["X-b", "1"], ["Host", "a.test"], ["x-A", "\u00e9"], ["X-B", ""]]);
  assertEquals(lines, ["X-b", "1", "Host", "a.test", "x-A", "\u00e9", "X-B", "", "Connection", "close"]);
  assertEquals(asked, false);
});

Deno.test("the crumbs of Cookie are one line, whose parts no comma separates", async () => {
  const { lines } = await served([["Host", "a.test"], ["cookie", "a=1"], ["X-A", "1"], ["Cookie", "b=2"]]);
  assertEquals(lines, ["Host", "a.test", "X-A", "1", "Connection", "close", "cookie", "a=1; b=2"]);
});

Deno.test("what Deno did not make has the lines that its Headers show", () => {
  const headers = new Headers([["X-B", "1"], ["x-a", "2"], ["x-b", "3"]]);
  assertEquals(linesOf({ headers } as Request), ["x-a", "2", "x-b", "1, 3"]);
});
