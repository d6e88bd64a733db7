// A rolling restart behind something like a Service: two Weirs, each replaced in turn, and nobody notices.

import { assertEquals } from "@std/assert";
import { load } from "../support/load.ts";
import { RawClient } from "../support/raw_client.ts";
import { Spreader } from "../support/spreader.ts";
import { until } from "../support/until.ts";
import { LISTENERS } from "../support/scenario.ts";
import { type RunningWeir, startWeir } from "../support/weir.ts";

/** Of each of the two. */
const RESTARTS = Deno.env.get("WEIR_TEST_FULL") === "1" ? 10 : 3;
const LAG_MS = 1_000;
const PIECES = 20;
const PIECE = new Uint8Array(16_384).fill(120);
const LONG_BYTES = PIECES * PIECE.length;

/** Answers at once, streams for a while, or counts what it is sent. */
function trafficOrigin() {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (request.method === "POST") return new Response(String((await request.bytes()).length));
    return new Response(request.url.endsWith("/long") ? slowBody() : "ok");
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function slowBody(): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = PIECES;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.enqueue(PIECE.slice());
      if (--left === 0) controller.close();
    },
  });
}

/** One slow upload over a connection of its own. @returns what the origin got */
async function upload(url: string): Promise<number> {
  await using client = await RawClient.connect(url);
  await client.send(`POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${LONG_BYTES}\r\n\r\n`);
  for (let i = 0; i < PIECES; i++) {
    await client.send(PIECE);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Number((await client.response("POST")).text);
}

async function download(url: string): Promise<number> {
  await using client = await RawClient.connect(url);
  await client.send("GET /long HTTP/1.1\r\nHost: a.test\r\n\r\n");
  const answer = await client.response();
  return answer.ended === "clean" ? answer.body.length : -1;
}

for (const listener of LISTENERS) {
  Deno.test({
    name: `two Weirs, each restarted ${RESTARTS} times under mixed traffic: no request fails (${listener})`,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      await using origin = trafficOrigin();
      await using spreader = new Spreader(LAG_MS);
      const start = async (): Promise<RunningWeir> => {
        const weir = await startWeir({
          upstreams: origin.url,
          listener,
          env: { ACCESS_LOG: "errors", DRAIN_DELAY_MS: String(LAG_MS * 2) },
        });
        spreader.add(weir);
        return weir;
      };
      const weirs = [await start(), await start()];
      await until("both take connections", () => spreader.readyCount === 2);

      let rolling = true;
      const failures: string[] = [];
      const keepOn = async (what: string, one: () => Promise<string>) => {
        while (rolling) {
          const failure = await one().catch(String);
          if (failure !== "") failures.push(`${what}: ${failure}`);
        }
      };
      const got = (bytes: number) => bytes === LONG_BYTES ? "" : `${bytes} of ${LONG_BYTES} bytes`;
      const traffic = [
        keepOn("small", async () => {
          const { answers, errors } = await load(spreader.url, { requests: 100, connections: 4 });
          return answers.get(200) === 100 ? errors.join() : `${[...answers]} ${errors}`;
        }),
        keepOn("upload", async () => got(await upload(spreader.url))),
        keepOn("download", async () => got(await download(spreader.url))),
      ];
      for (let n = 0; n < RESTARTS * 2; n++) {
        const leaving = weirs.shift()!;
        leaving.signal("SIGTERM");
        assertEquals((await leaving.exit).code, 0);
        await leaving.stop();
        weirs.push(await start());
        await until("the new one takes connections", () => spreader.readyCount === 2);
      }
      rolling = false;
      await Promise.all(traffic);
      for (const weir of weirs) await weir.stop();
      assertEquals([failures, spreader.turnedAway], [[], 0]);
    },
  });
}
