// Five clients upload at once and Weir's memory stays flat. WEIR_TEST_FULL=1 makes it 1 GB each.

import { assertEquals, assertLess } from "@std/assert";
import type { RawClient } from "../support/raw_client.ts";
import { afterHead, replyRaw, type Step } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import { until } from "../support/until.ts";

const CLIENTS = 5;
const BLOCK_BYTES = 1_048_576;
const BLOCKS = Deno.env.get("WEIR_TEST_FULL") === "1" ? 1_024 : 64;
/** Well below what is uploaded, well above what the runtime's own pools come to. */
const RESIDENT_GROWTH_MAX = 128 * BLOCK_BYTES;

scenario("five uploads at once arrive whole, in bounded memory", async (props) => {
  const arrived: number[] = [];
  const swallow: Step = {
    async play({ some }) {
      let bytes = 0;
      while (bytes < BLOCKS * BLOCK_BYTES) {
        const piece = await some();
        if (piece === null) break;
        bytes += piece.length;
      }
      arrived.push(bytes);
    },
  };
  const origin = await props.origin(afterHead(swallow, replyRaw("HTTP/1.1 204 No Content\r\n\r\n")));
  const weir = await props.weir({ upstreams: origin.url });
  const before = await weir.residentBytes();
  const block = new Uint8Array(BLOCK_BYTES);
  let sent = 0;
  let residentMax = 0;
  const upload = async (client: RawClient) => {
    await client.send(`PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${BLOCKS * BLOCK_BYTES}\r\n\r\n`);
    for (let n = 0; n < BLOCKS; n++) {
      await client.send(block);
      if (++sent % 16 === 0) residentMax = Math.max(residentMax, await weir.residentBytes());
    }
    return (await client.response()).status;
  };
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => props.client(weir)));
  const statuses = await Promise.all(clients.map(upload));
  assertEquals(statuses, Array(CLIENTS).fill(204));
  await until("all have arrived", () => arrived.length === CLIENTS);
  assertEquals(arrived, Array(CLIENTS).fill(BLOCKS * BLOCK_BYTES));
  assertLess(residentMax - before, RESIDENT_GROWTH_MAX);
});
