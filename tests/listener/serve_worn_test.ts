// What becomes of a plain Deno.serve that is worn out, with real clients and a clock that only the test moves.

import { assertEquals } from "@std/assert";
import { openListener } from "../../src/listener/listening.ts";
import { STUCK_MAX } from "../../src/listener/serve_stuck.ts";
import { listenOptions } from "../support/listen_options.ts";
import { RawClient, requestText } from "../support/raw_client.ts";
import { settled } from "../support/settled.ts";
import { StillTime } from "../support/still_time.ts";
import { ToldBody } from "../support/told_body.ts";
import { until } from "../support/until.ts";

/** `answer` and `more`, each a chunk. */
const ANSWER_BYTES = 20;
const UPLOAD = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\nsome";

/** A listener, how its clients ask, and what wears it out. */
function wornStage(replaced = true) {
  const time = new StillTime();
  let worn = false;
  let brokenOff = 0;
  let answer!: ToldBody;
  const listener = openListener(listenOptions("serve", {
    wheel: time.wheel,
    handle: async (exchange) => {
      const { body } = exchange;
      if (body === null) {
        return void await exchange.respond({ status: 204, reason: "", headers: [] }, null);
      }
      answer = new ToldBody(null);
      answer.tell("answer");
      const upload = (async () => {
        while (await body.read() !== null);
      })().catch(() => void brokenOff++);
      await exchange.respond({ status: 200, reason: "", headers: [] }, answer);
      body.cancel();
      await upload;
    },
    onWornOut: () => {
      worn = true;
      return replaced;
    },
  }));
  const connect = () => RawClient.connect(`http://127.0.0.1:${listener.port}`);
  const ask = async () => {
    await using client = await connect();
    await client.send(requestText("GET", "/"));
    return (await client.response()).header("connection");
  };
  /** Begins an upload, and its answer. */
  const upload = async () => {
    const client = await connect();
    await client.send(UPLOAD);
    await client.head();
    return { client, answer };
  };
  const wear = async () => {
    for (let left = 0; left < 2 * STUCK_MAX && !worn; left++) {
      const { client, answer } = await upload();
      await using _left = client;
      // Deno tells whoever had something to do last that a client has left: the answer, and not the upload.
      answer.tell("more");
      await client.read(ANSWER_BYTES);
    }
    await until("it is worn out", () => worn);
  };
  return { time, listener, ask, upload, wear, brokenOff: () => brokenOff };
}

Deno.test("whoever asks in the second before a worn Deno.serve closes is told to come back", async () => {
  const { time, listener, ask, wear } = wornStage();
  assertEquals(await ask(), undefined);
  await wear();
  const drained = listener.drain();
  await time.pass(900);
  await settled();
  assertEquals(await ask(), "close");
  await time.pass(200);
  await drained;
});

Deno.test("a worn Deno.serve waits for uploads until another one is worn, too", async () => {
  const [first, second] = [wornStage(), wornStage()];
  const { client, answer } = await first.upload();
  await first.wear();
  const drained = first.listener.drain();
  await first.time.pass(2_000);
  await settled();
  assertEquals(first.brokenOff(), 0);
  await second.wear();
  const drainedToo = second.listener.drain();
  await until("what was kept is free", () => first.brokenOff() > STUCK_MAX);
  answer.tell(null);
  await client[Symbol.asyncDispose]();
  await drained;
  await second.time.pass(1_000);
  await drainedToo;
});

Deno.test("one whose place nobody could take ends no other's wait when it drains", async () => {
  const [first, second] = [wornStage(), wornStage(false)];
  const { client, answer } = await first.upload();
  await first.wear();
  const drained = first.listener.drain();
  await second.wear();
  const drainedToo = second.listener.drain();
  for (const { time } of [first, second]) await time.pass(2_000);
  await drainedToo;
  assertEquals([await first.ask(), first.brokenOff()], ["close", 0]);
  answer.tell(null);
  await client[Symbol.asyncDispose]();
  await drained;
});
