// More clients than Deno serves in a turn of its loop, all of which ask again as soon as they are answered.

// More clients than Deno serves in a turn of its loop, all of which ask again as soon as they are answered.

import { assertEquals, assertGreater } from "@std/assert";
import { startLoop } from "../support/loop.ts";
import { LISTENERS } from "../support/scenario.ts";

const CLIENTS = 400;
const ANSWERS_EACH = 20;
const REQUEST = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");

for (const listener of LISTENERS) {
  Deno.test(`${listener}: clients that never rest are all answered about as often`, async () => {
    const config = { routes: [{ respond: { status: 204 } }] };
    await using weir = await startLoop({ listener, config, upstreams: "http://127.0.0.1:9" });
    const port = Number(new URL(weir.url).port);
    const answers = Array<number>(CLIENTS).fill(0);
    let left = CLIENTS * ANSWERS_EACH;
    const conns = await Promise.all(answers.map(() => Deno.connect({ hostname: "127.0.0.1", port })));
    await Promise.all(conns.map(async (conn, client) => {
      const buffer = new Uint8Array(1_024);
      while (left > 0) {
        await conn.write(REQUEST);
        const count = await conn.read(buffer);
        assertEquals(new TextDecoder().decode(buffer.subarray(9, Math.min(12, count ?? 0))), "204");
        answers[client]!++;
        left--;
      }
      conn.close();
    }));
    assertGreater(Math.min(...answers), ANSWERS_EACH / 2);
  });
}
