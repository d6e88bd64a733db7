// The lines of an answer beside those that `append` makes: what clients get.

import { assertEquals, assertThrows } from "@std/assert";
import type { ResponseHead } from "../../src/exchange.ts";
import { takeApart } from "../../src/http1/fields.ts";
import { addLines, type ServeFraming } from "../../src/listener/serve_answer_lines.ts";
import { responseOf } from "../../src/listener/serve_content.ts";
import { ask } from "../support/raw_client.ts";

const CLOSE = "connection: close";
const TEXT = "X-B: 1\r\nServer: one:two\r\nCONTENT-LENGTH: 2\r\nX-A: \u00e9\r\nX-b: 2\r\nDate: now\r\n";

/** An answer's head with its lines as one text, and whether those were asked for one by one. */
function headOf(text: string): ResponseHead & { asked: boolean } {
  return {
    status: 200,
    reason: "",
    text,
    asked: false,
    get headers() {
      this.asked = true;
      return takeApart(text);
    },
  };
}

/** The lines that a client gets; Deno writes Date, the framing and Connection behind all others. */
async function served(head: ResponseHead, framing: ServeFraming): Promise<string[]> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    const response = responseOf(new Uint8Array([65, 65]), 200, true);
    addLines(response, head, framing, false);
    return response;
  });
  const answer = await ask(`127.0.0.1:${server.addr.port}`, { headers: [["Host", "a.test"]] });
  return answer.headers.map(([name, value]) => `${name}: ${value}`);
}

Deno.test("checked lines are not taken apart twice, and arrive as the endpoint wrote them: a new Deno that has no list is noticed here", async () => {
  const head = headOf(TEXT);
  const lines = ["X-B: 1", "Server: one:two", "X-A: \u00e9", "X-b: 2"];
  assertEquals(await served(head, "counted"), [...lines, "content-length: 2", "date: now", CLOSE]);
  assertEquals(head.asked, false);
});

Deno.test("lines that somebody edited are looked at again: one that is none ends its own request only", async () => {
  const edited = (name: string): ResponseHead => ({
    status: 200,
    reason: "",
    headers: [name, "1", "Content-Length", "9", "Date", "now"],
  });
  assertEquals(await served(edited("X-A"), "counted"), ["X-A: 1", "content-length: 2", "date: now", CLOSE]);
  assertThrows(() => addLines(responseOf(null, 200, true), edited("X A"), "counted", false), TypeError);
});

Deno.test("an answer in chunks says so behind its lines, a stream says the length that was declared", async () => {
  assertEquals(await served(headOf("Date: now\r\nX-A: 1\r\n"), "chunked"), [
    "X-A: 1",
    "transfer-encoding: chunked",
    "date: now",
    CLOSE,
  ]);
  const declared = await served(headOf("Date: now\r\nContent-Length: 2\r\n"), "declared");
  assertEquals(declared, ["content-length: 2", "date: now", CLOSE]);
});
