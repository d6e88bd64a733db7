// A gigabyte each way: every byte arrives in its place, and Weir holds none of them for long.

import { assertEquals, assertLess } from "@std/assert";
import { createHash } from "node:crypto";
import { requestText } from "../support/raw_client.ts";
import { afterHead, head, replyRaw, scene, type Step } from "../support/raw_origin.ts";
import { scenario } from "../support/scenario.ts";
import type { RunningWeir } from "../support/weir.ts";

const BLOCKS = 1_024;
const BLOCK_BYTES = 1_048_576;
const RESIDENT_GROWTH_MAX = 32 * 1_048_576;
/** What the engine's young heap and compiled code take when the first traffic comes, whatever its size. */
const WARM_UP_MAX = 64 * 1_048_576;
const length = ["Content-Length", String(BLOCKS * BLOCK_BYTES)] as const;

/** The nth megabyte of the gigabyte: no two are equal, so that order shows. */
function* blocks(): Generator<Uint8Array> {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let i = 0; i < block.length; i++) block[i] = (i * 31 + (i >> 8)) & 0xff;
  for (let n = 0; n < BLOCKS; n++) {
    new DataView(block.buffer).setUint32((n * 997) % (BLOCK_BYTES - 4), n);
    yield block;
  }
}

function expectedHash(): string {
  const hash = createHash("sha256");
  for (const block of blocks()) hash.update(block);
  return hash.digest("hex");
}

/** Sends the gigabyte block by block. */
async function sendAll(send: (block: Uint8Array) => Promise<boolean>): Promise<void> {
  for (const block of blocks()) if (!await send(block)) return;
}

/** `warm`: resident memory after the first 64 MB; `most`: the most of all looks after it. Bytes. */
interface Received {
  readonly hash: string;
  readonly warm: number;
  readonly most: number;
}

/** Hashes the gigabyte as it comes; looks at Weir's memory every 64 MB. */
async function receiveAll(
  weir: RunningWeir,
  some: () => Promise<Uint8Array | null>,
): Promise<Received> {
  const hash = createHash("sha256");
  let warm = 0;
  let most = 0;
  let left = BLOCKS * BLOCK_BYTES;
  for (let look = left; left > 0;) {
    const bytes = await some();
    if (bytes === null) break;
    hash.update(bytes);
    left -= bytes.length;
    if (left > look) continue;
    look -= 64 * 1_048_576;
    const resident = await weir.residentBytes();
    warm ||= resident;
    most = Math.max(most, resident);
  }
  return { hash: hash.digest("hex"), warm, most };
}

scenario("a gigabyte down arrives whole, in bounded memory", async (props) => {
  const play: Step = { play: ({ socket }) => sendAll((block) => socket.write(block)) };
  const origin = await props.origin(scene(head(200, [length]), play));
  const weir = await props.weir({ upstreams: origin.url });
  const before = await weir.residentBytes();
  const client = await props.client(weir);
  await client.send(requestText("GET", "/"));
  await client.head();
  const { hash, warm, most } = await receiveAll(weir, () => client.some());
  assertEquals(hash, expectedHash());
  assertLess(warm - before, WARM_UP_MAX);
  assertLess(most - warm, RESIDENT_GROWTH_MAX);
});

scenario("a gigabyte up arrives whole, in bounded memory", async (props) => {
  const received = Promise.withResolvers<Received>();
  const play: Step = { play: async ({ some }) => received.resolve(await receiveAll(weir, some)) };
  const origin = await props.origin(afterHead(play, replyRaw("HTTP/1.1 204 No Content\r\n\r\n")));
  const weir = await props.weir({ upstreams: origin.url });
  const before = await weir.residentBytes();
  const client = await props.client(weir);
  await client.send(`PUT / HTTP/1.1\r\nHost: a.test\r\n${length.join(": ")}\r\n\r\n`);
  await sendAll((block) => client.send(block));
  assertEquals((await client.response()).status, 204);
  const { hash, warm, most } = await received.promise;
  assertEquals(hash, expectedHash());
  assertLess(warm - before, WARM_UP_MAX);
  assertLess(most - warm, RESIDENT_GROWTH_MAX);
});
