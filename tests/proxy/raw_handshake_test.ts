import { assert, assertEquals } from "@std/assert";
import { RawHandshake } from "../../src/proxy/raw_handshake.ts";
import { acceptOf } from "../../src/proxy/websocket_handshake.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** What is wrong with a 101 that chooses from what a client offered. */
function problem(offered: string, chosen: string): string | null {
  const asked = ["Sec-WebSocket-Key", KEY, "Sec-WebSocket-Extensions", offered];
  const headers = ["Upgrade", "WebSocket", "Connection", "upgrade", "Sec-WebSocket-Accept", acceptOf(KEY)];
  headers.push("Sec-WebSocket-Extensions", chosen);
  return new RawHandshake(["websocket"], asked, true).problemWith({ status: 101, reason: "", headers });
}

Deno.test("a 101 may choose any of the extensions that were offered, in any case, and no other", () => {
  assertEquals(problem("a; x=1, B", "b;y"), null);
  assertEquals(problem("a, b", "A, b, a"), null);
  assertEquals(problem("a, b", "a, c"), "101 with an extension nobody offered");
  assertEquals(problem("", "a"), "101 with an extension nobody offered");
});

Deno.test("thousands of extensions on either side are not compared each with each", () => {
  const lower = String.prototype.toLowerCase;
  let compared = 0;
  String.prototype.toLowerCase = function () {
    compared++;
    return lower.call(this);
  };
  try {
    assertEquals(problem("a,".repeat(2_000) + "b", "b,".repeat(2_000)), null);
  } finally {
    String.prototype.toLowerCase = lower;
  }
  assert(compared < 5_000, `${compared} comparisons`);
});
